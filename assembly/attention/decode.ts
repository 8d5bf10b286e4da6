// The two products for a handful of queries, as when decoding against a cache: keys and values are read once, where
// they are, because packing them would cost more than it saves.
import { sum4 } from "../math";
import { at, fma } from "../simd";
import { Problem } from "./problem";
import { BK } from "./scores";

/** Queries for which packing never pays, however many keys there are (src/kernels/wasm/attention/heads.ts knows it too). */
// @ts-ignore: decorator
@inline export const FEW: i32 = 4;

/**
 * Whether there are so few queries that this is faster: up to 4, or up to 6, a beam, over one block of keys, where
 * packing would be most of the work. (Gradients of 5 queries, D = 512, S = 12: 53 µs a head instead of 73; S = 512,
 * D = 64: 330 instead of 230.) Forward, weights and gradients all go by it: they must round scores alike, because
 * e^(score − lse) of a score near 10⁴ shows the last bit.
 */
export function isDecode(p: Problem): bool {
  return p.T <= FEW || (p.T <= 6 && p.S <= BK);
}

/**
 * (factor · query) · key for every pair, four keys at a time: scaled first, as panels are, so that both overflow alike. Rows are `queryRow` and `keyRow` floats apart; results go
 * to s, `queryStep` bytes from one query to the next and `keyStep` from one key to the next.
 */
export function decodeProducts(
  queries: usize, queryRow: i32, keys: usize, keyRow: i32, s: usize, queryStep: usize, keyStep: usize, nq: i32, nk: i32,
  width: i32, factor: f32,
): void {
  const row = <usize>keyRow << 2, scale = f32x4.splat(factor);
  for (let i = 0; i < nq; i++) {
    const q = at(queries, i * queryRow);
    for (let j = 0; j < nk; j += 4) {
      // Past the last key, its row once more: those results are hidden or never read.
      const last = nk - 1, out = s + <usize>i * queryStep + <usize>j * keyStep;
      const k0 = keys + <usize>j * row, k1 = keys + <usize>min(j + 1, last) * row;
      const k2 = keys + <usize>min(j + 2, last) * row, k3 = keys + <usize>min(j + 3, last) * row;
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, d = 0;
      for (; d + 4 <= width; d += 4) {
        const x = f32x4.mul(v128.load(at(q, d)), scale);
        s0 = fma(x, v128.load(at(k0, d)), s0);
        s1 = fma(x, v128.load(at(k1, d)), s1);
        s2 = fma(x, v128.load(at(k2, d)), s2);
        s3 = fma(x, v128.load(at(k3, d)), s3);
      }
      let t0 = sum4(s0), t1 = sum4(s1), t2 = sum4(s2), t3 = sum4(s3);
      for (; d < width; d++) {
        const x = f32.load(at(q, d)) * factor;
        t0 += x * f32.load(at(k0, d)); t1 += x * f32.load(at(k1, d));
        t2 += x * f32.load(at(k2, d)); t3 += x * f32.load(at(k3, d));
      }
      f32.store(out, t0);
      f32.store(out + keyStep, t1);
      f32.store(out + 2 * keyStep, t2);
      f32.store(out + 3 * keyStep, t3);
    }
  }
}

/** o[query][column] += Σ_key s[key][query] · v[key][column]; a weight of 0 leaves its value unread. */
export function decodeSums(p: Problem, s: usize, ld: usize, o: usize, ldo: usize, j0: i32, nk: i32, nq: i32): void {
  const Dv = p.Dv, row = <usize>p.vRow << 2, values = at(p.v, j0 * p.vRow);
  for (let i = 0; i < nq; i++) {
    const out = o + <usize>i * ldo, weights = s + (<usize>i << 2), end = weights + <usize>nk * ld;
    let c = 0;
    for (; c + 32 <= Dv; c += 32) {
      const to = at(out, c);
      let a0 = v128.load(to), a1 = v128.load(to, 16), a2 = v128.load(to, 32), a3 = v128.load(to, 48);
      let a4 = v128.load(to, 64), a5 = v128.load(to, 80), a6 = v128.load(to, 96), a7 = v128.load(to, 112);
      for (let w = weights, v = at(values, c); w < end; w += ld, v += row) {
        if (f32.load(w) == 0) continue;
        const x = v128.load32_splat(w);
        a0 = fma(x, v128.load(v), a0); a1 = fma(x, v128.load(v, 16), a1);
        a2 = fma(x, v128.load(v, 32), a2); a3 = fma(x, v128.load(v, 48), a3);
        a4 = fma(x, v128.load(v, 64), a4); a5 = fma(x, v128.load(v, 80), a5);
        a6 = fma(x, v128.load(v, 96), a6); a7 = fma(x, v128.load(v, 112), a7);
      }
      v128.store(to, a0); v128.store(to, a1, 16); v128.store(to, a2, 32); v128.store(to, a3, 48);
      v128.store(to, a4, 64); v128.store(to, a5, 80); v128.store(to, a6, 96); v128.store(to, a7, 112);
    }
    // Four columns at a time; the last ones read past the row and land in the padding of o.
    for (; c < Dv; c += 4) {
      let a = v128.load(at(out, c));
      for (let w = weights, v = at(values, c); w < end; w += ld, v += row) {
        if (f32.load(w) != 0) a = fma(v128.load32_splat(w), v128.load(v), a);
      }
      v128.store(at(out, c), a);
    }
  }
}
