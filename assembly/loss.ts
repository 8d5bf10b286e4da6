// Softmax cross-entropy over rows of V logits: two reads of a row forward, one read and one write backward.
import { load, store } from "./lanes";
import { logf, vexp } from "./math";
import { maxRow } from "./max";
import { at } from "./simd";
import { sumExp } from "./sum-exp";

// Σ (x − m), in float64: ten thousand float32 terms of one sign would lose four digits.
function sumShifted(x: usize, V: i32, m: f32): f64 {
  const m4 = f32x4.splat(m);
  let s0 = f64x2.splat(0), s1 = s0, j = 0;
  for (; j + 4 <= V; j += 4) {
    const v = f32x4.sub(v128.load(at(x, j)), m4);
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3)));
  }
  s0 = f64x2.add(s0, s1);
  let s = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; j < V; j++) s += <f64>(f32.load(at(x, j)) - m);
  return s;
}

/**
 * losses[i] = ln Σ eˣ − (1 − ε)·x[label] − ε/V·Σx, 0 where label < 0. norms[i] = (m, ln Σ e^(x−m)) with m the greatest
 * x: kept apart, because their sum would round the small part away. The caller has made sure that labels are below V.
 */
export function softmaxCrossEntropy(
  x: usize, labels: usize, losses: usize, norms: usize, N: i32, V: i32, smoothing: f32,
): void {
  for (let i = 0; i < N; i++) {
    const label = i32.load(at(labels, i)), x_i = at(x, i * V);
    if (label < 0) { f32.store(at(losses, i), 0); f64.store(at(norms, 2 * i), 0); continue; }
    // A NaN is found later, by the sum of exponentials.
    const m = maxRow(x_i, V), log = logf(sumExp(x_i, V, m));
    let loss = log - (1 - smoothing) * (f32.load(at(x_i, label)) - m);
    if (smoothing > 0) loss -= <f32>(<f64>smoothing / <f64>V * sumShifted(x_i, V, m));
    f32.store(at(losses, i), loss);
    f32.store(at(norms, 2 * i), m);
    f32.store(at(norms, 2 * i), log, 4);
  }
}

// @ts-ignore: decorator
@inline function gradLanes(
  x: usize, dx: usize, m: v128, log: v128, rest: v128, d: v128, j: i32, lanes: i32,
): void {
  const p = vexp(f32x4.sub(f32x4.sub(load(at(x, j), lanes), m), log));
  store(at(dx, j), f32x4.mul(f32x4.sub(p, rest), d), lanes);
}

/** dx[i] = (softmax(x[i]) − target)·dloss[i], target = (1 − ε)·onehot + ε/V; 0 where label < 0. */
export function softmaxCrossEntropyGrad(
  x: usize, labels: usize, norms: usize, dloss: usize, dx: usize, N: i32, V: i32, smoothing: f32,
): void {
  for (let i = 0; i < N; i++) {
    const label = i32.load(at(labels, i)), x_i = at(x, i * V), dx_i = at(dx, i * V);
    if (label < 0) { memory.fill(dx_i, 0, <usize>V << 2); continue; }
    const d = f32.load(at(dloss, i)), rest = smoothing / <f32>V;
    const m4 = v128.load32_splat(at(norms, 2 * i)), log4 = v128.load32_splat(at(norms, 2 * i), 4);
    const rest4 = f32x4.splat(rest), d4 = f32x4.splat(d);
    let j = 0;
    for (; j + 4 <= V; j += 4) gradLanes(x_i, dx_i, m4, log4, rest4, d4, j, 4);
    if (j < V) gradLanes(x_i, dx_i, m4, log4, rest4, d4, j, V - j);
    const place = at(dx_i, label);
    f32.store(place, f32.load(place) - (1 - smoothing) * d);
  }
}
