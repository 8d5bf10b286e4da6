import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { detached } from "../../ops/attention/guard.ts";
import { type AttentionOptions, attention } from "../../ops/attention.ts";
import { checkTensors } from "../../ops/check.ts";
import { gateCalls } from "../../ops/observe.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { topKAttention } from "../sparse/top-k.ts";

/** Keys and values that attention has made before, such as `appendToMemory` collects. */
export interface KeyValueMemory {
  /** [B, Hkv, M, D] */
  keys: tf.Tensor4D;
  /** [B, Hkv, M, Dv] */
  values: tf.Tensor4D;
}

export interface KnnMemoryOptions
  extends Pick<
    AttentionOptions,
    "allow" | "bias" | "causal" | "keyLengths" | "queryLengths" | "queryOffset" | "scale" | "window"
  > {
  /** Memories that each query reads; all where there are fewer. */
  neighbours: number;
  /** Return the weights over the memory, [B, H, T, M]. @default false */
  weights?: boolean;
}

export type KnnMemoryResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * The memory of a Memorizing Transformer: a query reads its nearest keys of a long past, and each head has a gate for it.
 *
 *     out = g ⊙ V_m + (1 − g) ⊙ V_c,    g = σ(b_h)
 *     V_c = attention(q, k, v),    V_m = topKAttention(q, SG(K), SG(V))
 *
 * Symbols: V_c what was read in the context, V_m in the memory of earlier keys K and values V, b_h the bias of head h's gate,
 * SG stops the gradient. Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], memory [B, Hkv, M, D] and [B, Hkv, M,
 * Dv], gate [H] → output [B, H, T, Dv].
 * Conventions: the memory is not differentiable, so it may be as long as there is room; queries and the gate learn. Neighbours
 * are exact: all products are made, none is approximated. No positions in the memory; masks and bias are the context's.
 * Without a memory (`undefined`) V_m is 0, and the gate still counts.
 * Cost: O(B·H·T·(S + M)·D). Paper: Wu, Rabe, Hutchins & Szegedy 2022, §3.1 and 3.2, arxiv.org/abs/2203.08913.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION · and what `compileProgram` throws
 * @draws
 * const x = tf.randomNormal([1, 1, 24, 6], 0, 1, "float32", 3);
 * const memory = { keys: x, values: x };
 * const near = tf.mul(x, tf.reshape(tf.linspace(0.2, 2, 24), [1, 1, 24, 1]));
 * return knnMemoryAttention(near, x, x, memory, { gate: tf.zeros([1]) }, { neighbours: 3, weights: true }).weights;
 * @example
 * const memory = { keys: tf.randomNormal([2, 3, 11, 4]), values: tf.randomNormal([2, 3, 11, 7]) };
 * const { output } = knnMemoryAttention(q, k, v, memory, { gate: tf.zeros([3]) }, { neighbours: 2, causal: true });
 * output.shape; // [2, 3, 5, 7]
 */
export function knnMemoryAttention<const O extends KnnMemoryOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  memory: KeyValueMemory | undefined,
  { gate }: { gate: tf.Tensor1D },
  options: O,
): KnnMemoryResult<O> {
  const op = "knnMemoryAttention";
  const { B, H, T, Hkv, D, Dv } = attentionShapes(op, q, k, v);
  const { neighbours, weights, ...given }: KnnMemoryOptions = options;
  checkCount(op, "neighbours", neighbours);
  const M = memory?.keys.shape[2] ?? 0;
  checkTensors(op, [
    { name: "gate", tensor: gate, letters: "[H]", shape: [H] },
    ...(memory
      ? [
          { name: "memory.keys", tensor: memory.keys, letters: "[B, Hkv, M, D]", shape: [B, Hkv, M, D] },
          {
            name: "memory.values",
            tensor: memory.values,
            letters: "[B, Hkv, M, Dv]",
            shape: [B, Hkv, M, Dv],
          },
        ]
      : []),
  ]);
  return tidyAsked((): KnnMemoryResult<KnnMemoryOptions> => {
    const context = attention(q, k, v, given, op).output;
    const open = tf.sigmoid(gate);
    gateCalls.observer?.({ op, name: "gate", gate: open, hasBatch: false });
    const share = tf.reshape(open, [1, H, 1, 1]);
    const rest = tf.mul<tf.Tensor4D>(tf.sub(1, share), context);
    if (!memory || M === 0)
      return { output: rest, ...(weights && { weights: tf.zeros([B, H, T, 0]) as tf.Tensor4D }) };
    const { scale } = given;
    const found = topKAttention(q, detached(memory.keys), detached(memory.values), {
      k: Math.min(neighbours, M),
      ...(scale !== undefined && { scale }),
      ...(weights && { weights }),
    });
    return {
      output: tf.add<tf.Tensor4D>(tf.mul(share, found.output), rest),
      ...(weights && { weights: found.weights! }),
    };
  });
}
