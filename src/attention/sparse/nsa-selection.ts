import * as tf from "@tensorflow/tfjs-core";
import { LargestKeeper } from "./keep-largest.ts";

/** Sizes of blocks, by the paper's letters. */
export interface NsaSizes {
  /** l */
  readonly length: number;
  /** d */
  readonly stride: number;
  /** l′ */
  readonly block: number;
  /** n */
  readonly count: number;
  readonly first: number;
  readonly near: number;
}

/**
 * The keys of the blocks that each query selects, bool [B, Hkv, T, T]. `weights` are those of the compressed blocks
 * [B, H, T, N], where there is one; query heads that share a key head add theirs up.
 */
export function selectedKeys(
  weights: tf.Tensor4D | undefined,
  [B, Hkv, T]: readonly [number, number, number],
  sizes: NsaSizes,
): tf.Tensor4D {
  const { block, count, first, near } = sizes;
  const shared = weights && sharedWeights(weights, Hkv);
  const N = weights?.shape[3] ?? 0;
  const blocks = Math.ceil(T / block);
  const overlaps = Array.from({ length: N }, (_, i) => overlapsOf(i, sizes, blocks));
  const mask = new Uint8Array(B * Hkv * T * T);
  const keeper = new LargestKeeper(count);
  const scores = new Float32Array(blocks);
  const kept = new Uint8Array(blocks);
  for (let row = 0; row < B * Hkv * T; row++) {
    const t = row % T;
    const own = Math.floor(t / block);
    scores.fill(0);
    kept.fill(0);
    for (let i = 0; i < N; i++) {
      const weight = shared![row * N + i]!;
      if (weight === 0) continue;
      for (const { at, steps } of overlaps[i]!) scores[at]! += weight * steps;
    }
    for (let b = 0; b <= own; b++) {
      if (b < first || b > own - near) scores[b] = Number.POSITIVE_INFINITY;
    }
    keeper.mark(scores, 0, own + 1, kept);
    for (let b = 0; b <= own; b++) {
      if (kept[b]) mask.fill(1, row * T + b * block, row * T + Math.min(t + 1, (b + 1) * block));
    }
  }
  return tf.tensor4d(mask, [B, Hkv, T, T], "bool");
}

function sharedWeights(weights: tf.Tensor4D, Hkv: number): Float32Array {
  const [B, H, T, N] = weights.shape;
  // Not read within a tidy, which would look for tensors in every number that it returns.
  const sum = tf.tidy(() => tf.sum(tf.reshape(weights, [B, Hkv, H / Hkv, T, N]), 2));
  const values = sum.dataSync() as Float32Array;
  sum.dispose();
  return values;
}

/** The selection blocks that compressed block i overlaps, and by how many steps of the stride. */
function overlapsOf(i: number, { length, stride, block }: NsaSizes, blocks: number) {
  const found: { at: number; steps: number }[] = [];
  for (let step = 0; step < length / stride; step++) {
    const at = Math.floor(((i + step) * stride) / block);
    if (at >= blocks) continue;
    const last = found.at(-1);
    if (last?.at === at) last.steps++;
    else found.push({ at, steps: 1 });
  }
  return found;
}
