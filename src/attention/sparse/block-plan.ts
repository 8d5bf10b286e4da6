import type { BlockMask } from "./block-mask.ts";

/** Valid queries and keys of each example. */
export interface Lengths {
  readonly keys: ArrayLike<number>;
  readonly queries: ArrayLike<number>;
}

/** Rows of blocks that go through one call: one for each block of queries, example and key head. */
export interface RowGroup {
  /** Numbers of the rows, (example · key heads + key head) · blocks of queries + block. */
  readonly rows: Int32Array;
  /** Blocks of keys beside each row, the longest of its lists. */
  readonly width: number;
  /** Rows of the blocks of keys, `width` for each row; where a list is shorter, some block that no one sees. */
  readonly keyIds: Int32Array;
  /** Keys of each row that are there: blocks stand in order, so the others come last. */
  readonly keyCounts: Int32Array;
  readonly queryCounts: Int32Array;
  /** What is seen [rows, block, width·block], where some block is partial. */
  readonly allow: Uint8Array | undefined;
}

/** Lists whose shortest has this share of the longest are gathered together: padding at most doubles them. */
const ALIKE = 0.5;

/** Blocks of queries that keep alike many blocks of keys: what a mask says of them, whatever the batch. */
interface AlikeRows {
  readonly blocks: readonly number[];
  readonly width: number;
  /** What is seen [blocks, block, width·block], where some block is partial. */
  readonly cells: Uint8Array | undefined;
}

/** A mask serves many calls, and never changes. */
const known = new WeakMap<BlockMask, readonly AlikeRows[]>();

function alikeRows(mask: BlockMask): readonly AlikeRows[] {
  const before = known.get(mask);
  if (before) return before;
  const alike: number[][] = [];
  const size = (a: number) => mask.rows[a]!.length;
  const order = mask.rows.map((_, a) => a).sort((a, b) => size(b) - size(a) || a - b);
  for (const a of order) {
    const last = alike.at(-1);
    if (last && size(a) >= ALIKE * size(last[0]!)) last.push(a);
    else alike.push([a]);
  }
  const all = alike.map((unordered) => {
    const blocks = unordered.sort((a, b) => a - b);
    // A list without a block still gets one, which its count of 0 keys hides.
    const width = Math.max(1, ...blocks.map(size));
    return { blocks, width, cells: cellsOf(mask, blocks, width) };
  });
  known.set(mask, all);
  return all;
}

/** The calls that attention under a block mask takes. */
export function planOf(mask: BlockMask, lengths: Lengths, Hkv: number): RowGroup[] {
  return alikeRows(mask).map((alike) => groupOf(mask, lengths, Hkv, alike));
}

function groupOf(
  mask: BlockMask,
  lengths: Lengths,
  Hkv: number,
  { blocks, width, cells }: AlikeRows,
): RowGroup {
  const { S, T, block } = mask;
  const N = lengths.keys.length * Hkv;
  const nq = mask.rows.length;
  const nk = Math.ceil(S / block);
  const count = N * blocks.length;
  const group = {
    rows: new Int32Array(count),
    width,
    keyIds: new Int32Array(count * width),
    keyCounts: new Int32Array(count),
    queryCounts: new Int32Array(count),
  };
  const within = (n: number, at: number) => Math.min(block, Math.max(0, n - at * block));
  for (let n = 0; n < N; n++) {
    const b = Math.floor(n / Hkv);
    const [keys, queries] = [Math.min(S, lengths.keys[b]!), Math.min(T, lengths.queries[b]!)];
    blocks.forEach((a, at) => {
      const row = n * blocks.length + at;
      group.rows[row] = n * nq + a;
      group.queryCounts[row] = within(queries, a);
      group.keyIds.fill(n * nk, row * width, (row + 1) * width);
      mask.rows[a]!.forEach((kept, m) => {
        group.keyIds[row * width + m] = n * nk + kept.at;
        group.keyCounts[row]! += within(keys, kept.at);
      });
    });
  }
  return { ...group, allow: cells && repeated(cells, N) };
}

function cellsOf(
  { T, S, block, rows, pattern }: BlockMask,
  blocks: readonly number[],
  width: number,
): Uint8Array | undefined {
  if (blocks.every((a) => rows[a]!.every(({ full }) => full))) return undefined;
  const one = new Uint8Array(blocks.length * block * width * block);
  blocks.forEach((a, at) => {
    const queries = Math.min(block, T - a * block);
    for (let i = 0; i < queries; i++) {
      const start = (at * block + i) * width * block;
      rows[a]!.forEach((kept, m) => {
        const cells = start + m * block;
        const keys = Math.min(block, S - kept.at * block);
        if (kept.full) one.fill(1, cells, cells + keys);
        else {
          for (let j = 0; j < keys; j++) {
            one[cells + j] = pattern(a * block + i, kept.at * block + j) ? 1 : 0;
          }
        }
      });
    }
  });
  return one;
}

/** The same cells for each of N examples and heads. */
function repeated(cells: Uint8Array, N: number): Uint8Array {
  const all = new Uint8Array(N * cells.length);
  for (let n = 0; n < N; n++) all.set(cells, n * cells.length);
  return all;
}
