// Attention of a few queries over keys and values that stay in this memory: decoding. A step reads each of them once, so
// the time is that of reading memory, if nothing else is in the way. Hence a layout of its own:
//
//     chunk     `rows` tokens of every example and head, 64 bytes that begin with the address of the next chunk before them
//     keys        blocks of 32 tokens, transposed: [rows / 32, D, 32]
//     values      strips of 32 columns, [rows, 32] each, and one narrower strip, a multiple of 4, for what is left
//
// so that both products are the same walk over one run of memory: to[0…31] += Σ w · x[0…31]. Scores take the weights w from
// the query and rows from the keys, sums take them from the softmax and from the values. Nothing is added across lanes, and a
// cache grows by chunks: what is there is never moved.
//
// Ladder. One query, 8 heads, S = 4096, D = Dv = 64: 16.8 MB, which lie in the third cache. Node 20, relaxed build, AMD EPYC,
// least times on a busy machine; the share is that of probes/bandwidth.ts, which adds the same bytes up in 0.20 ms.
//   rows of keys and of values as attention has them, four keys at a time        0.33 ms   (62 %)
//   + products in two halves, no spills (see `strip`)                             0.32      (67 %)
//   keys transposed, values in strips, chunks of 128 tokens                       0.29      (70 %)
//   chunks of 512 tokens                                                          0.25      (80 %)
//   + constants of e^y from memory, two vectors at a time                         0.24      (82 %)
//   chunks of 1024 tokens                                                         0.235     (84 %)
//   the whole text in one chunk, which could not grow                             0.23      (87 %)
//   plain build, chunks of 1024: a product and a sum where FMA is one step        0.28      (72 %)
//   scores of the last, partial block 8 tokens at a time: 33 keys take 4.5 µs instead of 4.9, 65 take 6.1 instead of 6.9
import { logf, max4, sum4 } from "../math";
import { at, fma } from "../simd";
import { expBelow, expWith, writeExpConstants } from "./exp";

/** Bytes before a chunk's first keys. */
// @ts-ignore: decorator
@inline const HEAD: usize = 64;
/** Queries that walk over the chunks together. */
// @ts-ignore: decorator
@inline const BAND: i32 = 16;

// What the kernels are told, four bytes a field (src/kernels/wasm/attention/cache.ts has the same list).
@unmanaged
export class Cache {
  /** The first chunk, and the tokens of each: a multiple of 32. */
  first: usize; rows: i32;
  H: i32; Hkv: i32; D: i32; Dv: i32;
  scale: f32;
  /** Written by `cacheAppend`: 1 once a value came that is not finite. A weight of 0 must leave it unread. */
  hasNonFinite: i32;
}

// @ts-ignore: decorator
@inline function columns(Dv: i32): i32 {
  return (Dv + 3) & ~3;
}

// @ts-ignore: decorator
@inline function headAt(c: Cache, chunk: usize, b: i32, g: i32): usize {
  return chunk + HEAD + (<usize>(b * c.Hkv + g) * <usize>(c.rows * (c.D + columns(c.Dv))) << 2);
}

/**
 * Writes `count` tokens of example b to rows `row` and on of a chunk, in which they must fit. Those of a head follow one
 * another at k and v; `kHead` and `vHead` are the bytes from one head to the next.
 */
export function cacheAppend(
  c: Cache, chunk: usize, b: i32, row: i32, count: i32, k: usize, kHead: i32, v: usize, vHead: i32,
): void {
  const D = c.D, Dv = c.Dv, rows = c.rows, wide = Dv & ~31, rest = columns(Dv) - wide;
  let flaws: f32 = 0;
  for (let g = 0; g < c.Hkv; g++) {
    const keys = headAt(c, chunk, b, g), values = at(keys, rows * D);
    for (let t = 0; t < count; t++) {
      const r = row + t, key = at(k + <usize>(g * kHead), t * D), value = at(v + <usize>(g * vHead), t * Dv);
      const to = at(keys, (r >> 5) * D * 32 + (r & 31));
      for (let d = 0; d < D; d++) f32.store(at(to, d << 5), f32.load(at(key, d)));
      for (let d = 0; d < Dv; d++) {
        const x = f32.load(at(value, d));
        // 0, but NaN where x is not finite.
        flaws += x * 0;
        const place = d < wide ? (d >> 5) * rows * 32 + (r << 5) + (d & 31) : wide * rows + r * rest + (d - wide);
        f32.store(at(values, place), x);
      }
    }
  }
  if (flaws != 0) c.hasNonFinite = 1;
}

/**
 * Attention of T queries of example b, the last of which sees `seen` rows and each one row less than the next: q [H, T, D] →
 * out [H, T, Dv] and lse [H, T]. Scratch has `rows` + 9 floats, and D + Dv + 2 for each of 16 queries, Dv up to a multiple of 4.
 */
