import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { notBool, outOfRange } from "../../core/faults.ts";
import type { Pattern } from "../mask/pattern.ts";

export interface BlockMaskOptions {
  /** Queries and keys of a block; an integer ≥ 1. @default 64 */
  block?: number;
}

/** A block of keys that some query of a block of queries sees. */
export interface KeptBlock {
  /** Number of the block of keys, from 0. */
  readonly at: number;
  /** Whether every query of the block sees every key; else the mask's pattern decides. */
  readonly full: boolean;
}

/** A mask as blocks of queries × keys: which are empty, which full, and what is seen in the others. */
export interface BlockMask {
  readonly T: number;
  readonly S: number;
  /** Queries and keys of a block; the last ones may have fewer. */
  readonly block: number;
  /** The blocks that each block of queries keeps, in order. */
  readonly rows: readonly (readonly KeptBlock[])[];
  /** What is seen in blocks that are kept and not full. */
  readonly pattern: Pattern;
  /** The share of blocks kept, 0 … 1: the cost against attention without a mask. */
  readonly share: number;
}

/**
 * A mask as blocks, from a rule or from a bool tensor, for `blockSparseAttention`.
 *
 *     block (a, b) is empty, full or partial as none, all or some of pattern(i, j) hold, ⌊i/block⌋ = a, ⌊j/block⌋ = b
 *
 * 1. `true` means attend. 2. A row without a visible key gives 0. 3. i and j count queries and keys from 0; where T ≠
 * S the rule says which stand together. 4. A query sees itself where the rule says so. The last blocks may be
 * shorter. `share` is the fraction of blocks kept; `drawBlocks` shows them.
 *
 *     j ≤ i, block = 2, T = S = 4
 *     1 0 | 0 0        partial   empty
 *     1 1 | 0 0
 *     ----+----
 *     1 1 | 1 0        full      partial
 *     1 1 | 1 1
 *
 * Shapes: rule, or bool [T, S] → blocks ⌈T/block⌉ × ⌈S/block⌉.
 * Cost: O(T·S) calls once; a bool tensor is read from the device. `blockMaskOfRows` takes O(blocks) where the blocks
 * are known.
 * Paper: Dong et al. 2024 (FlexAttention), §3.2, arxiv.org/abs/2412.05496.
 *
 * @throws OptionError OPTION, DTYPE · ShapeError SHAPE
 * @draws
 * return drawBlocks(blockMask(192, 192, (i, j) => j <= i && (i - j < 20 || j < 12), { block: 8 }));
 * @example
 * blockMask(4, 4, (i, j) => j <= i, { block: 2 }).share; // 0.75
 */
export function blockMask(
  T: number,
  S: number,
  given: Pattern | tf.Tensor2D,
  { block = 64 }: BlockMaskOptions = {},
): BlockMask {
  const op = "blockMask";
  checkSizes(op, T, S, block);
  const pattern = given instanceof tf.Tensor ? patternOf(op, given, T, S) : given;
  const rows = Array.from({ length: Math.ceil(T / block) }, (_, a) =>
    keptBlocks(
      a,
      Array.from({ length: Math.ceil(S / block) }, (_, b) => b),
      { T, S, block, pattern },
    ),
  );
  return masked({ T, S, block, rows, pattern });
}

/**
 * A mask of whole blocks: `keys(a)` names the blocks of keys that block a of queries sees, in any order; a pattern
 * may hide more in them, and is asked in these blocks alone.
 *
 * @throws OptionError OPTION
 * @example
 * blockMaskOfRows(6, 6, { block: 2, keys: (a) => [0, a] }).share; // 0.5556
 */
export function blockMaskOfRows(
  T: number,
  S: number,
  {
    block = 64,
    keys,
    pattern,
  }: BlockMaskOptions & { keys: (a: number) => Iterable<number>; pattern?: Pattern },
): BlockMask {
  const op = "blockMaskOfRows";
  checkSizes(op, T, S, block);
  const most = Math.ceil(S / block);
  const rows = Array.from({ length: Math.ceil(T / block) }, (_, a) => {
    const ids = [...new Set(keys(a))].sort((a, b) => a - b);
    const wrong = ids.find((b) => !(Number.isSafeInteger(b) && b >= 0 && b < most));
    if (wrong !== undefined) {
      const rule = `blocks of keys from 0 to ${most - 1}`;
      throw new OptionError("OPTION", outOfRange({ op, name: `keys(${a})`, rule, got: wrong }));
    }
    return pattern ? keptBlocks(a, ids, { T, S, block, pattern }) : ids.map((at) => ({ at, full: true }));
  });
  return masked({ T, S, block, rows, pattern: pattern ?? (() => true) });
}

