/** The sublayers of every Transformer: attention to itself or to a memory, and the feed-forward map. */
import * as tf from "@tensorflow/tfjs-core";
import { type PackedAttentionOptions, packedAttention } from "../../attention/sequence/packed.ts";
import { type AttentionOptions, attention } from "../../ops/attention.ts";
import { gelu } from "../../ops/gelu.ts";
import { gatedSilu, silu } from "../../ops/silu.ts";
import type { Activation } from "./config.ts";
import type { Dropout } from "./dropout.ts";
import type { Turn } from "./positions.ts";
import type { Weights } from "./weights.ts";

/** Keys [B, S, Hkv, D] and values [B, S, Hkv, D], where the kernels read them. */
export interface KeysAndValues {
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
}

/** What one attention may see. */
export type Sight = Pick<
  AttentionOptions,
  "allow" | "bias" | "causal" | "window" | "queryOffset" | "queryLengths" | "keyLengths"
> &
  /** Of packed rows, whose sequences are told apart by these instead of by lengths. */
  Partial<Pick<PackedAttentionOptions, "segments" | "keySegments">>;

/** x [B, T, C] in the heads of one projection: [B, T, heads, D]. */
function heads(weights: Weights, name: string, x: tf.Tensor3D): tf.Tensor4D {
  const [B, T] = x.shape;
  return tf.reshape(weights.map(name, x), [B, T, -1, weights.config.headWidth]);
}

/** Keys and values of x [B, S, C]. */
export function keysAndValues(weights: Weights, x: tf.Tensor3D, turn: Turn): KeysAndValues {
  return { k: turn(heads(weights, "key", x)), v: heads(weights, "value", x) };
}

/** Queries, keys and values of the new tokens of a step x [B, T, C], none of which is differentiated. */
export function stepProjections(
  weights: Weights,
  x: tf.Tensor3D,
  turn: Turn,
): KeysAndValues & { readonly q?: tf.Tensor4D } {
  const made = weights.packedHeads(["query", "key", "value"], x, weights.config.headWidth);
  if (!made) return keysAndValues(weights, x, turn);
  const [q, k, v] = made as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  return { q: turn(q), k: turn(k), v };
}

/** Attention of x [B, T, C] over keys and values: [B, T, C]. Queries are made of x where they are not there. */
export function attend(
  weights: Weights,
  x: tf.Tensor3D,
  { k, v, q: given }: KeysAndValues & { readonly q?: tf.Tensor4D | undefined },
  { sight, turn, dropout }: { sight: Sight; turn: Turn; dropout: Dropout },
): tf.Tensor3D {
  const [B, T] = x.shape;
  const { heads: H, headWidth: D, scale } = weights.config;
  const q = given ?? turn(heads(weights, "query", x));
  const { segments, keySegments, ...seen } = sight;
  const options = { ...seen, ...dropout.ofAttention(), scale, layout: "bthd" } as const;
  const { output } = segments
    ? packedAttention(q, k, v, { ...options, segments, ...(keySegments && { keySegments }) })
    : attention(q, k, v, options);
  return weights.map("output", tf.reshape(output, [B, T, H * D]));
}

const ACTIVATIONS: Record<Activation, (x: tf.Tensor3D) => tf.Tensor3D> = {
  relu: (x) => tf.relu(x),
  gelu: (x) => gelu(x),
  geluTanh: (x) => gelu(x, { approximate: true }),
  silu: (x) => silu(x),
};

export const activate = (activation: Activation, x: tf.Tensor3D): tf.Tensor3D => ACTIVATIONS[activation](x);

/** activation(gate) ⊙ x. */
function throughGate(activation: Activation, gate: tf.Tensor3D, x: tf.Tensor3D): tf.Tensor3D {
  return activation === "silu" ? gatedSilu(gate, x) : tf.mul(activate(activation, gate), x);
}

/** activation(x·W_in)·W_out, or with a gate (activation(x·W_gate) ⊙ x·W_in)·W_out: [B, T, C]. */
export function feedForward(weights: Weights, x: tf.Tensor3D, dropout: Dropout): tf.Tensor3D {
  const { activation, gated } = weights.config;
  const inner = weights.map("in", x);
  const active = gated ? throughGate(activation, weights.map("gate", x), inner) : activate(activation, inner);
  return weights.map("out", dropout.apply(active));
}

/** x and what a sublayer adds to it, with its norm before or after. */
export function sublayer(
  weights: Weights,
  x: tf.Tensor3D,
  dropout: Dropout,
  run: (x: tf.Tensor3D) => tf.Tensor3D,
): tf.Tensor3D {
  if (weights.config.preNorm) return tf.add(x, dropout.apply(run(weights.norm("norm", x))));
  return weights.norm("norm", tf.add(x, dropout.apply(run(x))));
}