export function cacheAttend(
  c: Cache, b: i32, seen: i32, T: i32, q: usize, out: usize, lse: usize, scratch: usize,
): void {
  const heads = c.H / c.Hkv, total = heads * T;
  for (let g = 0; g < c.Hkv; g++) {
    for (let first = 0; first < total; first += BAND) {
      band(c, b, g, seen, T, first, min(BAND, total - first), q, out, lse, scratch);
    }
  }
}

// Row r of a group is query r % T of its head r / T, and all of them follow one another in q, out and lse.
function band(
  c: Cache, b: i32, g: i32, seen: i32, T: i32, first: i32, count: i32, q: usize, out: usize, lse: usize, s: usize,
): void {
  const D = c.D, Dv = c.Dv, wide = columns(Dv), rows = c.rows, row0 = g * (c.H / c.Hkv) * T + first;
  const queries = at(s, rows), o = at(queries, BAND * D), m = at(o, BAND * wide), l = at(m, BAND);
  const constants = at(l, BAND);
  writeExpConstants(constants);
  memory.fill(o, 0, <usize>(count * wide) << 2);
  for (let r = 0; r < count; r++) {
    const from = at(q, (row0 + r) * D), to = at(queries, r * D);
    for (let d = 0; d < D; d++) f32.store(at(to, d), c.scale * f32.load(at(from, d)));
    f32.store(at(m, r), -Infinity);
    f32.store(at(l, r), 0);
  }
  let chunk = c.first;
  for (let j = 0; j < seen; j += rows) {
    const keys = headAt(c, chunk, b, g), values = at(keys, rows * D);
    for (let r = 0; r < count; r++) {
      const n = min(rows, seen - (T - 1 - (first + r) % T) - j);
      if (n > 0) visit(c, keys, values, n, at(queries, r * D), at(o, r * wide), at(m, r), at(l, r), s, constants);
    }
    chunk = load<usize>(chunk);
  }
  for (let r = 0; r < count; r++) {
    const sum = f32.load(at(l, r)), to = at(out, (row0 + r) * Dv);
    const factor: f32 = sum == 0 ? 0 : 1 / sum;
    for (let d = 0; d < Dv; d++) f32.store(at(to, d), factor * f32.load(at(o, r * wide + d)));
    f32.store(at(lse, row0 + r), sum == 0 ? -Infinity : f32.load(at(m, r)) + logf(sum));
  }
}

// One query over the first n tokens of a chunk: raises m, adds to l and o.
function visit(
  c: Cache, keys: usize, values: usize, n: i32, q: usize, o: usize, m: usize, l: usize, s: usize, constants: usize,
): void {
  const D = c.D, Dv = c.Dv, lanes = (n + 7) & ~7, wide = Dv & ~31, rest = columns(Dv) - wide;
  memory.fill(s, 0, <usize>((n + 31) & ~31) << 2);
  const whole = n & ~31;
  for (let j = 0; j < whole; j += 32) strip(q, D, at(keys, j * D), at(s, j));
  // A block of few tokens would cost as much as a whole one: its 32 sums are one after the other what 8 are side by side.
  if (n - whole > 24) strip(q, D, at(keys, whole * D), at(s, whole));
  else for (let j = whole; j < n; j += 8) eight(q, D, at(keys, whole * D + (j - whole)), at(s, j));
  for (let j = n; j < lanes; j++) f32.store(at(s, j), -Infinity);
  const before = f32.load(m), most = greatest(s, lanes, before);
  if (most > before) {
    f32.store(m, most);
    if (before != -Infinity) shrink(o, columns(Dv), l, before - most);
  }
  f32.store(l, f32.load(l) + exponentials(s, lanes, most, constants));
  for (let d = 0; d < wide; d += 32) {
    const x = at(values, d * c.rows);
    if (c.hasNonFinite) narrow(s, n, x, 32, at(o, d), true);
    else strip(s, n, x, at(o, d));
  }
  if (rest) narrow(s, n, at(values, wide * c.rows), rest, at(o, wide), c.hasNonFinite != 0);
}

/** to[0…31] += Σ_r w[r] · x[r][0…31]. Out of line, like `tile`, so that its accumulators stay in registers. */
function strip(w: usize, n: i32, x: usize, to: usize): void {
  let a0 = v128.load(to), a1 = v128.load(to, 16), a2 = v128.load(to, 32), a3 = v128.load(to, 48);
  let a4 = v128.load(to, 64), a5 = v128.load(to, 80), a6 = v128.load(to, 96), a7 = v128.load(to, 112);
  const end = at(w, n);
  while (w < end) {
    const f = v128.load32_splat(w);
    a0 = fma(f, v128.load(x), a0); a1 = fma(f, v128.load(x, 16), a1);
    a2 = fma(f, v128.load(x, 32), a2); a3 = fma(f, v128.load(x, 48), a3);
    // Never true. V8 loads all that a basic block reads before it multiplies: eight vectors at once and the sums are more
    // than it has registers for.
    if (w == end) break;
    a4 = fma(f, v128.load(x, 64), a4); a5 = fma(f, v128.load(x, 80), a5);
    a6 = fma(f, v128.load(x, 96), a6); a7 = fma(f, v128.load(x, 112), a7);
    w += 4; x += 128;
  }
  v128.store(to, a0); v128.store(to, a1, 16); v128.store(to, a2, 32); v128.store(to, a3, 48);
  v128.store(to, a4, 64); v128.store(to, a5, 80); v128.store(to, a6, 96); v128.store(to, a7, 112);
}