/**
 * A block mask as a picture: 1 where a block is full, ½ where it is partial, 0 where it is empty, [⌈T/block⌉,
 * ⌈S/block⌉].
 *
 * @example
 * drawBlocks(blockMask(4, 4, (i, j) => j <= i, { block: 2 })); // [[0.5, 0], [1, 0.5]]
 */
export function drawBlocks({ S, block, rows }: BlockMask): tf.Tensor2D {
  const columns = Math.ceil(S / block);
  const cells = new Float32Array(rows.length * columns);
  rows.forEach((row, a) => {
    for (const { at, full } of row) cells[a * columns + at] = full ? 1 : 0.5;
  });
  return tf.tensor2d(cells, [rows.length, columns]);
}

/**
 * A block mask as the `allow` of any mechanism: bool [T, S].
 *
 * @example
 * denseMask(blockMask(2, 2, (i, j) => j <= i, { block: 1 })); // [[1, 0], [1, 1]]
 */
export function denseMask(mask: BlockMask): tf.Tensor2D {
  return tf.tensor2d(denseCells(mask), [mask.T, mask.S], "bool");
}

/** A mask serves many calls, and never changes: its rule is asked once. */
const knownCells = new WeakMap<BlockMask, Uint8Array>();

export function denseCells(mask: BlockMask): Uint8Array {
  const before = knownCells.get(mask);
  if (before) return before;
  const { T, S, block, rows, pattern } = mask;
  const cells = new Uint8Array(T * S);
  for (let i = 0; i < T; i++) {
    for (const { at, full } of rows[Math.floor(i / block)]!) {
      const end = Math.min(S, (at + 1) * block);
      if (full) cells.fill(1, i * S + at * block, i * S + end);
      else for (let j = at * block; j < end; j++) cells[i * S + j] = pattern(i, j) ? 1 : 0;
    }
  }
  knownCells.set(mask, cells);
  return cells;
}

function masked(mask: Omit<BlockMask, "share">): BlockMask {
  const kept = mask.rows.reduce((sum, row) => sum + row.length, 0);
  return { ...mask, share: kept / (mask.rows.length * Math.ceil(mask.S / mask.block)) };
}

/** Those of some blocks of keys of which a block of queries sees anything. */
function keptBlocks(
  a: number,
  ids: readonly number[],
  { T, S, block, pattern }: Pick<BlockMask, "T" | "S" | "block" | "pattern">,
): KeptBlock[] {
  return ids.flatMap((at) => {
    const [lastQuery, lastKey] = [Math.min(T, (a + 1) * block), Math.min(S, (at + 1) * block)];
    let some = false;
    let full = true;
    for (let i = a * block; i < lastQuery; i++) {
      for (let j = at * block; j < lastKey; j++) {
        if (pattern(i, j)) some = true;
        else full = false;
        if (some && !full) return [{ at, full }];
      }
    }
    return some ? [{ at, full }] : [];
  });
}

function patternOf(op: string, mask: tf.Tensor2D, T: number, S: number): Pattern {
  if (mask.dtype !== "bool") throw new OptionError("DTYPE", notBool({ op, dtype: mask.dtype }));
  if (mask.rank !== 2 || mask.shape[0] !== T || mask.shape[1] !== S) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `the mask must have shape [T, S] = [${T}, ${S}]`,
      got: `[${mask.shape.join(", ")}]`,
      remedy: "give one mask for all examples and heads",
    });
  }
  const cells = mask.dataSync().slice();
  return (i, j) => cells[i * S + j] !== 0;
}

function checkSizes(op: string, T: number, S: number, block: number): void {
  checkCount(op, "T", T);
  checkCount(op, "S", S);
  checkCount(op, "block", block);
}
