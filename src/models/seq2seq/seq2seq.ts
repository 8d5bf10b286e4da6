import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { PAD, START } from "../../data/bpe.ts";
import { unstackSteps } from "../../ops/sequence.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { Parameters } from "../parameters.ts";
import type { Seq2SeqConfig } from "./config.ts";
import { Decoder, type DecoderState } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import type { Memory } from "./memory.ts";
import { parameterSpecs } from "./parameters.ts";
import { dropper, stepMask, timeMajor } from "./steps.ts";

export interface LossOptions {
  /** Label smoothing ε (Szegedy et al., arxiv.org/abs/1512.00567). */
  smoothing?: number;
  /** Dropout's seed; without it nothing is dropped. */
  dropoutSeed?: number;
  /** What the summed loss is divided by; the number of target pieces here by default. */
  pieces?: number;
}

/**
 * Sequence to sequence with attention: a bidirectional recurrent encoder, a recurrent decoder that attends to its
 * states, a softmax over target pieces. All methods that return tensors leave them to the caller's `tf.tidy`.
 *
 * @example
 * const model = new Seq2Seq({ ...DEFAULT_CONFIG, sourceVocabulary: 20, targetVocabulary: 20, embedding: 8, encoder: 8, decoder: 16 }, 1);
 * console.log(model.parameters.size > 0); // true
 * model.dispose();
 */
export class Seq2Seq {
  readonly config: Seq2SeqConfig;
  readonly parameters: Parameters;
  readonly decoder: Decoder;
  readonly #encoder: Encoder;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: Seq2SeqConfig, start: number | Record<string, Float32Array> = 0) {
    this.config = config;
    this.parameters = Parameters.start("Seq2Seq", parameterSpecs(config), start);
    this.#encoder = new Encoder(config, this.parameters);
    this.decoder = new Decoder(config, this.parameters);
  }

  /** Reads the sources: what the decoder attends to, and its first state. */
  encode(source: PaddedBatch, dropoutSeed?: number): { memory: Memory; state: DecoderState } {
    const drop = dropper(this.config.dropout, dropoutSeed);
    const ids = tf.tensor1d(timeMajor(source), "int32");
    const embedded = drop(tf.gather(this.parameters.matrix("source/embedding"), ids));
    const shaped = tf.reshape(embedded, [source.width, source.rows, -1]) as tf.Tensor3D;
    const { states, initial } = this.#encoder.encode(shaped, stepMask(source));
    const memory = this.decoder.attention.prepare(drop(states), source.lengths);
    return { memory, state: this.decoder.start(initial) };
  }

  /** Embedded target pieces' share of the decoder's gates: ids [N] → [N, gates·D]. */
  wordGates(ids: Int32Array, drop?: (x: tf.Tensor2D) => tf.Tensor2D): tf.Tensor2D {
    const embedded = tf.gather(this.parameters.matrix("target/embedding"), tf.tensor1d(ids, "int32"));
    return this.decoder.inputGates(drop ? drop(embedded) : embedded);
  }

  /** Scores of the next piece: h̃ [N, E] → [N, V]. */
  logits(attentional: tf.Tensor2D): tf.Tensor2D {
    const output = this.parameters.matrix(this.config.tieEmbeddings ? "target/embedding" : "output/kernel");
    return tf.add(tf.matMul(attentional, output, false, true), this.parameters.vector("output/bias"));
  }

  /**
   * Mean negative log-likelihood of a target piece, in nats, with teacher forcing. Targets end with END; padding
   * counts nothing.
   */
  loss(source: PaddedBatch, target: PaddedBatch, options: LossOptions = {}): tf.Scalar {
    const { smoothing = 0, dropoutSeed } = options;
    return tf.tidy(() => {
      const { rows, width, lengths } = target;
      const { memory, state: first } = this.encode(source, dropoutSeed);
      const drop = dropper(this.config.dropout, dropoutSeed === undefined ? undefined : dropoutSeed + 1);
      const labels = timeMajor(target);
      const inputs = new Int32Array(labels.length).fill(START, 0, rows);
      inputs.set(labels.subarray(0, labels.length - rows), rows);
      const gates = unstackSteps(tf.reshape(this.wordGates(inputs, drop), [width, rows, -1]));
      const attentional: tf.Tensor2D[] = [];
      let state = first;
      for (let t = 0; t < width; t++) {
        const step = this.decoder.trainingStep(gates[t], state, memory, drop);
        attentional.push(step.attentional);
        state = step.state;
      }
      const logits = this.logits(tf.reshape(tf.stack(attentional), [width * rows, -1]));
      const counted = labels.map((id) => (id === PAD ? -1 : id));
      const losses = softmaxCrossEntropy(logits, tf.tensor1d(counted, "int32"), { smoothing });
      const pieces = options.pieces ?? lengths.reduce((sum, n) => sum + n, 0);
      return tf.div(tf.sum(losses), pieces) as tf.Scalar;
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }
}
