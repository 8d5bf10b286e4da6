// The sums of the backward pass for a handful of queries: like decode.ts, from rows where they are. A training step of a
// recurrent decoder is many of these, one query over a short source each.
import { at, fma } from "../simd";
import { Problem } from "./problem";
import { wide } from "./pack";
import { LD } from "./scores";

/** dvSum += sᵀ dout, dkSum += dsᵀ q and dq += ds k; what has weight 0 is not read. `dq` starts at row i0. */
export function decodeGradients(
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
