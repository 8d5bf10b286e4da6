import * as tf from "@tensorflow/tfjs-core";
import { attentionShapes } from "../../core/shapes.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { type AttentionOptions, attention } from "../../ops/attention.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { mergeAttention } from "../sparse/merge-attention.ts";
import { checkSlots } from "./check.ts";

export interface PersistentMemory {
  /** Learned keys of each key/value head, [Hkv, M, D]. */
  mk: tf.Tensor3D;
  /** Learned values, [Hkv, M, Dv]. */
  mv: tf.Tensor3D;
}

export interface PersistentMemoryOptions
  extends Pick<
    AttentionOptions,
    "allow" | "bias" | "causal" | "keyLengths" | "queryLengths" | "queryOffset" | "scale" | "window"
  > {
  /** Return the weights over the context, [B, H, T, S], and over the memory, [B, H, T, M]; together rows sum to 1. @default false */
  weights?: boolean;
}

export type PersistentMemoryResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor4D> &
  Asked<O, "weights", tf.Tensor4D, "memoryWeights">;

/**
 * Persistent memory: learned keys and values stand beside those of the context, in one softmax.
 *
 *     out_t = Σ_{s ∈ [context ∘ memory]} softmax_s(scale · q_t·k_s) v_s,    k = [k_context ∘ m^k],  v = [v_context ∘ m^v]
 *
 * Symbols: m^k and m^v the learned vectors, the same for every example and every position; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], m^k [Hkv, M, D], m^v [Hkv, M, Dv] → output [B, H, T, Dv].
 * Conventions: masks, bias and windows are the context's; every query sees the whole memory, which has no positions. It holds
 * what the training data have in common, and takes the place of a feed-forward layer. Computed as two calls that
 * `mergeAttention` joins, exact; beyond `queryLengths` queries give 0.
 * Cost: O(B·H·T·(S + M)·(D + Dv)). Paper: Sukhbaatar et al. 2019, §4, (7) to (9), arxiv.org/abs/1907.01470.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · and what `compileProgram` throws
 * @draws
 * const x = tf.randomNormal([1, 1, 14, 4], 0, 2, "float32", 3);
 * const mk = tf.randomNormal([1, 10, 4], 0, 2, "float32", 8);
 * const { weights, memoryWeights } = persistentMemoryAttention(x, x, x, { mk, mv: mk }, { causal: true, weights: true });
 * return tf.concat([memoryWeights, weights], 3);
 * @example
 * const memory = { mk: tf.randomNormal([3, 11, 4]), mv: tf.randomNormal([3, 11, 7]) };
 * persistentMemoryAttention(q, k, v, memory, { causal: true }).output.shape; // [2, 3, 5, 7]
 */
export function persistentMemoryAttention<const O extends PersistentMemoryOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { mk, mv }: PersistentMemory,
  options: O = {} as O,
): PersistentMemoryResult<O> {
  const op = "persistentMemoryAttention";
  const { B, Hkv, D, Dv } = attentionShapes(op, q, k, v);
  checkRank(op, "mk [Hkv, M, D]", mk, 3);
  const M = mk.shape[1];
  checkSlots(op, M);
  checkTensors(op, [
    { name: "mk", tensor: mk, letters: "[Hkv, M, D]", shape: [Hkv, M, D] },
    { name: "mv", tensor: mv, letters: "[Hkv, M, Dv]", shape: [Hkv, M, Dv] },
  ]);
  const { weights, ...given }: PersistentMemoryOptions = options;
  const { scale, queryLengths } = given;
  return tidyAsked((): PersistentMemoryResult<PersistentMemoryOptions> => {
    // A product with ones, whose gradient is one sum; that of a tile would be B of them.
    const forAll = (x: tf.Tensor3D) => tf.mul<tf.Tensor4D>(tf.expandDims(x, 0), tf.ones([B, 1, 1, 1]));
    const asked = { lse: true, weights: weights ?? false } as const;
    const shared = {
      ...(scale !== undefined && { scale }),
      ...(queryLengths !== undefined && { queryLengths }),
    };
    const context = attention(q, k, v, { ...given, ...asked }, op);
    const memory = attention(q, forAll(mk), forAll(mv), { ...shared, ...asked }, op);
    const { output } = mergeAttention([context, memory]);
    if (!weights) return { output };
    const shares = tf.split(softmax(tf.stack([context.lse, memory.lse], 3)), 2, 3);
    return {
      output,
      weights: tf.mul<tf.Tensor4D>(context.weights!, shares[0]!),
      memoryWeights: tf.mul<tf.Tensor4D>(memory.weights!, shares[1]!),
    };
  });
}
