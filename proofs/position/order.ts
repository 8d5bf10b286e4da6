import * as tf from "@tensorflow/tfjs-core";
import { alibiBias } from "../../src/attention/position/alibi.ts";
import { learnedEncoding } from "../../src/attention/position/learned.ts";
import { rope } from "../../src/attention/position/rope.ts";
import { shawAttention } from "../../src/attention/position/shaw.ts";
import { sinusoidalEncoding } from "../../src/attention/position/sinusoidal.ts";
import { t5Bias } from "../../src/attention/position/t5-bias.ts";
import { softAttention } from "../../src/attention/sequence/soft-attention.ts";
import { RandomStream } from "../../src/core/random.ts";
import { gelu } from "../../src/ops/gelu.ts";
import { linear } from "../../src/ops/linear.ts";
import { descend, prepare } from "../descend.ts";
import { weight } from "../variables.ts";

/** How a model learns where its tokens stand. */
export type Positions =
  | "none"
  | "sinusoidal"
  | "learned"
  | "shaw"
  | "t5"
  | "alibi"
  | "rope"
  | "rope-interleaved";

export interface OrderOptions {
  positions: Positions;
  /** Hide later tokens, which tells the order by itself. @default false */
  causal?: boolean;
  /** Optimiser steps. @default 300 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

/** Every sequence holds each of the 12 tokens once, so without an order all of them are the same set. */
const T = 12;
const [C, H, D] = [32, 4, 8];
const LAYERS = 2;
const BATCH = 64;
/** Buckets of T5's bias and distances that Shaw's tables tell apart. */
const [BUCKETS, CLIP] = [16, 4];

/** Sequences and whether token 0 stands before token 1: 1 or 0. */
function draw(random: RandomStream, count: number): { tokens: Int32Array; labels: Float32Array } {
  const tokens = new Int32Array(count * T);
  const labels = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    const sequence = random.shuffle(Array.from({ length: T }, (_, token) => token));
    tokens.set(sequence, n * T);
    labels[n] = sequence.indexOf(0) < sequence.indexOf(1) ? 1 : 0;
  }
  return { tokens, labels };
}

/** Self-attention over tokens, their mean, and one number: above 0 means that token 0 comes first. */
class OrderModel {
  readonly variables: Record<string, tf.Variable> = {};
  readonly #options: OrderOptions;

  constructor(options: OrderOptions, random: RandomStream) {
    this.#options = options;
    const add = (name: string, shape: number[], size?: number) => {
      this.variables[name] = weight(random, shape, size);
    };
    add("tokens", [T, C], 1);
    add("readout", [C, 1]);
    if (options.positions === "learned") add("places", [T, C], 1);
    for (let layer = 0; layer < LAYERS; layer++) {
      for (const name of ["q", "k", "v", "o"]) add(`${name}${layer}`, [C, C]);
      add(`up${layer}`, [C, 2 * C]);
      add(`down${layer}`, [2 * C, C], 0.1);
      if (options.positions === "t5") add(`bias${layer}`, [BUCKETS, H], 0.5);
      if (options.positions === "shaw") {
        add(`wK${layer}`, [2 * CLIP + 1, D], 0.5);
        add(`wV${layer}`, [2 * CLIP + 1, D], 0.5);
      }
    }
  }

  /** The logits of tokens [B, T]. */
  logits(tokens: Int32Array): tf.Tensor1D {
    const { positions } = this.#options;
    const B = tokens.length / T;
    const embedded = tf.gather(this.variables.tokens!, tf.tensor1d(tokens, "int32"));
    let x: tf.Tensor = tf.reshape(embedded, [B, T, C]);
    if (positions === "sinusoidal") x = tf.add(x, sinusoidalEncoding(T, C));
    if (positions === "learned") x = tf.add(x, learnedEncoding({ table: this.#matrix("places") }, T));
    for (let layer = 0; layer < LAYERS; layer++) {
      x = tf.add(x, this.#attend(x, layer, B));
      const hidden = gelu(linear(x, this.#matrix(`up${layer}`)));
      x = tf.add(x, linear(hidden, this.#matrix(`down${layer}`)));
    }
    return tf.reshape(linear(tf.mean(x, 1), this.#matrix("readout")), [B]);
  }

  #matrix(name: string): tf.Tensor2D {
    return this.variables[name] as unknown as tf.Tensor2D;
  }

  #attend(x: tf.Tensor, layer: number, B: number): tf.Tensor {
    const { positions, causal = false } = this.#options;
    const heads = (name: string) => {
      const projected = linear(x, this.#matrix(`${name}${layer}`));
      return tf.transpose(tf.reshape(projected, [B, T, H, D]), [0, 2, 1, 3]) as tf.Tensor4D;
    };
    let [q, k, v] = [heads("q"), heads("k"), heads("v")];
    if (positions === "rope" || positions === "rope-interleaved") {
      const pairs = positions === "rope" ? "half" : "interleaved";
      [q, k] = [rope(q, { pairs }), rope(k, { pairs })];
    }
    const tables = () => ({ wK: this.#matrix(`wK${layer}`), wV: this.#matrix(`wV${layer}`) });
    const bias =
      positions === "t5"
        ? t5Bias({ table: this.#matrix(`bias${layer}`) }, T, T, { maxDistance: T })
        : positions === "alibi"
          ? alibiBias(H, T, T)
          : undefined;
    const { output } =
      positions === "shaw"
        ? shawAttention(q, k, v, tables(), { causal })
        : softAttention(q, k, v, { bias, causal });
    const joined = tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [B, T, C]);
    return linear(joined, this.#matrix(`o${layer}`));
  }
}

/**
 * Trains self-attention to tell which of two tokens comes first, and gives its share of right answers on 2000 new
 * sequences. The same options give the same metric.
 */
export async function trainOrder(options: OrderOptions): Promise<number> {
  const { steps = 300, seed = 1, onProgress } = options;
  await prepare();
  const model = new OrderModel(options, new RandomStream(seed, 1));
  const random = new RandomStream(seed, 2);
  const loss = () => {
    const { tokens, labels } = draw(random, BATCH);
    // −ln σ(±logit), as ln(1 + e^∓logit).
    const signs = tf.sub(1, tf.mul(2, tf.tensor1d(labels)));
    return tf.mean<tf.Scalar>(tf.softplus(tf.mul(signs, model.logits(tokens))));
  };
  try {
    await descend(model.variables, loss, { steps, learningRate: 0.003, clipNorm: 1, onProgress });
    const { tokens, labels } = draw(new RandomStream(seed, 3), 2000);
    const logits = tf.tidy(() => model.logits(tokens).dataSync());
    return labels.filter((label, n) => logits[n]! > 0 === (label === 1)).length / labels.length;
  } finally {
    tf.dispose(model.variables);
  }
}
