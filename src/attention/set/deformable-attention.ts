import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors, type Expected } from "../../ops/check.ts";
import { gridSample } from "../../ops/grid-sample.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { fromHeads, toHeads } from "../sequence/project.ts";

export interface DeformableAttentionParameters {
  /** From a query to its offsets, [C, H, L, P, 2], x before y. */
  wOffset: tf.Tensor;
  /** [H, L, P, 2] @default zeros */
  bOffset?: tf.Tensor | undefined;
  /** From a query to the scores of its points, [C, H, L, P]. */
  wScore: tf.Tensor;
  /** [H, L, P] @default zeros */
  bScore?: tf.Tensor | undefined;
  /** [Cv, H, Dv] */
  wv: tf.Tensor3D;
  /** [H, Dv] @default none */
  bv?: tf.Tensor2D | undefined;
  /** [H, Dv, Cout] */
  wo: tf.Tensor3D;
  /** [Cout] @default none */
  bo?: tf.Tensor1D | undefined;
}

export interface DeformableAttentionInputs {
  /** [B, T, C] */
  query: tf.Tensor3D;
  /** Where each query looks from, as shares of the image, x before y, [B, T, 2]; 0 and 1 are the outer edges. */
  references: tf.Tensor3D;
  /** The levels of a pyramid of features, L of them, each [B, H_l, W_l, Cv]. */
  levels: readonly tf.Tensor4D[];
}

export interface DeformableAttentionOptions {
  /** Return the weights [B, T, H, L, P]. @default false */
  weights?: boolean;
  /** Return where the points are, [B, T, H, L, P, 2], as shares of the image. @default false */
  locations?: boolean;
}

export type DeformableAttentionResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor5D> &
  Asked<O, "locations", tf.Tensor<tf.Rank.R6>>;

/**
 * Deformable attention: each query reads a few points of a pyramid of images, at places that it chooses.
 *
 *     offset_hlp = query·wOffset + bOffset,    A = softmax over l and p of (query·wScore + bScore)
 *     location_hlp = reference + offset_hlp / (W_l, H_l)
 *     head_h = Σ_l Σ_p A_hlp · (level_l·wv_h + bv_h)[location_hlp],    output = [head_1; …; head_H]·wo + bo
 *
 * Symbols: h heads, l levels, p points of each head on each level; […] bilinear sampling; offsets are in pixels of the level.
 * Shapes: query [B, T, C], references [B, T, 2], levels [B, H_l, W_l, Cv] → output [B, T, Cout], weights [B, T, H, L, P],
 * locations [B, T, H, L, P, 2].
 * Conventions: as the authors' code: a location of 0 and 1 is an outer edge (`alignCorners: false`), the centre of pixel n is
 * (n + ½)/W, and outside the image are zeros. The weights of a head sum to 1 over all its points. Begin with wOffset and
 * wScore 0 and `deformableDirections` as bOffset: then the heads look in H directions. Differentiable in everything, the
 * references too.
 * Cost: O(B·Σ_l H_l·W_l·Cv·H·Dv + B·T·H·L·P·(C + Dv)): it grows with the image, not with its square.
 * Paper: Zhu et al. 2020 (Deformable DETR), §4.1, eq. 3, arxiv.org/abs/2010.04159.
 *
 * @throws ShapeError RANK, SHAPE
 * @draws
 * // Where one query in the middle of a 24 × 24 image reads it: eight heads, four points each, as they begin.
 * const [H, P, n] = [8, 4, 24];
 * const zeros = { wOffset: tf.zeros([1, H, 1, P, 2]), wScore: tf.zeros([1, H, 1, P]) };
 * const parameters = { ...zeros, bOffset: deformableDirections(H, 1, P), wv: tf.ones([1, H, 1]), wo: tf.ones([H, 1, 1]) };
 * const inputs = { query: tf.ones([1, 1, 1]), references: tf.fill([1, 1, 2], 0.5) };
 * const read = (image) => tf.sum(deformableAttention({ ...inputs, levels: [image] }, parameters).output);
 * return tf.reshape(tf.grad(read)(tf.ones([1, n, n, 1])), [n, n]);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const parameters = { wOffset: w(4, 3, 2, 5, 2), wScore: w(4, 3, 2, 5), wv: w(7, 3, 2), wo: w(3, 2, 4) };
 * const references = tf.randomUniform([2, 3, 2], 0, 1, "float32", 1);
 * const levels = [w(2, 11, 13, 7), w(2, 5, 6, 7)];
 * const { output, weights } = deformableAttention({ query: queries, references, levels }, parameters, { weights: true });
 * output.shape; // [2, 3, 4]
 * weights.shape; // [2, 3, 3, 2, 5]
 */
