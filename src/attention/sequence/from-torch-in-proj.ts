import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import type { MultiHeadParameters } from "./multi-head.ts";

/** Named as in the state dict of `nn.MultiheadAttention`, or as the arguments of `F.multi_head_attention_forward`. */
export interface TorchInProj {
  /** Of queries, keys and values below each other, [3·C, C]. @default the three below */
  in_proj_weight?: tf.Tensor2D;
  /** [C, C], with kdim or vdim. */
  q_proj_weight?: tf.Tensor2D;
  /** [C, kdim] */
  k_proj_weight?: tf.Tensor2D;
  /** [C, vdim] */
  v_proj_weight?: tf.Tensor2D;
  /** [3·C] @default none */
  in_proj_bias?: tf.Tensor1D;
  /** [C, C] */
  "out_proj.weight"?: tf.Tensor2D;
  /** [C] @default none */
  "out_proj.bias"?: tf.Tensor1D;
  /** The same by the function's name. */
  out_proj_weight?: tf.Tensor2D;
  /** The same by the function's name. */
  out_proj_bias?: tf.Tensor1D;
}

/**
 * The parameters of `multiHeadAttention` out of those of PyTorch's `nn.MultiheadAttention`.
 *
 *     wq[c, h, d] = W_q[h·D + d, c],    wo[h, d, c] = W_out[c, h·D + d],    D = C/H
 *
 * PyTorch keeps the transposed matrices, with the three input projections below each other in one unless kdim or vdim
 * differ from C. Returns new tensors, which the caller owns. `bias_k` and `bias_v` have no place here and are refused;
 * add_zero_attn is `sink: 0`. PyTorch's bool masks say what is hidden: `allow` is their negation.
 *
 * @throws OptionError OPTION when H does not divide C · ShapeError RANK, SHAPE when shapes disagree, a matrix is
 *   missing, or there is bias_k or bias_v
 * @example
 * const state = { in_proj_weight: tf.ones([12, 4]), "out_proj.weight": tf.ones([4, 4]) };
 * fromTorchInProj(state, 2).wq.shape; // [4, 2, 2]
 */
export function fromTorchInProj(state: TorchInProj, H: number): MultiHeadParameters & { wo: tf.Tensor3D } {
  const op = "fromTorchInProj";
  const { in_proj_weight: joint, in_proj_bias } = state;
  const out_proj_weight = state["out_proj.weight"] ?? state.out_proj_weight;
  const out_proj_bias = state["out_proj.bias"] ?? state.out_proj_bias;
  if (!out_proj_weight) {
    const rule = "out_proj.weight must be given";
    const remedy = "pass the state of one module, without the prefix of its name";
    throw new ShapeError("SHAPE", { op, rule, got: Object.keys(state).join(", ") || "nothing", remedy });
  }
  const C = out_proj_weight.shape[0];
  if (!(Number.isSafeInteger(H) && H > 0 && C % H === 0)) {
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "H", rule: `a divisor of the width C=${C}`, got: H }),
    );
  }
  const { bias_k, bias_v } = state as { bias_k?: unknown; bias_v?: unknown };
  if (bias_k || bias_v) {
    const rule = "bias_k and bias_v must not be given: no option adds a learned key and value";
    const remedy = "concatenate them to keys and values, after their projections";
    throw new ShapeError("SHAPE", { op, rule, got: "them", remedy });
  }
  const { q_proj_weight: q, k_proj_weight: k, v_proj_weight: v } = state;
  const apart = q && k && v && [q, k, v];
  if (!joint === !apart) {
    const rule = "in_proj_weight or q_proj_weight, k_proj_weight and v_proj_weight must be given";
    const remedy = "pass the one or the three that the module has";
    throw new ShapeError("SHAPE", { op, rule, got: Object.keys(state).join(", "), remedy });
  }
  checkTensors(op, [
    { name: "out_proj.weight", tensor: out_proj_weight, letters: "[C, C]", shape: [C, C] },
    ...(joint ? [{ name: "in_proj_weight", tensor: joint, letters: "[3·C, C]", shape: [3 * C, C] }] : []),
    ...(apart ?? []).map((tensor, n) => ({
      name: `${"qkv"[n]}_proj_weight`,
      tensor,
      letters: `[C, ${["C", "kdim", "vdim"][n]}]`,
      shape: [C, n === 0 ? C : tensor.shape[1]],
    })),
    ...(in_proj_bias
      ? [{ name: "in_proj_bias", tensor: in_proj_bias, letters: "[3·C]", shape: [3 * C] }]
      : []),
    ...(out_proj_bias ? [{ name: "out_proj.bias", tensor: out_proj_bias, letters: "[C]", shape: [C] }] : []),
  ]);
  const D = C / H;
  return tidy(() => {
    const [wq, wk, wv] = (apart ?? tf.split(joint!, 3, 0)).map((w) =>
      tf.reshape<tf.Rank.R3>(tf.transpose(w), [w.shape[1]!, H, D]),
    ) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const biases = in_proj_bias && tf.split(in_proj_bias, 3).map((b) => tf.reshape<tf.Rank.R2>(b, [H, D]));
    const wo = tf.reshape<tf.Rank.R3>(tf.transpose(out_proj_weight), [H, D, C]);
    return {
      wq,
      wk,
      wv,
      wo,
      ...(biases && { bq: biases[0]!, bk: biases[1]!, bv: biases[2]! }),
      ...(out_proj_bias && { bo: tf.clone(out_proj_bias) }),
    };
  });
}
