import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkPositive } from "../../core/check-options.ts";
import { offsetOfQueries } from "./relative.ts";

export interface AlibiOptions {
  /** The key position of query 0. @default 0 where T = S; needed elsewhere */
  queryOffset?: number;
  /** The last head's slope is 2^(−most). @default 8 */
  most?: number;
}

/**
 * The slopes of ALiBi's heads: a geometric sequence from 2^(−8/H) to 2^(−8).
 *
 *     m_h = 2^(−most·(h+1)/H)                                H a power of two
 *     m = slopes(P), then every second one of slopes(2P)  else, P the largest power of two below H
 *
 * Symbols: H heads; most = 8 in the paper.
 * Shapes: → H numbers.
 * Conventions: other numbers of heads as in the authors' code.
 * Cost: O(H).
 * Paper: Press, Smith & Lewis 2021, §3, arxiv.org/abs/2108.12409.
 *
 * @throws OptionError OPTION
 * @example
 * alibiSlopes(4); // [0.25, 0.0625, 0.015625, 0.00390625]
 */
export function alibiSlopes(H: number, most = 8): number[] {
  checkCount("alibiSlopes", "H", H);
  checkPositive("alibiSlopes", "most", most);
  const power = 2 ** Math.floor(Math.log2(H));
  const slopes = (n: number) => Array.from({ length: n }, (_, h) => 2 ** ((-most * (h + 1)) / n));
  const between = slopes(2 * power).filter((_, h) => h % 2 === 0);
  return [...slopes(power), ...between.slice(0, H - power)];
}

/**
 * ALiBi: the further away a key, the lower its score, by a slope of each head's own.
 *
 *     bias(h, i, j) = −m_h · |i + offset − j|
 *
 * Symbols: m_h a head's slope; i a query, which stands at i + offset; j a key.
 * Shapes: → [1, H, T, S], which is the `bias` of the op `attention`.
 * Conventions: the distance counts both ways; with causality only keys before are seen, and it is the paper's bias.
 * Nothing is learned. Where T ≠ S the offset must be given.
 * Cost: O(H·T·S); `alibiKeyBias` takes O(H·S) for causal attention.
 * Paper: Press, Smith & Lewis 2021, §3, arxiv.org/abs/2108.12409.
 *
 * @throws OptionError OPTION, CONFLICT
 * @draws
 * return alibiBias(4, 12, 12);
 * @example
 * tf.reshape(alibiBias(1, 2, 2), [2, 2]); // [[0, -0.00390625], [-0.00390625, 0]]
 */
export function alibiBias(
  H: number,
  T: number,
  S: number,
  { queryOffset, most }: AlibiOptions = {},
): tf.Tensor4D {
  const op = "alibiBias";
  for (const [name, n] of Object.entries({ H, T, S })) checkCount(op, name, n);
  const offset = offsetOfQueries(op, T, S, queryOffset);
  const bias = new Float32Array(H * T * S);
  for (const [h, slope] of alibiSlopes(H, most).entries()) {
    for (let i = 0; i < T; i++) {
      const row = (h * T + i) * S;
      for (let j = 0; j < S; j++) bias[row + j] = -slope * Math.abs(i + offset - j);
    }
  }
  return tf.tensor4d(bias, [1, H, T, S]);
}

/**
 * ALiBi for causal attention in one row: the same weights, without T × S numbers.
 *
 *     bias(h, j) = −m_h · (S − 1 − j) = −m_h · (i + offset − j) + a number of the row's own
 *
 * Symbols: as in `alibiBias`.
 * Shapes: → [1, H, 1, S], which is the `bias` of the op `attention`.
 * Conventions: for causal attention alone. A softmax does not see what is added to a whole row, so weights and output
 * are those of `alibiBias` but for rounding (2⁻²⁴ of m_h·S); the log-sum-exp is another.
 * Cost: O(H·S).
 * Paper: Press, Smith & Lewis 2021, arxiv.org/abs/2108.12409; their code does this.
 *
 * @throws OptionError OPTION
 * @draws
 * return alibiKeyBias(6, 24);
 * @example
 * tf.reshape(alibiKeyBias(1, 3), [3]); // [-0.0078125, -0.00390625, 0]
 */
export function alibiKeyBias(H: number, S: number): tf.Tensor4D {
  const op = "alibiKeyBias";
  for (const [name, n] of Object.entries({ H, S })) checkCount(op, name, n);
  const rows = alibiSlopes(H).map((slope) => Array.from({ length: S }, (_, j) => -slope * (S - 1 - j)));
  return tf.tensor4d(Float32Array.from(rows.flat()), [1, H, 1, S]);
}
