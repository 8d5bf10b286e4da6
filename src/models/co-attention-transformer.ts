import * as tf from "@tensorflow/tfjs-core";
import { sinusoidalEncoding2d } from "../attention/position/sinusoidal-2d.ts";
import { multiHeadAttentionBlock } from "../attention/set/multi-head-attention-block.ts";
import { checkCount } from "../core/check-options.ts";
import { OptionError, ShapeError } from "../core/errors.ts";
import { wrongCount } from "../core/faults.ts";
import { checkRank } from "../ops/check.ts";
import { type Asked, tidyAsked } from "../ops/tidy.ts";
import { convolutionalGrid, convolutionalGridSpecs, DEFAULT_GRID } from "./convolutional-grid.ts";
import { dense, denseSpecs, normalized, normSpecs } from "./maps.ts";
import { type ParameterSpecs, Parameters } from "./parameters.ts";
import { blockSpecs, readBlock } from "./set/maps.ts";

/** The sizes of a model that answers questions about pictures. */
export interface CoAttentionConfig {
  /** V, the words that it knows, padding included. */
  readonly vocabulary: number;
  /** T, the words of a question, shorter ones padded. */
  readonly positions: number;
  /** Answers to choose from. */
  readonly answers: number;
  /** Rounds of reading each other. */
  readonly layers: number;
  /** C, a multiple of 4 and of the heads. */
  readonly width: number;
  readonly heads: number;
  /** F, between the two maps of a block. */
  readonly inner: number;
}

/** Questions as numbers: ids [N, T], how many words each has, and the picture that each is about. */
export interface AskedQuestions {
  readonly ids: Int32Array;
  readonly lengths: readonly number[];
  /** [N], numbers of the pictures. @default question n is about picture n */
  readonly pictures?: Int32Array;
}

export interface CoAttentionOptions {
  /** Return what the words looked at in each layer, [N, H, T, S], and what the cells did, [N, H, S, T]. @default false */
  attention?: boolean;
  /** Return what the words looked at in the first layer alone, [N, H, T, S]: of a loss that teaches it. @default false */
  wordMaps?: boolean;
}

/** What both streams looked at in one layer. */
export interface CoAttentionWeights {
  /** Words over cells: [N, H, T, S]. */
  readonly words: tf.Tensor4D;
  /** Cells over words: [N, H, S, T]; not of the last layer. */
  readonly cells?: tf.Tensor4D;
}

export type CoAttentionOutput<O> = { readonly logits: tf.Tensor2D } & Asked<
  O,
  "attention",
  readonly CoAttentionWeights[]
> &
  Asked<O, "wordMaps", tf.Tensor4D>;

/** The longest wavelength of the cells' positions is 2π times as many cells. */
const BASE = 100;
const OP = "CoAttentionTransformer";

/**
 * Answers questions about pictures by co-attention: the words of a question and the cells of a picture read each other.
 *
 *     words₀  = norm(embedding[ids] + positions)          cells₀ = norm(norm(grid(x))·W + sinusoids of row and column·W′)
 *     wordsₗ′ = block(wordsₗ, wordsₗ)                      the words read each other,
 *     wordsₗ₊₁ = block(wordsₗ′, cellsₗ)                    then the picture,
 *     cellsₗ₊₁ = block(cellsₗ, wordsₗ′)                    while the picture reads them
 *     logits  = first word of the last layer · W + b
 *
 * Symbols: block a multi-head attention block, whose queries come from its first argument and keys and values from its second;
 * S = rows·columns cells; a question's first word is a mark that gathers the answer.
 * Shapes: x [B, H, W, 1], 0 to 1; ids [N, T]; lengths [N] → logits [N, answers].
 * Conventions: attention is within one example, [N, H, T, S], so that an example's answer does not depend on what else is in
 * the batch (of two vectors a picture and a question, scores [N, N] would mix examples). Words behind a question's length
 * are hidden. Where a picture has several questions, its grid is computed once. Norms stand behind sublayers. The cells
 * have no self-attention: convolutions mixed neighbours before. In the last layer the cells are not read again, and have no
 * block. Cost: O(B·grid) and O(N·layers·S·C·(C + F + T)).
 * Paper: Lu et al. 2019 (ViLBERT), §2.1, figure 2b, arxiv.org/abs/1908.02265; there the picture's cells are detected regions.
 *
 * @example
 * const sizes = { vocabulary: 11, positions: 5, answers: 3, layers: 2, width: 8, heads: 2, inner: 16 };
 * const model = new CoAttentionTransformer(sizes, 1);
 * const questions = { ids: Int32Array.of(1, 3, 4, 0, 0, 1, 5, 0, 0, 0), lengths: [3, 2] };
 * const { logits, attention } = model.forward(tf.zeros([2, 64, 64, 1]), questions, { attention: true });
 * logits.shape; // [2, 3]
 * attention[0].words.shape; // [2, 2, 5, 64]
 * model.dispose();
 */
export class CoAttentionTransformer {
  readonly config: CoAttentionConfig;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION, CONFLICT · ShapeError SHAPE, UNKNOWN
   */
  constructor(config: CoAttentionConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    checkConfig(config);
    this.config = { ...config };
    this.parameters = Parameters.start(OP, coAttentionSpecs(config), start);
  }

  /**
   * Logits of the answers to questions about pictures.
   *
   * @throws ShapeError RANK, SHAPE
   */
  forward<const O extends CoAttentionOptions>(
    x: tf.Tensor4D,
    questions: AskedQuestions,
    options: O = {} as O,
  ): CoAttentionOutput<O> {
    return tidyAsked(() => this.answer(this.features(x), questions, options));
  }

