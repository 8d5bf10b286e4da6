/** Scores and sums of all heads as tensors, for mechanisms that no kernel has. */
import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import { allowTensor } from "../../ops/attention/allow.ts";
import {
  addConstant,
  cleaned,
  detached,
  isKnownFinite,
  noProduct,
  strayValues,
  visibleKeys,
} from "../../ops/attention/guard.ts";

/**
 * scale · q·k: q [B, H, T, D], k [B, Hkv, S, D] → [B, H, T, S]. Query heads that share a key head are rows of one
 * product.
 */
export function headScores({ shapes, scale }: AttentionProgram, q: tf.Tensor4D, k: tf.Tensor4D): tf.Tensor4D {
  const { B, H, Hkv, T, S, D } = shapes;
  if (B * T * S === 0) return noProduct([q, k], [B, H, T, S]) as tf.Tensor4D;
  const rows = tf.reshape(tf.mul(q, scale), [B, Hkv, (H / Hkv) * T, D]);
  return tf.reshape(tf.matMul(rows, k, false, true), [B, H, T, S]);
}

/** Σ_s weight_ts v_s: weights [B, H, T, S], v [B, H, S, Dv]; what `seen` hides reaches nothing, NaN included. */
export function weightedSum(weights: tf.Tensor4D, v: tf.Tensor4D, seen: tf.Tensor | undefined): tf.Tensor4D {
  const [B, H, T, S] = weights.shape;
  if (B * T * S === 0) return noProduct([weights, v], [B, H, T, v.shape[3]]) as tf.Tensor4D;
  if (!seen || isKnownFinite(v)) return tf.matMul(weights, v);
  const stray = strayValues(weights, tf.broadcastTo(seen, weights.shape), v);
  return addConstant(tf.matMul(weights, cleaned(v)), stray);
}

/**
 * Where a key may be seen at all, as bool that broadcasts to [B, H, T, S]; undefined where nothing is hidden. It may
 * be made of a bias that learns, and no gradient goes through it.
 */
export function seenKeys(program: AttentionProgram<tf.Tensor>): tf.Tensor | undefined {
  const seen = visibleKeys(allowTensor(program), program.bias?.array);
  return seen && detached(seen);
}

/**
 * Softmax over the keys that uses TensorFlow.js' own, one kernel: `softmax` of ops/attention needs five, because it
 * finds empty rows by their scores. Here `seen` says which they are; they become 0.
 */
export function softmaxWhere(seen: tf.Tensor | undefined): (scores: tf.Tensor) => tf.Tensor {
  if (!seen) return (scores) => tf.softmax(scores);
  return tf.customGrad((scores, save) => {
    const weights = tf.where(tf.any(seen, -1, true), tf.softmax(scores as tf.Tensor), 0);
    (save as tf.GradSaveFunc)([weights]);
    return {
      value: weights,
      gradFunc: (dweights: tf.Tensor, [p]: tf.Tensor[]) => {
        const product = tf.mul(dweights, p!);
        return tf.sub(product, tf.mul(tf.sum(product, -1, true), p!));
      },
    };
  });
}
