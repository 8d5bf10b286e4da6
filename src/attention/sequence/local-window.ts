import type * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";

export interface LocalWindowOptions extends Omit<AttentionOptions, "window"> {
  /** Keys seen before a query's own position: an integer ≥ 0, or Infinity. */
  left: number;
  /** Keys seen after a query's own position: an integer ≥ 0, or Infinity. */
  right: number;
}

/**
 * Local attention in a window: every query reads its neighbourhood only.
 *
 *     output_t = Σ_s softmax_s(scale · q_t·k_s) v_s,    −left ≤ s − (t + offset) ≤ right
 *
 * 1. A key inside the window may be attended to. 2. A query whose window holds no key (beyond the keys) gives 0, not
 * NaN. 3. When T ≠ S, `queryOffset` must say at which key query 0 stands: 0 aligns the top left corner, S − T the bottom
 * right. 4. `left` and `right` do not count the query's own position: left + right + 1 keys are seen.
 *
 *     left = 1, right = 0      left = 1, right = 1
 *     1 0 0 0                  1 1 0 0
 *     1 1 0 0                  1 1 1 0
 *     0 1 1 0                  0 1 1 1
 *     0 0 1 1                  0 0 1 1
 *
 * Symbols: offset = queryOffset, 0 where T = S; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], weights [B, H, T, S] on request.
 * Conventions: equals dense attention with `windowMask(T, S, { left, right })`, which is never made. Weights outside
 * are exactly 0. The window is fixed; `luongLocalAttention` predicts where it stands. Other options as
 * `softAttention`'s.
 * Cost: O(B·H·T·(left + right + 1)·(D + Dv)) time and O(T + S) memory on `heed`: blocks outside the window are skipped.
 * Elsewhere, and where weights are asked for, O(T·S). Papers: Child et al. 2019, arxiv.org/abs/1904.10509; Beltagy,
 * Peters & Cohan 2020, §3.1, arxiv.org/abs/2004.05150, whose w is left + right.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION, CONFLICT · and what
 *   `attention` throws for its other options
 * @draws
 * const at = tf.outerProduct(tf.range(0, 20), tf.tensor1d([0.16, 0.31, 0.63]));
 * const x = tf.reshape(tf.concat([tf.cos(at), tf.sin(at)], 1), [1, 1, 20, 6]);
 * return tf.squeeze(localWindowAttention(x, x, x, { left: 4, right: 2, weights: true }).weights);
 * @example
 * const { output, weights } = localWindowAttention(q, k, v, { left: 1, right: 0, weights: true });
 * tf.slice(weights, [0, 0, 0, 0], [1, 1, 1, 5]); // [[[[1, 0, 0, 0, 0]]]]
 */
export function localWindowAttention<const O extends LocalWindowOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O,
): AttentionResult<O> {
  const { left, right, ...rest }: LocalWindowOptions = options;
  const op = "localWindowAttention";
  if (left === undefined || right === undefined) {
    const got = `left ${left} and right ${right}`;
    const remedy = "Infinity leaves a side open";
    throw new OptionError("OPTION", { op, rule: "left and right must be given", got, remedy });
  }
  return tidyAsked(() => attention(q, k, v, { ...rest, window: { left, right } }, op));
}
