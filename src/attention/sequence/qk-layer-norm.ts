import type * as tf from "@tensorflow/tfjs-core";
import { checkChoice } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import {
  type AttentionOptions,
  type AttentionResult,
  compileAttention,
  runAttention,
} from "../../ops/attention/run.ts";
import { checkTensors } from "../../ops/check.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { project } from "./project.ts";

export interface QkLayerNormParameters {
  /** Of the queries, [D]. @default 1 */
  gammaQ?: tf.Tensor1D;
  /** Of the keys, [D]. @default 1 */
  gammaK?: tf.Tensor1D;
  /** [D] @default 0 */
  betaQ?: tf.Tensor1D;
  /** [D] @default 0 */
  betaK?: tf.Tensor1D;
}

export interface QkLayerNormOptions extends AttentionOptions {
  /** "layer" centres each vector and divides by its deviation; "rms" divides by its root mean square. @default "layer" */
  norm?: "layer" | "rms";
  /** Added to the variance inside the root; above 0. @default 1e-6 */
  epsilon?: number;
}

/**
 * Attention with layer normalisation of queries and keys, head by head: scores cannot grow as the weights do.
 *
 *     output_t = Σ_s softmax_s(scale · LN_q(q_t)·LN_k(k_s)) v_s,    LN(x) = γ ⊙ (x − mean) / √(variance + ε) + β
 *
 * Symbols: γ and β of width D, shared by all heads; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], gammas and betas [D] → output [B, H, T, Dv], weights
 * [B, H, T, S].
 * Conventions: with γ = 1 and β = 0 scores are within ±√D. `norm: "rms"` leaves the mean and has no β, as in Qwen3 and
 * Gemma 3. Every parameter may be left out; ViT-22B has γ alone. timm's `qk_norm` is this one. Other options as
 * `softAttention`'s, `layout` too. `qkNormAttention` is the form with unit vectors and a learned factor.
 * Cost: soft attention's, in the same kernel, and O(B·H·(T + S)·D), in the kernel of `layerNorm` or `rmsNorm`.
 * Paper: Dehghani et al. 2023, §2, arxiv.org/abs/2302.05442.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION · and what
 *   `attention` throws for its other options
 * @draws
 * // Queries and keys a hundred times too long: without the norm (left) every row is a single key.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.16, 0.31, 0.63, 0.9]));
 * const x = tf.reshape(tf.mul(tf.concat([tf.cos(at), tf.sin(at)], 1), 10), [1, 1, 12, 8]);
 * const both = [softAttention(x, x, x, { weights: true }), qkLayerNormAttention(x, x, x, {}, { weights: true })];
 * return tf.squeeze(tf.concat(both.map(({ weights }) => weights), 1), [0]);
 * @example
 * const parameters = { gammaQ: tf.ones([4]), gammaK: tf.ones([4]) };
 * qkLayerNormAttention(q, k, v, parameters, { causal: true }).output.shape; // [2, 3, 5, 7]
 */
export function qkLayerNormAttention<const O extends QkLayerNormOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  parameters: QkLayerNormParameters,
  options: O = {} as O,
): AttentionResult<O> {
  const { norm = "layer", epsilon = 1e-6, ...rest }: QkLayerNormOptions = options;
  const op = "qkLayerNormAttention";
  const { program, layout, asked } = compileAttention(op, { q, k, v }, rest);
  const { D } = program.shapes;
  checkChoice(op, "norm", norm, ["layer", "rms"]);
  if (!(epsilon > 0)) {
    throw new OptionError("OPTION", outOfRange({ op, name: "epsilon", rule: "above 0", got: epsilon }));
  }
  const { gammaQ, gammaK, betaQ, betaK } = parameters;
  if (norm === "rms" && (betaQ || betaK)) {
    const [rule, remedy] = ['norm: "rms" has no betaQ and betaK', 'leave them out, or use norm: "layer"'];
    throw new OptionError("CONFLICT", { op, rule, got: "one of them", remedy });
  }
  const given = Object.entries({ gammaQ, gammaK, betaQ, betaK }).filter((entry) => entry[1]) as [
    string,
    tf.Tensor,
  ][];
  checkTensors(
    op,
    given.map(([name, tensor]) => ({ name, tensor, letters: "[D]", shape: [D] })),
  );
  const normalize = (x: tf.Tensor4D, gamma?: tf.Tensor1D, beta?: tf.Tensor1D) =>
    norm === "rms" ? rmsNorm(x, gamma, { epsilon }) : layerNorm(x, gamma, beta, { epsilon });
  return tidyAsked((): AttentionResult<AttentionOptions> => {
    const query = project(program, q, (x) => normalize(x, gammaQ, betaQ), asked.finite);
    const key = project(program, k, (x) => normalize(x, gammaK, betaK), asked.finite);
    return runAttention(program, layout, { q: query, k: key, v }, asked);
  });
}
