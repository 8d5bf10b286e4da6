import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkPositive } from "../../core/check-options.ts";
import { writeSinusoids } from "./sinusoids.ts";

export interface SinusoidalOptions {
  /** The longest wavelength is 2π·base positions; a positive number. @default 10000 */
  base?: number;
  /** The position of the first row, as with a cache of earlier ones; an integer ≥ 0. @default 0 */
  offset?: number;
}

/**
 * Sinusoidal positional encoding: every position its own set of phases, of wavelengths from 2π to 2π·base.
 *
 *     PE(t, 2i) = sin(t / base^(2i/C)),    PE(t, 2i+1) = cos(t / base^(2i/C))
 *
 * Symbols: t a position, i a pair of channels, C the model's width.
 * Shapes: → [T, C], to be added to embeddings [B, T, C].
 * Conventions: sine and cosine alternate, as in the paper (tensor2tensor put all sines first); with an odd C the last
 * channel is a sine. PE(t + n) is a rotation of PE(t) that depends on n alone. No parameters.
 * Cost: O(T·C).
 * Paper: Vaswani et al. 2017, §3.5, arxiv.org/abs/1706.03762.
 *
 * @throws OptionError OPTION
 * @draws
 * return sinusoidalEncoding(24, 24, { base: 60 });
 * @example
 * sinusoidalEncoding(2, 4); // [[0, 1, 0, 1], [0.8415, 0.5403, 0.01, 0.9999]]
 */
export function sinusoidalEncoding(
  T: number,
  C: number,
  { base = 10_000, offset = 0 }: SinusoidalOptions = {},
): tf.Tensor2D {
  const op = "sinusoidalEncoding";
  checkCount(op, "T", T);
  checkCount(op, "C", C);
  checkCount(op, "offset", offset, 0);
  checkPositive(op, "base", base);
  const rows = new Float32Array(T * C);
  for (let t = 0; t < T; t++) writeSinusoids(rows, t * C, C, t + offset, base);
  return tf.tensor2d(rows, [T, C]);
}
