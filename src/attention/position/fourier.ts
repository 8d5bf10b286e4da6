import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { size } from "../../core/notation.ts";

/**
 * Fourier encoding of positions on any number of axes: of a sequence, an image, a video.
 *
 *     PE(x_1, …, x_A) = [x_a, sin(π f_k x_a), cos(π f_k x_a)] of every axis a and band k
 *     x_a = (2n + 1)/N_a − 1,    f_k = 1 + k·(N_a/2 − 1)/(K − 1)
 *
 * Symbols: n a position of N_a along axis a, x_a the same from −1 to 1; K `bands`, f_k from 1 to the Nyquist frequency N_a/2.
 * Shapes: shape [N_1, …, N_A] → [N_1, …, N_A, A·(2·K + 1)], to be put beside features.
 * Conventions: frequencies lie on a line, where those of `sinusoidalEncoding` are powers; one band has f = 1, and an axis
 * shorter than 2 positions f = 1 in all. No parameters. Cost: O(N_1 ⋯ N_A · A·K).
 * Papers: Jaegle et al. 2021 (Perceiver), §3.2, arxiv.org/abs/2103.03206; Mildenhall et al. 2020, §5.1,
 * arxiv.org/abs/2003.08934.
 *
 * @throws OptionError OPTION
 * @draws
 * return fourierEncoding([24], 11);
 * @example
 * fourierEncoding([2], 1); // [[-0.5, -1.000, 0.000], [0.5, 1.000, 0.000]]
 * fourierEncoding([5, 7], 3).shape; // [5, 7, 14]
 */
export function fourierEncoding(shape: readonly number[], bands: number): tf.Tensor {
  const op = "fourierEncoding";
  if (shape.length === 0 || shape.some((n) => !(Number.isSafeInteger(n) && n >= 1))) {
    const rule = "shape must be one integer ≥ 1 for each axis";
    const remedy = "a sequence has one axis, an image two";
    throw new OptionError("OPTION", { op, rule, got: `[${shape.join(", ")}]`, remedy });
  }
  checkCount(op, "bands", bands);
  const width = 2 * bands + 1;
  const cells = size(shape);
  const out = new Float32Array(cells * shape.length * width);
  for (let cell = 0; cell < cells; cell++) {
    let rest = cell;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const N = shape[axis]!;
      const x = (2 * (rest % N) + 1) / N - 1;
      rest = Math.floor(rest / N);
      const start = (cell * shape.length + axis) * width;
      out[start] = x;
      for (let k = 0; k < bands; k++) {
        const frequency = bands === 1 ? 1 : 1 + (k * (Math.max(1, N / 2) - 1)) / (bands - 1);
        out[start + 1 + k] = Math.sin(Math.PI * frequency * x);
        out[start + 1 + bands + k] = Math.cos(Math.PI * frequency * x);
      }
    }
  }
  return tf.tensor(out, [...shape, shape.length * width]);
}