  /** The grid of features of pictures, [B, H, W, 1] → [B, rows, columns, Cg]. @throws ShapeError RANK */
  features(x: tf.Tensor4D): tf.Tensor4D {
    return convolutionalGrid(this.parameters, "grid", x);
  }

  /**
   * Logits of the answers to questions about pictures whose features are known.
   *
   * @throws ShapeError RANK, SHAPE
   */
  answer<const O extends CoAttentionOptions>(
    features: tf.Tensor4D,
    questions: AskedQuestions,
    options: O = {} as O,
  ): CoAttentionOutput<O> {
    checkRank(OP, "features [B, rows, columns, Cg]", features, 4);
    const { attention: wanted, wordMaps: taught }: CoAttentionOptions = options;
    return tidyAsked((): CoAttentionOutput<CoAttentionOptions> => {
      const p = this.parameters;
      const { layers, heads } = this.config;
      const mask = { keyLengths: [...questions.lengths] };
      const attention: CoAttentionWeights[] = [];
      let wordMaps: tf.Tensor4D | undefined;
      let words = this.#embed(questions);
      let cells = this.#look(features, questions.pictures);
      for (let n = 0; n < layers; n++) {
        const block = (of: string) => readBlock(p, `layer/${n}/${of}`, heads);
        words = multiHeadAttentionBlock(words, words, block("self"), { mask }, OP).output;
        const asked = { weights: wanted === true };
        const isTaught = taught === true && n === 0;
        const reading = { weights: asked.weights || isTaught };
        const read = multiHeadAttentionBlock(words, cells, block("words"), reading, OP);
        if (isTaught) wordMaps = read.weights!;
        const isLast = n === layers - 1;
        // What the last cells would read nobody would read.
        const looked = isLast
          ? undefined
          : multiHeadAttentionBlock(cells, words, block("cells"), { mask, ...asked }, OP);
        if (wanted) attention.push({ words: read.weights!, ...(looked && { cells: looked.weights! }) });
        words = read.output;
        cells = looked?.output ?? cells;
      }
      const [N, , C] = words.shape;
      const first = tf.reshape(tf.slice(words, [0, 0, 0], [N, 1, C]), [N, C]) as tf.Tensor2D;
      return {
        logits: dense(p, "answer", first),
        ...(wanted && { attention }),
        ...(wordMaps && { wordMaps }),
      };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #embed({ ids, lengths }: AskedQuestions): tf.Tensor3D {
    const p = this.parameters;
    const { positions: T, width: C } = this.config;
    const N = lengths.length;
    if (ids.length !== N * T)
      throw new ShapeError(
        "SHAPE",
        wrongCount({ op: OP, name: "ids", letters: "N·T", expected: N * T, got: ids.length }),
      );
    const rows = tf.reshape(p.rows("words/embedding", tf.tensor1d(ids, "int32")), [N, T, C]);
    return normalized(p, "words/norm", tf.add(rows, p.matrix("words/positions")) as tf.Tensor3D);
  }

  /** The cells of each question's picture, [N, S, C]. */
  #look(features: tf.Tensor4D, pictures: Int32Array | undefined): tf.Tensor3D {
    const p = this.parameters;
    const C = this.config.width;
    const [B, rows, columns] = features.shape;
    const seen = dense(p, "cells/input", normalized(p, "cells/features", features));
    const places = dense(p, "cells/places", sinusoidalEncoding2d(rows, columns, C, { base: BASE }));
    const placed = tf.add(seen, places);
    const cells = normalized(p, "cells/norm", tf.reshape(placed, [B, rows * columns, C]) as tf.Tensor3D);
    return pictures ? tf.gather(cells, tf.tensor1d(pictures, "int32")) : cells;
  }
}

/** The parameters of a configuration. */
export function coAttentionSpecs(config: CoAttentionConfig): ParameterSpecs {
  const { vocabulary, positions, answers, layers, width: C, inner: F } = config;
  const ofLayer = (n: number): ParameterSpecs => ({
    ...blockSpecs(`layer/${n}/self`, { C, F }),
    ...blockSpecs(`layer/${n}/words`, { C, F }),
    ...(n < layers - 1 && blockSpecs(`layer/${n}/cells`, { C, F })),
  });
  return {
    ...convolutionalGridSpecs("grid"),
    ...normSpecs("cells/features", DEFAULT_GRID.at(-1)!.channels),
    ...denseSpecs("cells/input", DEFAULT_GRID.at(-1)!.channels, C),
    ...denseSpecs("cells/places", C, C),
    ...normSpecs("cells/norm", C),
    "words/embedding": { shape: [vocabulary, C], start: { normal: 0.5 } },
    "words/positions": { shape: [positions, C], start: { normal: 0.5 } },
    ...normSpecs("words/norm", C),
    ...Object.assign({}, ...Array.from({ length: layers }, (_, n) => ofLayer(n))),
    ...denseSpecs("answer", C, answers),
  };
}

function checkConfig(config: CoAttentionConfig): void {
  const { vocabulary, positions, answers, layers, width, heads, inner } = config;
  const sizes = { vocabulary, positions, answers, layers, width, heads, inner };
  for (const [name, size] of Object.entries(sizes)) checkCount(OP, name, size);
  if (width % 4 === 0 && width % heads === 0) return;
  const fault = {
    op: OP,
    rule: "width must be a multiple of 4 and of heads",
    got: `${width} with ${heads} heads`,
  };
  throw new OptionError("CONFLICT", { ...fault, remedy: "choose another width" });
}