/** to[0…7] = Σ_r w[r] · x[r][0…7] of rows of 32, four rows at a time, so that no sum waits for itself. */
function eight(w: usize, n: i32, x: usize, to: usize): void {
  let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  const end = at(w, n);
  for (const four = at(w, n & ~3); w < four; w += 16, x += 512) {
    const f0 = v128.load32_splat(w), f1 = v128.load32_splat(w, 4), f2 = v128.load32_splat(w, 8), f3 = v128.load32_splat(w, 12);
    a0 = fma(f0, v128.load(x), a0); a1 = fma(f0, v128.load(x, 16), a1);
    b0 = fma(f1, v128.load(x, 128), b0); b1 = fma(f1, v128.load(x, 144), b1);
    c0 = fma(f2, v128.load(x, 256), c0); c1 = fma(f2, v128.load(x, 272), c1);
    d0 = fma(f3, v128.load(x, 384), d0); d1 = fma(f3, v128.load(x, 400), d1);
  }
  for (; w < end; w += 4, x += 128) {
    const f = v128.load32_splat(w);
    a0 = fma(f, v128.load(x), a0); a1 = fma(f, v128.load(x, 16), a1);
  }
  v128.store(to, f32x4.add(f32x4.add(a0, b0), f32x4.add(c0, d0)));
  v128.store(to, f32x4.add(f32x4.add(a1, b1), f32x4.add(c1, d1)), 16);
}

// Like `strip`, for any width that is a multiple of 4; `skips` leaves rows of weight 0 unread.
function narrow(w: usize, n: i32, x: usize, width: i32, to: usize, skips: bool): void {
  const row = <usize>width << 2, end = at(w, n);
  for (let column: usize = 0; column < row; column += 16) {
    let a = v128.load(to + column);
    for (let p = w, y = x + column; p < end; p += 4, y += row) {
      if (skips && f32.load(p) == 0) continue;
      a = fma(v128.load32_splat(p), v128.load(y), a);
    }
    v128.store(to + column, a);
  }
}

// pmax keeps its left side where the right one is NaN: a NaN is no maximum, it shows up in the sum.
function greatest(s: usize, n: i32, least: f32): f32 {
  let b0 = f32x4.splat(least), b1 = b0;
  for (const end = at(s, n); s < end; s += 32) {
    b0 = f32x4.pmax(b0, v128.load(s));
    b1 = f32x4.pmax(b1, v128.load(s, 16));
  }
  return max4(f32x4.pmax(b0, b1));
}

// o and l times e^y.
function shrink(o: usize, n: i32, l: usize, y: f32): void {
  const factor = expBelow(f32x4.splat(y));
  f32.store(l, f32.load(l) * f32x4.extract_lane(factor, 0));
  for (let d = 0; d < n; d += 4) v128.store(at(o, d), f32x4.mul(v128.load(at(o, d)), factor));
}

// s ← e^(s − m); returns their sum.
function exponentials(s: usize, n: i32, m: f32, constants: usize): f32 {
  const k0 = v128.load32_splat(constants), k1 = v128.load32_splat(constants, 4), k2 = v128.load32_splat(constants, 8);
  const k3 = v128.load32_splat(constants, 12), k4 = v128.load32_splat(constants, 16), k5 = v128.load32_splat(constants, 20);
  const k6 = v128.load32_splat(constants, 24), k7 = v128.load32_splat(constants, 28), least = v128.load32_splat(constants, 32);
  if (m == Infinity) saturate(s, n);
  const most = f32x4.splat(abs(m) == Infinity ? 0 : m);
  let l0 = f32x4.splat(0), l1 = l0;
  for (const end = at(s, n); s < end; s += 32) {
    // pmax keeps a NaN on its left.
    const y0 = f32x4.pmax(f32x4.sub(v128.load(s), most), least), y1 = f32x4.pmax(f32x4.sub(v128.load(s, 16), most), least);
    const e0 = expWith(y0, k0, k1, k2, k3, k4, k5, k6, k7), e1 = expWith(y1, k0, k1, k2, k3, k4, k5, k6, k7);
    v128.store(s, e0); v128.store(s, e1, 16);
    l0 = f32x4.add(l0, e0); l1 = f32x4.add(l1, e1);
  }
  return sum4(f32x4.add(l0, l1));
}

// Scores of +∞ take all the mass, in equal shares: 0 for them and −∞ for the others, NaN apart.
function saturate(s: usize, n: i32): void {
  const infinity = f32x4.splat(Infinity);
  for (const end = at(s, n); s < end; s += 16) {
    const x = v128.load(s);
    v128.store(s, v128.bitselect(f32x4.splat(0), f32x4.sub(x, infinity), f32x4.eq(x, infinity)));
  }
}