export function deformableAttention<const O extends DeformableAttentionOptions>(
  { query, references, levels }: DeformableAttentionInputs,
  parameters: DeformableAttentionParameters,
  options: O = {} as O,
): DeformableAttentionResult<O> {
  const op = "deformableAttention";
  const { B, T, C, H, L, P, Dv } = checkDeformable(op, { query, references, levels }, parameters);
  const { wOffset, bOffset, wScore, bScore, wv, bv, wo, bo } = parameters;
  const { weights: wantsWeights, locations: wantsLocations }: DeformableAttentionOptions = options;
  const flat = (t: tf.Tensor | undefined) => t && (tf.reshape(t, [t.size]) as tf.Tensor1D);
  return tidyAsked((): DeformableAttentionResult<DeformableAttentionOptions> => {
    const offsets = linear(query, tf.reshape(wOffset, [C, H * L * P * 2]), flat(bOffset));
    const scores = linear(query, tf.reshape(wScore, [C, H * L * P]), flat(bScore));
    const weights = tf.reshape(tf.softmax(tf.reshape(scores, [B, T, H, L * P])), [B, T, H, L, P]);
    const sizes = tf.tensor(
      levels.flatMap(({ shape: [, rows, columns] }) => [columns, rows]),
      [L, 1, 2],
    );
    const locations = tf.add(
      tf.reshape(references, [B, T, 1, 1, 1, 2]),
      tf.div(tf.reshape(offsets, [B, T, H, L, P, 2]), sizes),
    ) as tf.Tensor<tf.Rank.R6>;
    // Heads are examples of the sampler: its grids run from −1 to 1.
    const byHead = tf.transpose(tf.sub(tf.mul(locations, 2), 1), [0, 2, 3, 1, 4, 5]);
    const grids = tf.unstack(tf.reshape(byHead, [B * H, L, T, P, 2]), 1) as tf.Tensor4D[];
    const points = levels.map((level, l) => {
      const [, rows, columns, Cv] = level.shape;
      const values = toHeads(tf.reshape(level, [B, rows * columns, Cv]), wv, bv);
      const image = tf.reshape(tf.transpose(values, [0, 2, 1, 3]), [B * H, rows, columns, Dv]) as tf.Tensor4D;
      return gridSample(image, grids[l]!, { alignCorners: false });
    });
    const sampled = tf.reshape(tf.concat(points, 2), [B, H, T, L * P, Dv]);
    const shares = tf.reshape(tf.transpose(weights, [0, 2, 1, 3, 4]), [B, H, T, 1, L * P]);
    const heads = tf.transpose(tf.reshape(tf.matMul(shares, sampled), [B, H, T, Dv]), [0, 2, 1, 3]);
    return {
      output: fromHeads(heads as tf.Tensor4D, wo, bo),
      ...(wantsWeights && { weights: weights as tf.Tensor5D }),
      ...(wantsLocations && { locations }),
    };
  });
}

/**
 * The biases of offsets that deformable attention begins with: each head looks in a direction of its own, its points one
 * after the other.
 *
 *     bOffset_hlp = (p + 1)·(cos θ_h, sin θ_h) / max(|cos θ_h|, |sin θ_h|),    θ_h = 2π·h/H
 *
 * Symbols: h, l, p count from 0. Shapes: → [H, L, P, 2], in pixels, x before y.
 * Conventions: on the square around the query, not the circle: with 8 heads these are its eight neighbours.
 * Cost: O(H·L·P). Paper: Zhu et al. 2020 (Deformable DETR), appendix A.4, arxiv.org/abs/2010.04159.
 *
 * @example
 * tf.squeeze(deformableDirections(4, 1, 1)); // [[1.000, 0.000], [0.000, 1.000], [-1.000, 0.000], [0.000, -1.000]]
 */
export function deformableDirections(H: number, L: number, P: number): tf.Tensor4D {
  const offsets = new Float32Array(H * L * P * 2);
  for (let e = 0; e < H * L * P; e++) {
    const angle = (2 * Math.PI * Math.floor(e / (L * P))) / H;
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    const length = ((e % P) + 1) / Math.max(Math.abs(x), Math.abs(y));
    offsets[2 * e] = x * length;
    offsets[2 * e + 1] = y * length;
  }
  return tf.tensor4d(offsets, [H, L, P, 2]);
}

function checkDeformable(
  op: string,
  { query, references, levels }: DeformableAttentionInputs,
  { wOffset, bOffset, wScore, bScore, wv, bv, wo, bo }: DeformableAttentionParameters,
) {
  checkRank(op, "query [B, T, C]", query, 3);
  checkRank(op, "wScore [C, H, L, P]", wScore, 4);
  checkRank(op, "wv [Cv, H, Dv]", wv, 3);
  checkRank(op, "wo [H, Dv, Cout]", wo, 3);
  const [B, T, C] = query.shape;
  const [, H, L, P] = wScore.shape as [number, number, number, number];
  const [Cv, , Dv] = wv.shape;
  const Cout = wo.shape[2];
  if (levels.length !== L) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `levels must be L=${L} images, as many as wScore [C, H, L, P] has`,
      got: levels.length,
      remedy: "give every level of the pyramid, or make the parameters for these",
    });
  }
  const of = (name: string, tensor: tf.Tensor, letters: string, ...shape: number[]): Expected => ({
    ...{ name, tensor, letters, shape },
  });
  for (const [l, level] of levels.entries()) checkRank(op, `levels[${l}] [B, H_l, W_l, Cv]`, level, 4);
  checkTensors(op, [
    of("references", references, "[B, T, 2]", B, T, 2),
    ...levels.map((level, l) =>
      of(`levels[${l}]`, level, "[B, H_l, W_l, Cv]", B, level.shape[1], level.shape[2], Cv),
    ),
    of("wOffset", wOffset, "[C, H, L, P, 2]", C, H, L, P, 2),
    ...(bOffset ? [of("bOffset", bOffset, "[H, L, P, 2]", H, L, P, 2)] : []),
    of("wScore", wScore, "[C, H, L, P]", C, H, L, P),
    ...(bScore ? [of("bScore", bScore, "[H, L, P]", H, L, P)] : []),
    of("wv", wv, "[Cv, H, Dv]", Cv, H, Dv),
    ...(bv ? [of("bv", bv, "[H, Dv]", H, Dv)] : []),
    of("wo", wo, "[H, Dv, Cout]", H, Dv, Cout),
    ...(bo ? [of("bo", bo, "[Cout]", Cout)] : []),
  ]);
  return { B, T, C, H, L, P, Dv };
}
