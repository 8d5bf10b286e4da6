import * as tf from "@tensorflow/tfjs-core";
import { checkPadding, checkSameLength, checkSequences, checkShape, type PaddingOptions } from "./check.ts";
import { lowerOnes } from "./chunked-state.ts";
import { hide, lessLargest, mixPositions, quotient } from "./numerics.ts";
import { powerSums } from "./power-sums.ts";
import { withoutStray } from "./recurrence-form.ts";

export interface AftParameters {
  /** A logit for each pair of positions; without it only the keys weigh (AFT-simple). [T, S] @default zeros */
  w?: tf.Tensor2D;
}

export interface AftOptions extends PaddingOptions {
  /** Position t reads those up to t; T must be S. @default false */
  causal?: boolean;
  /** Promise that all inputs are finite, where causal. @default false */
  finite?: boolean;
}

/**
 * The attention-free transformer: every column is its own mean of the values, gated by the query; no products of
 * queries and keys.
 *
 *     out_t = σ(q_t) ⊙ Σ_s e^{k_s + w_ts} ⊙ v_s / Σ_s e^{k_s + w_ts},    over all s, or s ≤ t where causal
 *
 * Symbols: w learned logits of pairs of positions (AFT-full), or none (AFT-simple).
 * Shapes: q [B, H, T, D], k and v [B, H, S, D], w [T, S] → output [B, H, T, D].
 * Conventions: heads are only more columns. Exponents are relative to the column's largest visible key, which cancels;
 * with w that is the largest of all positions, where causal too: beside it, keys less by 87 or more weigh 0. A query
 * without a visible key gives 0; NaN in hidden places leaks nowhere; where causal, a key or value that is not finite
 * makes the outputs of its head NaN from its position on, and none before.
 * Cost: O(n·D) without w; O(n·log n·D) where that is causal and keys differ by more than 64; with it O(T·S·D) time, and
 * memory for T×S numbers of w alone, not for each example and head.
 * Paper: Zhai et al. 2021, §3, arxiv.org/abs/2105.14103.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · OptionError OPTION, DTYPE
 * @draws
 * const w = tf.tensor2d(Array.from({ length: 256 }, (_, e) => -Math.abs(Math.floor(e / 16) - (e % 16)) / 2), [16, 16]);
 * const one = tf.reshape(tf.eye(16), [1, 1, 16, 16]); // so the output is the weights
 * const keys = tf.mul(tf.ones([1, 1, 16, 16]), tf.reshape(tf.sin(tf.range(0, 16)), [1, 1, 16, 1]));
 * return aftAttention(tf.zeros([1, 1, 16, 16]), keys, one, { w }).output;
 * @example
 * const w = tf.zeros([5, 5]);
 * const { output } = aftAttention(q, k, k, { w }, { causal: true }); // [B, H, T, D]
 */
export function aftAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { w }: AftParameters = {},
  options: AftOptions = {},
): { output: tf.Tensor4D } {
  const op = "aftAttention";
  const shapes = checkSequences(op, q, k, v);
  const { B, H, T, S, D } = shapes;
  const { causal = false, finite = false } = options;
  checkShape(op, "k [B, H, S, D]", k, [B, H, S, D]);
  checkShape(op, "v [B, H, S, D]", v, [B, H, S, D]);
  if (w) checkShape(op, "w [T, S]", w, [T, S]);
  if (causal) checkSameLength(op, shapes);
  const padding = checkPadding(op, shapes, options);
  return tf.tidy(() => {
    const kept = padding();
    const inputs = { keys: hide(k, kept.keys), values: hide(v, kept.keys) };
    const run = ({ keys, values }: { keys?: tf.Tensor; values?: tf.Tensor }) => {
      const visible = kept.keys ? tf.where(kept.keys, keys!, Number.NEGATIVE_INFINITY) : keys!;
      const [sums, totals] =
        causal && !w
          ? powerSums(visible as tf.Tensor4D, values as tf.Tensor4D)
          : allSums(visible as tf.Tensor4D, values as tf.Tensor4D, w, causal);
      return { output: quotient(sums, totals) };
    };
    const { output } = causal ? withoutStray(inputs, finite, run) : run(inputs);
    const gated = tf.mul(tf.sigmoid(hide(q, kept.queries)), output) as tf.Tensor4D;
    return { output: hide(gated, kept.queries) };
  });
}

/** Σ_s e^{k_s + w_ts} v_s and Σ_s e^{k_s + w_ts} over what t reads [B, H, T or 1, D], but for factors that cancel. */
function allSums(
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  w: tf.Tensor2D | undefined,
  causal: boolean,
): [tf.Tensor4D, tf.Tensor4D] {
  const powers = tf.exp(lessLargest(keys, 2));
  const summed = tf.concat([tf.mul(powers, values), powers], 3) as tf.Tensor4D;
  return tf.split(w ? weighPositions(summed, w, causal) : tf.sum(summed, 2, true), 2, 3) as [
    tf.Tensor4D,
    tf.Tensor4D,
  ];
}

/** Σ_s e^{w_ts} x_s over what t reads [B, H, T, D]; each t has a factor of its own, which cancels. */
function weighPositions(x: tf.Tensor4D, w: tf.Tensor2D, causal: boolean): tf.Tensor4D {
  const logits = causal ? tf.add(w, tf.log(lowerOnes(w.shape[0]))) : w;
  return mixPositions(x, tf.transpose(tf.exp(lessLargest(logits, 1))) as tf.Tensor2D);
}
