import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkFinite } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { RandomStream } from "../../core/random.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { checkSequences, checkShape } from "./check.ts";
import {
  featureAttention,
  type LinearAttentionOptions,
  type LinearAttentionResult,
} from "./feature-attention.ts";
import { lessLargest } from "./numerics.ts";

export interface PerformerParameters {
  /** Random directions, as `orthogonalRandomFeatures` makes them. [m, D] */
  w: tf.Tensor2D;
}

/** Exponent at which the features of keys stop, so that sums of thousands do not overflow. */
const LARGEST = 80;

export interface PerformerOptions extends Omit<LinearAttentionOptions, "featureMap" | "normalize"> {
  /** Factor of q·k in the softmax that is approximated. @default 1/√D */
  scale?: number;
}

/**
 * Performer: softmax attention from positive random features (FAVOR+), at the cost of linear attention.
 *
 *     out_t = Σ_s φ(q_t)·φ(k_s) v_s / Σ_s φ(q_t)·φ(k_s),    E[φ(q)·φ(k)] = e^{scale·q·k}
 *     φ(x)_i = e^{w_i·x′ − |x′|²/2} / √m,    x′ = √scale x
 *
 * Symbols: w random directions, m of them; s over all keys, or s ≤ t where causal.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], w [m, D] → output [B, H, T, Dv]; state
 * [B, Hkv, m, Dv + 1].
 * Conventions: as `linearAttention`. The same w must serve a sequence to its end; draw it anew now and then while
 * training. Features are relative to the largest of their query, which cancels; those of keys stop at e^80, and a key
 * as long as |x′|² > 170 has none. The error falls as 1/√m, and grows with the size of q and k.
 * Cost: O(n·m·(D + Dv)). Paper: Choromanski et al. 2021, §2.3–2.4, arxiv.org/abs/2009.14794.
 *
 * @throws what `linearAttention` throws · ShapeError SHAPE
 * @draws
 * const q = tf.tensor4d(Array.from({ length: 16 }, (_, t) => [Math.cos(t / 3), Math.sin(t / 3)]).flat(), [1, 1, 16, 2]);
 * const w = orthogonalRandomFeatures(64, 2, { seed: 1 });
 * return performerAttention(q, q, q, { w }, { scale: 4, weights: true }).weights;
 * @example
 * const w = orthogonalRandomFeatures(32, 4, { seed: 7 });
 * const { output } = performerAttention(q, k, v, { w }, { causal: true }); // [B, H, T, Dv]
 */
export function performerAttention<const O extends PerformerOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { w }: PerformerParameters,
  options: O = {} as O,
): LinearAttentionResult<O> {
  const op = "performerAttention";
  const { D } = checkSequences(op, q, k, v);
  const { scale = 1 / Math.sqrt(D), ...rest }: PerformerOptions = options;
  checkFinite(op, "scale", scale);
  if (scale < 0)
    throw new OptionError("OPTION", outOfRange({ op, name: "scale", rule: "a number ≥ 0", got: scale }));
  checkShape(op, "w [m, D]", w, [w.shape[0] || 1, D]);
  return tidyAsked((): LinearAttentionResult<PerformerOptions> => {
    // A query's largest feature cancels; the keys' would have to be known before the sequence is.
    const ofQueries = (x: tf.Tensor4D) => positiveFeatures(x, w, scale, (e) => lessLargest(e, 3));
    const ofKeys = (x: tf.Tensor4D) => positiveFeatures(x, w, scale, (e) => tf.minimum(e, LARGEST));
    const result = featureAttention(op, [q, k, v], [ofQueries, ofKeys], rest);
    return result;
  });
}

/** e^{w·x′ − |x′|²/2} / √m [B, H, n, m], after `bound` has been at the exponents. */
function positiveFeatures(
  x: tf.Tensor4D,
  w: tf.Tensor2D,
  scale: number,
  bound: (exponents: tf.Tensor) => tf.Tensor,
): tf.Tensor4D {
  const [B, H, n, D] = x.shape;
  const m = w.shape[0];
  const scaled = tf.mul(x, Math.sqrt(scale));
  const along = tf.reshape(tf.matMul(tf.reshape(scaled, [B * H * n, D]), w, false, true), [B, H, n, m]);
  const exponents = tf.sub(along, tf.mul(tf.sum(tf.square(scaled), 3, true), 0.5));
  return tf.mul(tf.exp(bound(exponents)), 1 / Math.sqrt(m)) as tf.Tensor4D;
}

/**
 * Random directions that are orthogonal to one another, D at a time, each as long as a normal vector.
 *
 *     w_i = √χ²_D · u_i,    u_i·u_j = 0 for i ≠ j in one block of D
 *
 * Shapes: → [m, D]. Conventions: the same seed gives the same directions everywhere; each alone is a standard normal
 * vector, so the estimate stays unbiased, and together they cover the directions more evenly than independent ones.
 * Cost: O(m·D²), once. Paper: Choromanski et al. 2021, §2.4, arxiv.org/abs/2009.14794.
 *
 * @throws OptionError OPTION
 * @example
 * const w = orthogonalRandomFeatures(256, 64, { seed: 7 }); // [256, 64]
 */
export function orthogonalRandomFeatures(
  m: number,
  D: number,
  { seed = 0 }: { seed?: number } = {},
): tf.Tensor2D {
  const op = "orthogonalRandomFeatures";
  checkCount(op, "m", m);
  checkCount(op, "D", D);
  const random = new RandomStream(seed);
  const w = new Float32Array(m * D);
  for (let first = 0; first < m; first += D) {
    const block = orthogonalBlock(random, Math.min(D, m - first), D);
    for (const [i, unit] of block.entries()) {
      const length = Math.hypot(...random.fillNormal(new Float64Array(D)));
      w.set(
        unit.map((value) => value * length),
        (first + i) * D,
      );
    }
  }
  return tf.tensor2d(w, [m, D]);
}

/** Orthogonal unit vectors, uniformly distributed: normal ones by the method of Gram and Schmidt. */
function orthogonalBlock(random: RandomStream, rows: number, D: number): Float64Array[] {
  const block: Float64Array[] = [];
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
  while (block.length < rows) {
    const row = random.fillNormal(new Float64Array(D));
    for (const earlier of block) {
      const share = dot(row, earlier);
      for (let d = 0; d < D; d++) row[d]! -= share * earlier[d]!;
    }
    const length = Math.sqrt(dot(row, row));
    if (length > 1e-6) block.push(row.map((value) => value / length));
  }
  return block;
}
