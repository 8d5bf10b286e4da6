import * as tf from "@tensorflow/tfjs-core";
import { checkFinite } from "../../core/check-options.ts";
import type { AttentionResult } from "../../ops/attention/run.ts";
import { attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { checkPadding, checkSequences, checkShape, type PaddingOptions } from "./check.ts";
import { hide, mixPositions } from "./numerics.ts";

export interface LinformerParameters {
  /** Mixes the keys of all positions into r. [S or more, r] */
  e: tf.Tensor2D;
  /** Mixes the values. [S or more, r] @default e */
  f?: tf.Tensor2D;
}

export interface LinformerOptions extends PaddingOptions {
  /** Factor of the scores. @default 1/√D */
  scale?: number;
  /** Share of weights dropped, and its seed; only with `training`. @default none */
  dropout?: { rate: number; seed: number };
  /** @default false */
  training?: boolean;
  /** Return the weights over the r mixtures, [B, H, T, r]. @default false */
  weights?: boolean;
}

/**
 * Linformer: keys and values are mixed along positions into r of them, and attention reads those.
 *
 *     out = softmax(scale · Q (Eᵀ K)ᵀ) (Fᵀ V)
 *
 * Symbols: E, F learned mixtures of positions; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], e and f [S, r] → output [B, H, T, Dv].
 * Conventions: E and F are shared by all heads; without F it is E. Those of a longer sequence serve a shorter one,
 * whose positions are the first. Hidden keys are mixed in as 0, so padding changes nothing. Every mixture sees all
 * positions: there is no causal form. E = F = I is exact attention.
 * Cost: O(S·r·(D + Dv) + T·r·(D + Dv)), the T×r matrix never stored. Paper: Wang et al. 2020, §4,
 * arxiv.org/abs/2006.04768.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 * @draws
 * const q = tf.tensor4d(Array.from({ length: 16 }, (_, t) => [Math.cos(t / 3), Math.sin(t / 3)]).flat(), [1, 1, 16, 2]);
 * const e = tf.tensor2d(Array.from({ length: 64 }, (_, n) => (Math.floor(n / 16) === n % 4 ? 0.25 : 0)), [16, 4]);
 * return linformerAttention(q, q, q, { e }, { scale: 4, weights: true }).weights;
 * @example
 * const e = tf.randomNormal([5, 2], 0, 1, "float32", 1);
 * const { output } = linformerAttention(q, k, v, { e }); // reads 2 keys instead of 5
 */
export function linformerAttention<const O extends LinformerOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { e, f = e }: LinformerParameters,
  options: O = {} as O,
): AttentionResult<O> {
  const op = "linformerAttention";
  const shapes = checkSequences(op, q, k, v);
  const { S, D } = shapes;
  const r = e.shape[1] ?? 0;
  checkShape(op, "e [S, r]", e, [Math.max(S, e.shape[0]), Math.max(1, r)]);
  checkShape(op, "f [S, r]", f, [Math.max(S, f.shape[0]), r]);
  const { queryLengths, dropout, training, weights, scale = 1 / Math.sqrt(D) } = options;
  checkFinite(op, "scale", scale);
  const padding = checkPadding(op, shapes, options);
  return tidyAsked((): AttentionResult<LinformerOptions> => {
    const { keys } = padding();
    const used = (rows: tf.Tensor2D) => (rows.shape[0] === S ? rows : tf.slice(rows, [0, 0], [S, r]));
    const mixedKeys = mixPositions(hide(k, keys), used(e));
    const mixedValues = mixPositions(hide(v, keys), used(f));
    const keyLengths = keys && mixturesSeen(keys, r);
    const result = attention(q, mixedKeys, mixedValues, {
      scale,
      queryLengths,
      keyLengths,
      dropout,
      training,
      weights,
    });
    return result;
  });
}

/** All mixtures, or none where an example has no visible key. */
function mixturesSeen(keys: tf.Tensor4D, r: number): number[] {
  const [B, , S] = keys.shape;
  const seen = tf.any(tf.reshape(keys, [B, S]), 1).dataSync();
  return Array.from(seen, (any) => (any ? r : 0));
}
