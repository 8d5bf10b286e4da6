import * as tf from "@tensorflow/tfjs-core";
import { softAttention } from "../../src/attention/sequence/soft-attention.ts";
import { blockMaskOfRows } from "../../src/attention/sparse/block-mask.ts";
import { blockSparseAttention } from "../../src/attention/sparse/block-sparse.ts";
import { longformerAttention } from "../../src/attention/sparse/longformer.ts";
import { stridedAttention } from "../../src/attention/sparse/strided.ts";
import { topKAttention } from "../../src/attention/sparse/top-k.ts";
import { RandomStream } from "../../src/core/random.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import type { Metrics } from "../claim.ts";
import { clock } from "./clock.ts";

const [H, D, BLOCK] = [2, 64, 64];

export interface ShareOptions {
  /** Lengths. @default [1024, 4096] */
  lengths?: readonly number[];
  /** Kept blocks as shares. @default [1/16, 1/8, 1/4, 1/2, 1] */
  shares?: readonly number[];
  /** Turns, of which the fastest counts. @default 5 */
  turns?: number;
  onProgress?: (share: number) => void;
}

/**
 * The time of sparse attention over that of dense attention without a mask, in one process and by
 * turns. Metrics are named `<mechanism>@<n>`, block-sparse ones with the percentage of blocks kept.
 */
export async function timeShares(options: ShareOptions = {}): Promise<Metrics> {
  const {
    lengths = [1024, 4096],
    shares = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1],
    turns = 5,
    onProgress,
  } = options;
  await useHeedBackend();
  const metrics: Metrics = {};
  for (const [at, n] of lengths.entries()) {
    const x = Array.from({ length: 3 }, () => tf.randomNormal<tf.Rank.R4>([1, H, n, D]));
    const [q, k, v] = x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const blocks = Math.ceil(n / BLOCK);
    const contenders: Record<string, () => tf.Tensor> = { dense: () => softAttention(q, k, v).output };
    for (const share of shares) {
      const count = Math.max(1, Math.round(share * blocks));
      const keys = (a: number) => {
        const others = Array.from({ length: blocks }, (_, b) => b).filter((b) => b !== a);
        return [a, ...new RandomStream(1, a).shuffle(others).slice(0, count - 1)];
      };
      const mask = blockMaskOfRows(n, n, { block: BLOCK, keys });
      contenders[`blocks${Math.round(100 * mask.share)}`] = () => blockSparseAttention(q, k, v, mask).output;
    }
    const window = { left: 128, right: 128 };
    const global = { positions: [0], q: tf.slice(q, [0, 0, 0, 0], [1, H, 1, D]), k, v };
    contenders.longformer = () => longformerAttention(q, k, v, { window, global }).output;
    const stride = Math.round(Math.sqrt(n));
    contenders.strided = () => stridedAttention(q, k, v, { stride }).output;
    contenders.topK = () => topKAttention(q, k, v, { k: 16 }).output;
    const best: Record<string, number> = {};
    for (let turn = 0; turn < turns; turn++) {
      for (const [name, run] of Object.entries(contenders)) {
        const begun = clock();
        const output = tf.tidy(run);
        output.dataSync();
        best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, clock() - begun);
        output.dispose();
      }
      onProgress?.((at + (turn + 1) / turns) / lengths.length);
      await new Promise((resolve) => setTimeout(resolve));
    }
    for (const name of Object.keys(contenders).slice(1)) metrics[`${name}@${n}`] = best[name]! / best.dense!;
    tf.dispose([...x, global.q]);
  }
  return metrics;
}
