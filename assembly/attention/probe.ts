// Statistics of the weights, taken from each block of 48 queries × 96 keys while it is in the cache: the weights
// themselves are never stored. Sums are float32 within a block and float64 beyond it. The weights are those of
// weights.ts, to the bit.
//
// CPU time beside the forward pass of the same head, T = S = 16384, D = 64, one thread, Node 20, relaxed build, on a
// busy machine (the least of two alternating runs): forward 1.83 s, entropy 0.71 of it, the 8 largest 0.72, the tiles
// of a 64 × 64 map 0.79, entropy, maximum and the 8 largest 0.78, everything at once 0.87; one row 2 ms, 64 rows 28 ms.
import { sum4 } from "../math";
import { maxRow } from "../max";
import { at } from "../simd";
import { sumRow } from "../sum";
import { Problem } from "./problem";
import { BK, BQ, blockKeys, LD } from "./scores";
import { blockScores, packQueries, weigh } from "./weights";

/** What the problem asks for, of queries [i0, i1); i0 is row0 and whole blocks. Scratch as for attentionWeights. */
export function attentionProbe(p: Problem, i0: i32, i1: i32, scratch: usize): void {
  for (let i = i0; i < i1; i += BQ) block(p, i, min(BQ, i1 - i), scratch);
}

function block(p: Problem, i0: i32, nq: i32, s: usize): void {
  const first = (max(0, i0 + p.low) / BK) * BK, end = min(p.S, i0 + nq + p.high);
  const columns = at(p.columnSums, ((i0 - p.row0) / BQ) * (((p.S + 23) / 24) * 24));
  clear(p, i0 - p.row0, nq);
  if (p.columnSums && first < end) memory.fill(at(columns, first), 0, <usize>(end - first) << 2);
  packQueries(p, i0, nq, s);
  let tile = 0;
  for (let j = first; j < end; j += BK) {
    const nk = blockKeys(p.S, j);
    if (!blockScores(p, i0, nq, j, nk, s)) continue;
    if (p.tileSums) while (i32.load(at(p.tileStarts, tile + 1)) <= j) tile++;
    for (let r = 0; r < nq; r++) {
      const row = s + <usize>r * LD, n = i0 - p.row0 + r;
      const entropy = weigh(row, nk, f32.load(at(p.lse, i0 + r)), f32.load(at(p.lseLow, i0 + r)));
      if (p.entropy) add(p.entropy, n, -sum4(entropy));
      if (p.topWeights) rank(p, n, row, nk, j);
      if (p.distance) add(p.distance, n, reach(row, nk, i0 + r + p.offset - j));
      if (p.blockMax) raiseBlocks(p, n, row, j, min(j + nk, p.S));
      if (p.tileSums) sumTiles(p, n, row, j, min(j + nk, p.S), tile);
    }
    if (p.columnSums) sumColumns(s, nq, nk, at(columns, j));
  }
}

function clear(p: Problem, n: i32, nq: i32): void {
  const rows = <usize>nq;
  if (p.entropy) memory.fill(p.entropy + (<usize>n << 3), 0, rows << 3);
  if (p.distance) memory.fill(p.distance + (<usize>n << 3), 0, rows << 3);
  if (p.tileSums) memory.fill(p.tileSums + (<usize>(n * p.tileColumns) << 3), 0, (rows * p.tileColumns) << 3);
  if (p.blockMax) memory.fill(at(p.blockMax, n * p.blockColumns), 0, (rows * p.blockColumns) << 2);
  if (p.topWeights) {
    memory.fill(at(p.topWeights, n * p.topCount), 0, (rows * p.topCount) << 2);
    memory.fill(at(p.topKeys, n * p.topCount), 0xff, (rows * p.topCount) << 2);
  }
}

/** sums[n] += x, in float64. */
// @ts-ignore: decorator
@inline function add(sums: usize, n: i32, x: f32): void {
  const address = sums + (<usize>n << 3);
  f64.store(address, f64.load(address) + <f64>x);
}

// Row n's list is sorted, the largest first. It begins with weights of 0, so a weight of 0 never enters, and of equal
// ones the first stays first. Most weights are below the list's last, and four at a time are told so.
function rank(p: Problem, n: i32, row: usize, nk: i32, j: i32): void {
  const count = p.topCount, weights = at(p.topWeights, n * count), keys = at(p.topKeys, n * count);
  let last = v128.load32_splat(at(weights, count - 1));
  for (let c = 0; c < nk; c += 4) {
    let beats = i32x4.bitmask(f32x4.gt(v128.load(at(row, c)), last));
    if (!beats) continue;
    for (; beats; beats &= beats - 1) {
      const lane = c + ctz(beats);
      insert(weights, keys, count, f32.load(at(row, lane)), j + lane);
    }
    last = v128.load32_splat(at(weights, count - 1));
  }
}

function insert(weights: usize, keys: usize, count: i32, w: f32, key: i32): void {
  let n = count - 1;
  // A neighbour may have raised the bar.
  if (w <= f32.load(at(weights, n))) return;
  for (; n > 0; n--) {
    const before = f32.load(at(weights, n - 1));
    if (before >= w) break;
    f32.store(at(weights, n), before);
    i32.store(at(keys, n), i32.load(at(keys, n - 1)));
  }
  f32.store(at(weights, n), w);
  i32.store(at(keys, n), key);
}

/** Σ w·|position − c| over the columns c of a row. */
function reach(row: usize, nk: i32, position: i32): f32 {
  let sum = f32x4.splat(0), away = i32x4.sub(i32x4.splat(position), i32x4(0, 1, 2, 3));
  for (let c = 0; c < nk; c += 4) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(at(row, c)), f32x4.convert_i32x4_s(i32x4.abs(away))));
    away = i32x4.sub(away, i32x4.splat(4));
  }
  return sum4(sum);
}

/** Adds keys [j, end) of row n to its tiles; `tile` is the one that key j is in. */
function sumTiles(p: Problem, n: i32, row: usize, j: i32, end: i32, tile: i32): void {
  for (let from = j; from < end; tile++) {
    const to = min(i32.load(at(p.tileStarts, tile + 1)), end);
    add(p.tileSums, n * p.tileColumns + tile, sumRow(at(row, from - j), to - from));
    from = to;
  }
}

/** Raises row n's blocks to the largest of keys [j, end). */
function raiseBlocks(p: Problem, n: i32, row: usize, j: i32, end: i32): void {
  const blocks = at(p.blockMax, n * p.blockColumns);
  for (let from = j; from < end; ) {
    const block = from / p.blockSide, to = min((block + 1) * p.blockSide, end), out = at(blocks, block);
    f32.store(out, max(f32.load(out), maxRow(at(row, from - j), to - from)));
    from = to;
  }
}

/** out[c] = Σ_r s[r][c], four running sums each. */
function sumColumns(s: usize, nq: i32, nk: i32, out: usize): void {
  for (let c = 0; c < nk; c += 4) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, r = 0, row = at(s, c);
    for (; r + 4 <= nq; r += 4) {
      a0 = f32x4.add(a0, v128.load(row)); a1 = f32x4.add(a1, v128.load(row + LD));
      a2 = f32x4.add(a2, v128.load(row + 2 * LD)); a3 = f32x4.add(a3, v128.load(row + 3 * LD));
      row += 4 * LD;
    }
    for (; r < nq; r++) {
      a0 = f32x4.add(a0, v128.load(row));
      row += LD;
    }
    v128.store(at(out, c), f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)));
  }
}
