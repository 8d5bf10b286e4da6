import * as tf from "@tensorflow/tfjs-core";
import { checkFinite } from "../../core/check-options.ts";
import { attention } from "../../ops/attention.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkFeatures } from "./check.ts";
import { checkNonLocal, type NonLocalKind, type NonLocalParameters } from "./non-local-check.ts";
import { normalized } from "./norm.ts";

export type { NonLocalParameters } from "./non-local-check.ts";

export interface NonLocalOptions {
  /** How two positions are compared. @default "embeddedGaussian" */
  kind?: NonLocalKind;
  /** Factor of the scores, for the two Gaussian kinds. @default 1, as in the paper */
  scale?: number;
  /** Return the weights [B, N, N]. @default false */
  weights?: boolean;
}

export type NonLocalResult<T extends tf.Tensor, O> = { output: T } & Asked<O, "weights", tf.Tensor3D>;

/**
 * Non-local block: every position of an image reads all positions, and adds what it read to itself.
 *
 *     y_i = 1/N(x) Σ_j f(x_i, x_j) (W_g x_j + b_g),    out_i = x_i + norm(W_z y_i + b_z)
 *     embeddedGaussian  f = exp(scale·θ_iᵀφ_j)          N = Σ_j f      θ = W_θ x + b_θ
 *     gaussian          f = exp(scale·x_iᵀx_j)          N = Σ_j f      φ = W_φ x + b_φ
 *     dot               f = θ_iᵀφ_j                     N = positions
 *     concatenation     f = relu(w_fᵀ[θ_i ; φ_j])       N = positions
 *
 * Symbols: x features, i and j positions, N their number, weights f/N.
 * Shapes: x [B, …, C] with any positions ([B, H, W, C] images, [B, T, H, W, C] videos), W_θ, W_φ [C, D], W_g [C, Dv],
 * W_z [Dv, C], w_f [2·D] → output of x's shape, weights [B, N, N] where asked for.
 * Conventions: W_z = 0 and b_z = 0 make it the identity, bit for bit: begin there. The paper takes D = Dv = C/2 and no
 * scale; timm takes scale = C^(−½). The Gaussian kinds are soft attention over the positions, in one kernel on `heed`,
 * where the N×N weights never exist unless asked for. `dot` is Θ(ΦᵀG)/N where that is cheaper. Permuting positions
 * permutes the output. Cost: O(B·N²·(D + Dv)), `dot` at most O(B·N·D·Dv); concatenation holds N×N numbers.
 * Paper: Wang et al. 2018, §3, arxiv.org/abs/1711.07971.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION, CONFLICT
 * @draws
 * const level = (n) => (Math.abs(n - 2) < 1.5 ? 1 : n > 4 ? -1 : 0);
 * const x = tf.tensor4d(Array.from({ length: 24 }, (_, e) => level(e % 6)), [1, 4, 6, 1]);
 * const w = tf.fill([1, 1], 1.6);
 * return nonLocal(x, { wTheta: w, wPhi: w, wG: w, wZ: w }, { weights: true }).weights;
 * @example
 * const x = tf.randomNormal([2, 3, 5, 8], 0, 1, "float32", 1);
 * const [wTheta, wPhi, wG] = [2, 3, 4].map((seed) => tf.randomNormal([8, 4], 0, 1, "float32", seed));
 * const { output, weights } = nonLocal(x, { wTheta, wPhi, wG, wZ: tf.zeros([4, 8]) }, { weights: true });
 * tf.max(tf.abs(tf.sub(output, x))); // 0
 * weights.shape; // [2, 15, 15]
 */
export function nonLocal<T extends tf.Tensor, const O extends NonLocalOptions>(
  x: T,
  parameters: NonLocalParameters,
  options: O = {} as O,
): NonLocalResult<T, O> {
  const op = "nonLocal";
  const { kind = "embeddedGaussian", scale = 1 } = options;
  const C = checkFeatures(op, x, "[B, …, C]", 3);
  checkNonLocal(op, kind, parameters, C);
  checkFinite(op, "scale", scale);
  const { wG, bG, wZ, bZ, norm } = parameters;
  return tidyAsked((): NonLocalResult<T, NonLocalOptions> => {
    const positions = tf.reshape(x, [x.shape[0]!, -1, C]) as tf.Tensor3D;
    const g = linear(positions, wG, bG);
    const compare =
      kind === "embeddedGaussian" || kind === "gaussian" ? gaussian : kind === "dot" ? dot : concatenation;
    const { y, weights } = compare(positions, g, parameters, { ...options, kind, scale });
    const z = tf.reshape(linear(y, wZ, bZ), x.shape) as T;
    return { output: tf.add<T>(x, normalized(z, norm)), ...(weights && { weights }) };
  });
}

/** What the positions read, and by which weights where asked for. */
interface Read {
  y: tf.Tensor3D;
  weights?: tf.Tensor3D;
}

type Compare = (x: tf.Tensor3D, g: tf.Tensor3D, p: NonLocalParameters, options: NonLocalOptions) => Read;

const gaussian: Compare = (x, g, { wTheta, bTheta, wPhi, bPhi }, { kind, scale, weights }) => {
  const embedded = kind === "embeddedGaussian";
  const one = (t: tf.Tensor3D) => tf.expandDims<tf.Tensor4D>(t, 1);
  const theta = embedded ? linear(x, wTheta!, bTheta) : x;
  const phi = embedded ? linear(x, wPhi!, bPhi) : x;
  const read = attention(one(theta), one(phi), one(g), { scale, weights });
  const N = x.shape[1];
  return {
    y: tf.squeeze<tf.Tensor3D>(read.output, [1]),
    ...(read.weights && { weights: tf.reshape(read.weights, [-1, N, N]) as tf.Tensor3D }),
  };
};

const dot: Compare = (x, g, { wTheta, bTheta, wPhi, bPhi }, { weights }) => {
  const [theta, phi] = [linear(x, wTheta!, bTheta), linear(x, wPhi!, bPhi)];
  const [, N, D] = theta.shape;
  const Dv = g.shape[2];
  if (!weights && 2 * D * Dv < N * (D + Dv)) {
    return { y: tf.matMul(theta, tf.div<tf.Tensor3D>(tf.matMul(phi, g, true), N)) };
  }
  return readBy(tf.div(tf.matMul(theta, phi, false, true), N), g, weights);
};

const concatenation: Compare = (x, g, { wTheta, bTheta, wPhi, bPhi, wF }, { weights }) => {
  const [theta, phi] = [linear(x, wTheta!, bTheta), linear(x, wPhi!, bPhi)];
  const [, N, D] = theta.shape;
  const [left, right] = tf.split(tf.reshape(wF!, [2 * D, 1]), 2) as [tf.Tensor2D, tf.Tensor2D];
  // w_fᵀ[θ_i ; φ_j] is a sum of a number of i and a number of j: no pair is ever joined.
  const sums = tf.add(linear(theta, left), tf.reshape(linear(phi, right), [-1, 1, N]));
  return readBy(tf.div(tf.relu(sums as tf.Tensor3D), N), g, weights);
};

function readBy(weights: tf.Tensor3D, g: tf.Tensor3D, wanted: boolean | undefined): Read {
  return { y: tf.matMul(weights, g), ...(wanted && { weights }) };
}
