import type { Tensor4D } from "@tensorflow/tfjs-core";
import { keyHead } from "../../core/notation.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { checkSpikes } from "./check.ts";

export interface SpikingOperations {
  /** Additions of spiking attention, from the spikes that are there. Nothing is multiplied. */
  readonly accumulations: number;
  /** Multiplications, each with an addition, of attention with real numbers of the same shapes. */
  readonly multiplyAccumulates: number;
  /** The share of ones among q, k and v. */
  readonly rates: { readonly q: number; readonly k: number; readonly v: number };
}

/**
 * The operations of spiking attention, counted from its spikes, beside those of attention with real numbers.
 *
 *     accumulations = Σ_ts a_ts + Σ_ts [a_ts > 0] Σ_d v_sd,    a_ts = Σ_d q_td k_sd
 *     multiplyAccumulates = B·H·T·S·(D + Dv)
 *
 * Symbols: q, k, v spikes. The first sum adds 1 for each spike that a query and a key share, the second adds the count
 * a_ts to the output for each spike of a value that a query reads. Shapes: as `spikingAttention`; an object of numbers.
 * Conventions: every key is visible. It is what event-driven hardware does, which skips zeros; the products that run here
 * do not. The scale is part of the next threshold and costs nothing. Fold time steps into the batch: both counts are then
 * those of all steps, where a net of real numbers would make one.
 * Cost: O(B·H·T·S·D). Paper: Zhou et al. 2022 (Spikformer), §3.3, arxiv.org/abs/2209.15425.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError DTYPE when a number is neither 0 nor 1
 * @example
 * const q = tf.tensor4d([1, 1, 0], [1, 1, 1, 3]);
 * const k = tf.tensor4d([1, 1, 1, 0, 0, 1], [1, 1, 2, 3]);
 * const v = tf.tensor4d([1, 0, 1, 1], [1, 1, 2, 2]);
 * const { accumulations, multiplyAccumulates } = spikingOperations(q, k, v);
 * accumulations; // 3
 * multiplyAccumulates; // 10
 */
export function spikingOperations(q: Tensor4D, k: Tensor4D, v: Tensor4D): SpikingOperations {
  const op = "spikingOperations";
  const shapes = attentionShapes(op, q, k, v);
  const { B, H, Hkv, T, S, D, Dv } = shapes;
  for (const [name, spikes] of Object.entries({ q, k, v })) checkSpikes(op, name, spikes);
  const [queries, keys, values] = [q.dataSync(), k.dataSync(), v.dataSync()];
  const valueSpikes = Array.from({ length: B * Hkv * S }, (_, row) => sumOf(values, row * Dv, Dv));
  let accumulations = 0;
  for (let row = 0; row < B * H * T; row++) {
    const head = Math.floor(row / T);
    const shared = Math.floor(head / H) * Hkv + keyHead(head % H, shapes);
    for (let s = shared * S; s < (shared + 1) * S; s++) {
      let count = 0;
      for (let d = 0; d < D; d++) count += queries[row * D + d]! * keys[s * D + d]!;
      if (count > 0) accumulations += count + valueSpikes[s]!;
    }
  }
  const rate = (spikes: ArrayLike<number>) =>
    spikes.length === 0 ? 0 : sumOf(spikes, 0, spikes.length) / spikes.length;
  return {
    accumulations,
    multiplyAccumulates: B * H * T * S * (D + Dv),
    rates: { q: rate(queries), k: rate(keys), v: rate(values) },
  };
}

function sumOf(values: ArrayLike<number>, from: number, count: number): number {
  let sum = 0;
  for (let e = from; e < from + count; e++) sum += values[e]!;
  return sum;
}
