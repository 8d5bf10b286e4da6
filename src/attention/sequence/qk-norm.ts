import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { show } from "../../core/notation.ts";
import {
  type AttentionOptions,
  type AttentionResult,
  compileAttention,
  runAttention,
} from "../../ops/attention/run.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { project } from "./project.ts";
import { unit } from "./unit.ts";

export interface QkNormParameters {
  /** The factor of the cosines: a scalar, or one per head [H]. */
  g: tf.Scalar | tf.Tensor1D;
}

export interface QkNormOptions extends Omit<AttentionOptions, "scale"> {
  /** Added to the squared lengths; above 0. @default 1e-12 */
  epsilon?: number;
}

/**
 * Query-key normalisation: scores are cosines times a learned factor, so their size is learned and nothing else is.
 *
 *     output_t = Σ_s softmax_s(g · q̂_t·k̂_s) v_s,    x̂ = x / ‖x‖
 *
 * Symbols: g learned. The paper starts it at log₂(L² − L), L the length that 97.5 % of the sequences do not pass.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], g [] or [H] → output [B, H, T, Dv], weights [B, H, T,
 * S].
 * Conventions: scores are within ±|g|, whatever the size of q and k. ‖x‖ is √(Σ x² + ε), so a vector of zeros has score
 * 0. There is no other scale. Other options as `softAttention`'s, `layout` too. `qkLayerNormAttention` is the form of
 * large vision models.
 * Cost: soft attention's, in the same kernel, and O(B·H·(T + S)·D) for the lengths.
 * Paper: Henry et al. 2020, §3, arxiv.org/abs/2010.04245.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION · and what `attention` throws
 *   for its other options
 * @draws
 * // Keys of very different sizes: the long ones do not win. Factors 2, 6 and 18.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const x = tf.concat([tf.cos(at), tf.sin(at)], 1);
 * const k = tf.reshape(tf.mul(x, tf.reshape(tf.linspace(0.1, 30, 12), [12, 1])), [1, 1, 12, 8]);
 * const q = tf.tile(tf.reshape(x, [1, 1, 12, 8]), [1, 3, 1, 1]);
 * return tf.squeeze(qkNormAttention(q, k, k, { g: tf.tensor1d([2, 6, 18]) }, { weights: true }).weights, [0]);
 * @example
 * const g = tf.variable(tf.scalar(Math.log2(5 ** 2 - 5)));
 * qkNormAttention(q, k, v, { g }, { causal: true }).output.shape; // [2, 3, 5, 7]
 */
export function qkNormAttention<const O extends QkNormOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { g }: QkNormParameters,
  options: O = {} as O,
): AttentionResult<O> {
  const { epsilon = 1e-12, ...rest }: QkNormOptions = options;
  const op = "qkNormAttention";
  const { program, layout, asked } = compileAttention(op, { q, k, v }, { ...rest, scale: 1 });
  const { H } = program.shapes;
  if (g.shape.length > 1 || (g.shape.length === 1 && g.shape[0] !== H)) {
    const rule = `g must have shape [] or [H] = [${H}]`;
    throw new ShapeError("SHAPE", {
      op,
      rule,
      got: show(g.shape),
      remedy: "give one factor, or one per query head",
    });
  }
  if (!(epsilon > 0)) {
    throw new OptionError("OPTION", outOfRange({ op, name: "epsilon", rule: "above 0", got: epsilon }));
  }
  return tidyAsked((): AttentionResult<AttentionOptions> => {
    const factor = g.shape.length === 0 ? g : tf.reshape(g, layout === "bhtd" ? [H, 1, 1] : [H, 1]);
    const query = project(program, q, (x) => tf.mul<tf.Tensor4D>(unit(x, epsilon), factor), asked.finite);
    const key = project(program, k, (x) => unit(x, epsilon), asked.finite);
    return runAttention(program, layout, { q: query, k: key, v }, asked);
  });
}
