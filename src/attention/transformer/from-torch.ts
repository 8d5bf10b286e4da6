import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { tidy } from "../../ops/tidy.ts";
import { fromTorchInProj } from "../sequence/from-torch-in-proj.ts";
import type { MultiHeadParameters } from "../sequence/multi-head.ts";
import type { FeedForwardParameters, NormParameters } from "./block.ts";
import type { TransformerDecoderParameters } from "./decoder-layer.ts";
import type { TransformerEncoderParameters } from "./encoder-layer.ts";

/** Tensors by PyTorch's names: `self_attn.in_proj_weight`, `linear1.weight`, `norm1.bias`. */
export type TorchState = Readonly<Record<string, tf.Tensor>>;

/**
 * The parameters of `transformerEncoderLayer` out of the state dict of PyTorch's `nn.TransformerEncoderLayer`.
 *
 * Without biases where the module has none (`bias=False`). Returns new tensors, which the caller owns; `norm_first`,
 * `activation` and `layer_norm_eps` are no part of a state and go into the options.
 *
 * @param H PyTorch's nhead
 * @throws ShapeError SHAPE when a name is missing · and what `fromTorchInProj` throws
 * @example
 * const [C, F] = [4, 8];
 * const state = {
 *   "self_attn.in_proj_weight": tf.ones([3 * C, C]), "self_attn.out_proj.weight": tf.ones([C, C]),
 *   "linear1.weight": tf.ones([F, C]), "linear2.weight": tf.ones([C, F]),
 *   "norm1.weight": tf.ones([C]), "norm2.weight": tf.ones([C]),
 * };
 * fromTorchEncoderLayer(state, 2).feedForward.w1.shape; // [4, 8]
 */
export function fromTorchEncoderLayer(state: TorchState, H: number): TransformerEncoderParameters {
  const read = reader("fromTorchEncoderLayer", state, H);
  return tidy(() => ({
    selfAttention: read.attention("self_attn"),
    selfNorm: read.norm("norm1"),
    feedForward: read.feedForward(),
    feedForwardNorm: read.norm("norm2"),
  }));
}

/**
 * The parameters of `transformerDecoderLayer` out of the state dict of PyTorch's `nn.TransformerDecoderLayer`.
 *
 * As `fromTorchEncoderLayer`.
 *
 * @param H PyTorch's nhead
 * @throws ShapeError SHAPE when a name is missing · and what `fromTorchInProj` throws
 * @example
 * const [C, F] = [4, 8];
 * const attention = (name) => ({
 *   [`${name}.in_proj_weight`]: tf.ones([3 * C, C]), [`${name}.out_proj.weight`]: tf.ones([C, C]),
 * });
 * const norms = Object.fromEntries([1, 2, 3].map((n) => [`norm${n}.weight`, tf.ones([C])]));
 * const maps = { "linear1.weight": tf.ones([F, C]), "linear2.weight": tf.ones([C, F]) };
 * const state = { ...attention("self_attn"), ...attention("multihead_attn"), ...norms, ...maps };
 * fromTorchDecoderLayer(state, 2).crossAttention.wq.shape; // [4, 2, 2]
 */
export function fromTorchDecoderLayer(state: TorchState, H: number): TransformerDecoderParameters {
  const read = reader("fromTorchDecoderLayer", state, H);
  return tidy(() => ({
    selfAttention: read.attention("self_attn"),
    selfNorm: read.norm("norm1"),
    crossAttention: read.attention("multihead_attn"),
    crossNorm: read.norm("norm2"),
    feedForward: read.feedForward(),
    feedForwardNorm: read.norm("norm3"),
  }));
}

function reader(op: string, state: TorchState, H: number) {
  const find = <T extends tf.Tensor>(name: string) => state[name] as T | undefined;
  const need = <T extends tf.Tensor>(name: string): T => {
    const tensor = find<T>(name);
    if (tensor) return tensor;
    throw new ShapeError("SHAPE", {
      op,
      rule: `the state must have ${name}`,
      got: Object.keys(state).join(", ") || "nothing",
      remedy: "pass the state of one layer, without the prefix of its name",
    });
  };
  return {
    attention: (name: string): MultiHeadParameters =>
      fromTorchInProj(
        {
          in_proj_weight: need(`${name}.in_proj_weight`),
          ...optional("in_proj_bias", find<tf.Tensor1D>(`${name}.in_proj_bias`)),
          out_proj_weight: need(`${name}.out_proj.weight`),
          ...optional("out_proj_bias", find<tf.Tensor1D>(`${name}.out_proj.bias`)),
        },
        H,
      ),
    norm: (name: string): NormParameters => ({
      gamma: tf.clone(need<tf.Tensor1D>(`${name}.weight`)),
      ...optional("beta", copy(find<tf.Tensor1D>(`${name}.bias`))),
    }),
    feedForward: (): FeedForwardParameters => ({
      w1: tf.transpose(need<tf.Tensor2D>("linear1.weight")),
      ...optional("b1", copy(find<tf.Tensor1D>("linear1.bias"))),
      w2: tf.transpose(need<tf.Tensor2D>("linear2.weight")),
      ...optional("b2", copy(find<tf.Tensor1D>("linear2.bias"))),
    }),
  };
}

function copy<T extends tf.Tensor>(x: T | undefined): T | undefined {
  return x && tf.clone(x);
}

function optional<K extends string, T>(key: K, value: T | undefined): { [key in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: T };
}
