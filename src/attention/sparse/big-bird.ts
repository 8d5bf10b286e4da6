import type * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { RandomStream } from "../../core/random.ts";
import type { AttentionResult } from "../../ops/attention/run.ts";
import { type BlockMask, blockMaskOfRows } from "./block-mask.ts";
import { type BlockSparseOptions, blockSparseAttention } from "./block-sparse.ts";

export interface BigBirdOptions {
  /** Positions of a block; an integer ≥ 1. @default 64 */
  block?: number;
  /** Blocks of the window, the query's own and as many on each side; odd. @default 3 */
  window?: number;
  /** Blocks that see everything and that everything sees; negative numbers count from the end. @default [0, -1] */
  global?: readonly number[];
  /** Blocks of keys drawn for each block of queries, among those not seen otherwise. @default 3 */
  random?: number;
  /** Of the drawing; an integer ≥ 0. @default 0 */
  seed?: number;
  /** Hides every key after its query. @default false */
  causal?: boolean;
}

/**
 * BigBird's mask: a window of blocks, global blocks, and random ones.
 *
 *     block (a, b) is seen if |a − b| ≤ (window − 1)/2,  or a or b is global,  or b was drawn for a
 *
 * 1. `true` means attend. 2. No row is empty. 3. Query i and key i stand together, T = S. 4. A query sees its own
 * block. The seed alone decides what is drawn: the same mask everywhere. With `causal`, blocks after the query's are
 * neither seen nor drawn, and in its own block later keys are hidden.
 *
 *     6 blocks, window 3, global [0], one random
 *     1 1 1 1 1 1
 *     1 1 1 . r .
 *     1 1 1 1 . r
 *     1 r 1 1 1 .
 *     1 . r 1 1 1
 *     1 . . r 1 1
 *
 * Shapes: → block mask of T × T.
 * Cost: O(T/block · random).
 * Paper: Zaheer et al. 2020, §2, arxiv.org/abs/2007.14062.
 *
 * @throws OptionError OPTION
 * @draws
 * return drawBlocks(bigBirdMask(24, { block: 1, global: [0, 1], random: 2, seed: 3 }));
 * @example
 * bigBirdMask(4096).share; // near 0.15
 */
export function bigBirdMask(T: number, options: BigBirdOptions = {}): BlockMask {
  const { block = 64, window = 3, global = [0, -1], random = 3, seed = 0, causal = false } = options;
  const op = "bigBirdMask";
  checkCount(op, "T", T);
  checkCount(op, "block", block);
  checkCount(op, "random", random, 0);
  checkCount(op, "seed", seed, 0);
  if (!(Number.isSafeInteger(window) && window >= 1 && window % 2 === 1)) {
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "window", rule: "an odd integer ≥ 1", got: window }),
    );
  }
  const count = Math.ceil(T / block);
  const globals = new Set(global.map((b) => positive(op, b, count)));
  const reach = (window - 1) / 2;
  const keys = (a: number) => {
    const most = causal ? a + 1 : count;
    const all = Array.from({ length: most }, (_, b) => b);
    if (globals.has(a)) return all;
    const seen = all.filter((b) => Math.abs(a - b) <= reach || globals.has(b));
    const others = all.filter((b) => Math.abs(a - b) > reach && !globals.has(b));
    return [...seen, ...new RandomStream(seed, a).shuffle(others).slice(0, random)];
  };
  return blockMaskOfRows(T, T, { block, keys, ...(causal && { pattern: (i, j) => j <= i }) });
}

function positive(op: string, b: number, count: number): number {
  const from = b < 0 ? b + count : b;
  if (Number.isSafeInteger(b) && from >= 0 && from < count) return from;
  const rule = `blocks from ${-count} to ${count - 1}`;
  throw new OptionError("OPTION", outOfRange({ op, name: "global", rule, got: b }));
}

/**
 * BigBird's attention: `blockSparseAttention` under `bigBirdMask`.
 *
 *     out_i = Σ_{j: mask(i, j)} softmax_j(scale · q_i·k_j) v_j
 *
 * Symbols: mask BigBird's, of window, global and random blocks.
 * Shapes: q [B, H, T, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv] → output [B, H, T, Dv].
 * Conventions: exact, the internal (ITC) form of the paper; all heads share the mask. Make the mask once and call
 * `blockSparseAttention` where it serves many calls. Differentiable.
 * Cost: O(T·block·(window + random + global)·(D + Dv)) a head.
 * Paper: Zaheer et al. 2020, §2, arxiv.org/abs/2007.14062.
 *
 * @throws OptionError OPTION · and what `blockSparseAttention` throws
 * @draws
 * return denseMask(bigBirdMask(24, { block: 2, global: [0], random: 2, seed: 1 }));
 * @example
 * const { output } = bigBirdAttention(q, k, v, { block: 1, random: 1 });
 */
export function bigBirdAttention<const O extends BigBirdOptions & BlockSparseOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): AttentionResult<O> {
  const { block, window, global, random, seed, causal, ...rest }: BigBirdOptions & BlockSparseOptions =
    options;
  const mask = bigBirdMask(q.shape[2], { block, window, global, random, seed, causal });
  return blockSparseAttention<O>(q, k, v, mask, rest as O);
}
