import * as tf from "@tensorflow/tfjs-core";
import { memoryNetworkHop } from "../../attention/memory/memory-network-hop.ts";
import { sentencePositions } from "../../attention/memory/sentence-positions.ts";
import { checkCount, checkLengths } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { tidy } from "../../ops/tidy.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";

export interface EndToEndMemoryNetworkConfig {
  /** V, words; word 0 pads sentences and means nothing. */
  vocabulary: number;
  /** S, sentences of the longest story. */
  slots: number;
  /** J, words of the longest sentence or question. */
  words: number;
  /** C, the width of embeddings. */
  width: number;
  /** How often the memory is read. @default 3 */
  hops?: number;
}

/** Stories, each with a question. */
export interface StoryInputs {
  /** Words int32 [B, S, J], the first sentence first; what is not there is 0. */
  stories: tf.Tensor3D;
  /** Words int32 [B, J]. */
  questions: tf.Tensor2D;
  /** Sentences of each story, from 0 to S; later ones are padding. @default S */
  lengths?: ArrayLike<number>;
}

export interface AnswerOptions {
  /** Hops without a softmax, for the beginning of training: see `memoryNetworkHop`. @default false */
  linear?: boolean;
}

const OP = "EndToEndMemoryNetwork";

/**
 * An end-to-end memory network: a question reads the sentences of a story several times, and is answered by a word.
 *
 *     u_1 = Σ_j l_j ⊙ E_0[question_j]    m_ki = Σ_j l_j ⊙ E_(k−1)[word_ij] + T_(k−1)[i]    c_ki = m_(k+1)i
 *     u_(k+1) = memoryNetworkHop(u_k, m_k, c_k)    logits = u_(K+1) E_Kᵀ
 *
 * Symbols: l position encoding (`sentencePositions`), E and T tables of words and of ages, k = 1 … K hops, i a sentence.
 * Shapes: stories [B, S, J], questions [B, J] → logits [B, V], K weights of [B, S].
 * Conventions: adjacent weight tying, so K hops have K + 1 tables of words, the first for the question too and the last for
 * the answer. T is indexed by age, the last sentence of a story being 0. A capture keeps each hop as a call of attention.
 * Methods that return tensors leave them to the caller's `tf.tidy`.
 * Paper: Sukhbaatar, Szlam, Weston & Fergus 2015, arxiv.org/abs/1503.08895; after Weston, Chopra & Bordes 2014,
 * arxiv.org/abs/1410.3916.
 *
 * @example
 * const network = new EndToEndMemoryNetwork({ vocabulary: 11, slots: 5, words: 3, width: 8, hops: 2 }, 1);
 * const stories = tf.tensor3d([[[1, 2, 3], [4, 2, 5]]], [1, 2, 3], "int32");
 * const { logits, weights } = network.answer({ stories, questions: tf.tensor2d([[6, 1, 0]], [1, 3], "int32") });
 * logits.shape; // [1, 11]
 * weights.length; // 2
 * network.dispose();
 */
export class EndToEndMemoryNetwork {
  readonly config: Required<EndToEndMemoryNetworkConfig>;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION where a size is none
   */
  constructor(
    config: EndToEndMemoryNetworkConfig,
    start: number | Readonly<Record<string, Float32Array>> = 0,
  ) {
    this.config = { hops: 3, ...config };
    for (const name of ["vocabulary", "slots", "words", "width", "hops"] as const)
      checkCount(OP, name, this.config[name]);
    this.parameters = Parameters.start(OP, specsOf(this.config), start);
  }

  /**
   * The scores of every word as the answer, and what each hop read.
   *
   * @throws ShapeError RANK, SHAPE, LIMIT · OptionError OPTION for lengths that the stories do not have
   */
  answer(
    inputs: StoryInputs,
    { linear: isLinear = false }: AnswerOptions = {},
  ): { logits: tf.Tensor2D; weights: tf.Tensor2D[] } {
    const lengths = this.#check(inputs);
    const { stories, questions } = inputs;
    const { words: J, width: C, hops } = this.config;
    return tidy(() => {
      const positions = sentencePositions(J, C);
      const ages = this.#ages(stories.shape, lengths);
      const weights: tf.Tensor2D[] = [];
      let u = this.#encode(questions, 0, positions) as tf.Tensor2D;
      let m = this.#remember(stories, 0, positions, ages);
      for (let k = 1; k <= hops; k++) {
        const c = this.#remember(stories, k, positions, ages);
        const hop = memoryNetworkHop(u, m, c, { keyLengths: lengths, linear: isLinear, weights: true });
        weights.push(hop.weights);
        u = hop.output;
        m = c;
      }
      const logits = linear(u, this.parameters.matrix(`words/${hops}`), undefined, { transposed: true });
      return { logits, weights };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  /** Sentences [..., J] → [..., C]. */
  #encode(sentences: tf.Tensor, table: number, positions: tf.Tensor2D): tf.Tensor {
    const { words: J, width: C } = this.config;
    const ids: tf.Tensor1D = tf.reshape(sentences, [-1]);
    const isWord = tf.cast(tf.notEqual(ids, 0), "float32");
    const embedded = tf.mul(this.parameters.rows(`words/${table}`, ids), tf.expandDims(isWord, 1));
    const rows = tf.mul(tf.reshape(embedded, [-1, J, C]), positions);
    return tf.reshape(tf.sum(rows, 1), [...sentences.shape.slice(0, -1), C]);
  }

  #remember(stories: tf.Tensor3D, table: number, positions: tf.Tensor2D, ages: tf.Tensor1D): tf.Tensor3D {
    const sentences = this.#encode(stories, table, positions) as tf.Tensor3D;
    return tf.add(sentences, tf.reshape(this.parameters.rows(`ages/${table}`, ages), sentences.shape));
  }

  /** How many sentences stand after each, [B·S]; 0 for padding, which is never read. */
  #ages([B, S]: readonly number[], lengths: ArrayLike<number>): tf.Tensor1D {
    const ages = Int32Array.from({ length: B! * S! }, (_, n) =>
      Math.max(0, lengths[Math.floor(n / S!)]! - 1 - (n % S!)),
    );
    return tf.tensor1d(ages, "int32");
  }

  #check({ stories, questions, lengths }: StoryInputs): ArrayLike<number> {
    const op = `${OP}.answer`;
    checkRank(op, "stories [B, S, J]", stories, 3);
    const { slots, words: J } = this.config;
    const [B, S] = stories.shape;
    checkTensors(op, [
      { name: "stories", tensor: stories, letters: "[B, S, J]", shape: [B, S, J], dtype: "int32" },
      { name: "questions", tensor: questions, letters: "[B, J]", shape: [B, J], dtype: "int32" },
    ]);
    if (S > slots) {
      const rule = `a story must have at most ${slots} sentences`;
      throw new ShapeError("LIMIT", {
        op,
        rule,
        got: S,
        remedy: "leave the oldest out, or build with more slots",
      });
    }
    return lengths ? checkLengths(op, "lengths", lengths, B, S) : new Array<number>(B).fill(S);
  }
}

function specsOf({
  vocabulary: V,
  slots: S,
  width: C,
  hops,
}: Required<EndToEndMemoryNetworkConfig>): ParameterSpecs {
  const start = { normal: 0.1 };
  return Object.fromEntries(
    Array.from({ length: hops + 1 }, (_, k) => [
      [`words/${k}`, { shape: [V, C], start }],
      [`ages/${k}`, { shape: [S, C], start }],
    ]).flat(),
  );
}
