import * as tf from "@tensorflow/tfjs-core";
import { softAttention } from "../../attention/sequence/soft-attention.ts";
import { blockMaskOfRows } from "../../attention/sparse/block-mask.ts";
import { blockSparseAttention } from "../../attention/sparse/block-sparse.ts";
import { longformerAttention } from "../../attention/sparse/longformer.ts";
import { stridedAttention } from "../../attention/sparse/strided.ts";
import { topKAttention } from "../../attention/sparse/top-k.ts";
import { RandomStream } from "../../core/random.ts";
import { useHeedBackend } from "../../host/select.ts";

const [H, D, BLOCK] = [2, 64, 64];

export interface WorthOptions {
  /** Lengths. @default [1024, 4096] */
  lengths?: readonly number[];
  /** Kept blocks as shares. @default [1/16, 1/8, 1/4, 1/2, 1] */
  shares?: readonly number[];
  /** Turns, of which the fastest counts. @default 5 */
  turns?: number;
  onProgress?: (share: number) => void;
}

/**
 * When sparse attention is worth it: its time over that of dense attention without a mask, in one process and by
 * turns. Figures are named `<mechanism>@<n>`, block-sparse ones with the percentage of blocks kept.
 *
 * @example
 * const times = await measureWorth({ lengths: [256], shares: [0.25], turns: 1 });
 * Object.keys(times)[0]; // "blocks25@256"
 */
export async function measureWorth(options: WorthOptions = {}): Promise<Record<string, number>> {
  const {
    lengths = [1024, 4096],
    shares = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1],
    turns = 5,
    onProgress,
  } = options;
  await useHeedBackend();
  const figures: Record<string, number> = {};
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
        const begun = computed();
        const output = tf.tidy(run);
        output.dataSync();
        best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, computed() - begun);
        output.dispose();
      }
      onProgress?.((at + (turn + 1) / turns) / lengths.length);
      await new Promise((resolve) => setTimeout(resolve));
    }
    for (const name of Object.keys(contenders).slice(1)) figures[`${name}@${n}`] = best[name]! / best.dense!;
    tf.dispose([...x, global.q]);
  }
  return figures;
}

/** Milliseconds that this process has computed, so that waiting for a busy machine does not count. */
function computed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
