// The five products of the backward pass for a handful of queries: like few.ts, from rows where they are. A training
// step of a recurrent decoder is many of these, one query over a short source each.
import { sum4 } from "../math";
import { at, fma } from "../simd";
import { Problem } from "./problem";
import { wide } from "./pack";
import { LD } from "./scores";

/** s[query][key] = factor · a[query] · b[key], rows `aRow` and `bRow` floats apart; four keys at a time. */
export function fewPairs(
  a: usize, aRow: i32, b: usize, bRow: i32, s: usize, nq: i32, nk: i32, width: i32, factor: f32,
): void {
  const step = <usize>bRow << 2;
  for (let i = 0; i < nq; i++) {
    const x = at(a, i * aRow), out = s + <usize>i * LD;
    for (let j = 0; j < nk; j += 4) {
      // Past the last key, its row once more: those lanes are hidden later.
      const last = nk - 1, y0 = b + <usize>j * step, y1 = b + <usize>min(j + 1, last) * step;
      const y2 = b + <usize>min(j + 2, last) * step, y3 = b + <usize>min(j + 3, last) * step;
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, d = 0;
      for (; d + 4 <= width; d += 4) {
        const v = v128.load(at(x, d));
        s0 = fma(v, v128.load(at(y0, d)), s0);
        s1 = fma(v, v128.load(at(y1, d)), s1);
        s2 = fma(v, v128.load(at(y2, d)), s2);
        s3 = fma(v, v128.load(at(y3, d)), s3);
      }
      let t0 = sum4(s0), t1 = sum4(s1), t2 = sum4(s2), t3 = sum4(s3);
      for (; d < width; d++) {
        const v = f32.load(at(x, d));
        t0 += v * f32.load(at(y0, d)); t1 += v * f32.load(at(y1, d));
        t2 += v * f32.load(at(y2, d)); t3 += v * f32.load(at(y3, d));
      }
      v128.store(at(out, j), f32x4.mul(f32x4(t0, t1, t2, t3), f32x4.splat(factor)));
    }
  }
}

/** dvSum += sᵀ dout, dkSum += dsᵀ q and dq += ds k; what has weight 0 is not read. `dq` starts at row i0. */
export function fewGradients(
  p: Problem, s: usize, ds: usize, dq: usize, i0: i32, nq: i32, j0: i32, nk: i32,
): void {
  const D = p.D, Dv = p.Dv, wideD = wide(D), wideDv = wide(Dv);
  for (let i = 0; i < nq; i++) {
    const dout = at(p.dout, (i0 + i) * p.outRow), q = at(p.q, (i0 + i) * p.qRow), dqRow = at(dq, i * wideD);
    const weights = s + <usize>i * LD, slopes = ds + <usize>i * LD;
    for (let j = 0; j < nk; j++) {
      const weight = f32.load(at(weights, j)), slope = f32.load(at(slopes, j));
      if (weight != 0) addRow(at(p.dvSum, (j0 + j) * wideDv), dout, weight, Dv);
      if (slope != 0) {
        addRow(at(p.dkSum, (j0 + j) * wideD), q, slope, D);
        addRow(dqRow, at(p.k, (j0 + j) * p.kRow), slope, D);
      }
    }
  }
}

// y += factor · x; the last columns read past the row of x and land in the padding of y.
// @ts-ignore: decorator
@inline function addRow(y: usize, x: usize, factor: f32, n: i32): void {
  const f = f32x4.splat(factor);
  for (let c = 0; c < n; c += 4) v128.store(at(y, c), fma(f, v128.load(at(x, c)), v128.load(at(y, c))));
}
