// Products of one query's weights with the values. A weight of 0 leaves its value unread: what a hidden key holds,
// even NaN, meets no arithmetic.
import { load as loadLanes, store as storeLanes } from "../lanes";
import { sum4 } from "../math";
import { at, fma } from "../simd";

/** out[c] = Σ_j weights[j] · value[j, c] over keys [first, last). */
export function sumValues(weights: usize, value: usize, first: i32, last: i32, Dv: i32, out: usize): void {
  const zero = f32x4.splat(0), row = <usize>Dv << 2, start = at(weights, first), end = at(weights, last);
  const values = at(value, first * Dv);
  let c = 0;
  for (; c + 32 <= Dv; c += 32) {
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero, a6 = zero, a7 = zero;
    for (let w = start, v = at(values, c); w < end; w += 4, v += row) {
      if (f32.load(w) == 0) continue;
      const x = v128.load32_splat(w);
      a0 = fma(x, v128.load(v), a0); a1 = fma(x, v128.load(v, 16), a1);
      a2 = fma(x, v128.load(v, 32), a2); a3 = fma(x, v128.load(v, 48), a3);
      a4 = fma(x, v128.load(v, 64), a4); a5 = fma(x, v128.load(v, 80), a5);
      a6 = fma(x, v128.load(v, 96), a6); a7 = fma(x, v128.load(v, 112), a7);
    }
    const to = at(out, c);
    v128.store(to, a0); v128.store(to, a1, 16); v128.store(to, a2, 32); v128.store(to, a3, 48);
    v128.store(to, a4, 64); v128.store(to, a5, 80); v128.store(to, a6, 96); v128.store(to, a7, 112);
  }
  for (; c < Dv; c += 4) {
    const lanes = min(4, Dv - c);
    let a = zero;
    for (let w = start, v = at(values, c); w < end; w += 4, v += row) {
      if (f32.load(w) != 0) a = fma(v128.load32_splat(w), loadLanes(v, lanes), a);
    }
    storeLanes(at(out, c), a, lanes);
  }
}

/** a · b of n floats. */
export function dot(a: usize, b: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, c = 0;
  for (; c + 16 <= n; c += 16) {
    const x = at(a, c), y = at(b, c);
    s0 = fma(v128.load(x), v128.load(y), s0); s1 = fma(v128.load(x, 16), v128.load(y, 16), s1);
    s2 = fma(v128.load(x, 32), v128.load(y, 32), s2); s3 = fma(v128.load(x, 48), v128.load(y, 48), s3);
  }
  for (; c < n; c += 4) {
    const lanes = min(4, n - c);
    s0 = fma(loadLanes(at(a, c), lanes), loadLanes(at(b, c), lanes), s0);
  }
  return sum4(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
}

/** y[c] += factor · x[c] for n floats. */
export function addScaled(y: usize, factor: f32, x: usize, n: i32): void {
  const f = f32x4.splat(factor);
  let c = 0;
  for (; c + 8 <= n; c += 8) {
    const to = at(y, c), from = at(x, c);
    v128.store(to, fma(f, v128.load(from), v128.load(to)));
    v128.store(to, fma(f, v128.load(from, 16), v128.load(to, 16)), 16);
  }
  for (; c < n; c += 4) {
    const lanes = min(4, n - c), to = at(y, c);
    storeLanes(to, fma(f, loadLanes(at(x, c), lanes), loadLanes(to, lanes)), lanes);
  }
}
