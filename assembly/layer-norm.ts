// Layer normalisation of rows of C floats, and its gradient: a row stays in the first cache between its passes.
//
// A mean near 10⁴ cannot be held in float32 to better than 5e-4, which would be the error of (x − mean)/σ for σ = 1.
// So rows are taken in two steps: `shift`, the mean as float32 finds it, then `rest`, the mean of what x − shift
// leaves. x − shift is exact where the two are within a factor of 2, and the variance is summed around it.
//
// A row whose sum or squares float32 cannot hold is measured in units of 2⁸⁰, its statistics in float64.
// stats[i] = (shift, rest, 1/σ, unit), four floats a row, all but `unit` of the row times unit; from them the gradient
// makes the same x̂ again.
import { load, store } from "./lanes";
import { sum4 } from "./math";
import { at, fma } from "./simd";
import { sumRow } from "./sum";
import { UNIT } from "./unit";

// x̂ = (x·unit − shift − rest)/σ of some lanes of a row.
// @ts-ignore: decorator
@inline function normalized(x: v128, shift: v128, rest: v128, scale: v128, unit: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.sub(f32x4.mul(x, unit), shift), rest), scale);
}

/** The statistics of a row whose sum or squares are too large for float32. */
function measureLarge(x: usize, C: i32, epsilon: f32, stats: usize): void {
  // From the first element on: in rows of equal elements every difference is 0, where a mean would be a rounding off.
  const first = <f64>f32.load(x), portion = 1 / <f64>C;
  let s: f64 = 0, q: f64 = 0;
  for (let j = 0; j < C; j++) s += <f64>f32.load(at(x, j)) - first;
  const beyond = s * portion;
  for (let j = 0; j < C; j++) {
    const d = <f64>f32.load(at(x, j)) - first - beyond;
    q += d * d;
  }
  const mean = (first + beyond) * UNIT, shift = <f32>mean;
  // At most 2¹²⁷: the 0 of equal elements stays 0 for any epsilon.
  const scale = min<f64>(1 / (sqrt<f64>(q * portion + epsilon) * UNIT), <f64>1.7014118346046923e38);
  f32.store(stats, shift);
  f32.store(stats, <f32>(mean - shift), 4);
  f32.store(stats, <f32>scale, 8);
  f32.store(stats, UNIT, 12);
}

/** out = γ·x̂ + β with x̂ = (x − mean)/√(variance + ε), both over the C elements of a row, the variance their mean square. */
export function layerNorm(
  x: usize, gamma: usize, beta: usize, out: usize, stats: usize, N: i32, C: i32, epsilon: f32,
): void {
  const portion: f32 = 1 / <f32>C;
  for (let i = 0; i < N; i++) {
    const x_i = at(x, i * C), out_i = at(out, i * C), stats_i = at(stats, 4 * i);
    const shift = sumRow(x_i, C) * portion, shift4 = f32x4.splat(shift);
    let s0 = f32x4.splat(0), s1 = s0, q0 = s0, q1 = s0, j = 0;
    for (; j + 8 <= C; j += 8) {
      const d0 = f32x4.sub(v128.load(at(x_i, j)), shift4), d1 = f32x4.sub(v128.load(at(x_i, j), 16), shift4);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = fma(d0, d0, q0);
      q1 = fma(d1, d1, q1);
    }
    let s = sum4(f32x4.add(s0, s1)), q = sum4(f32x4.add(q0, q1));
    for (; j < C; j++) {
      const d = f32.load(at(x_i, j)) - shift;
      s += d;
      q += d * d;
    }
    // `rest` is as small as a rounding of the mean: its square takes nothing away that matters.
    const rest = s * portion, scale: f32 = 1 / sqrt<f32>(max<f32>(q * portion - rest * rest, 0) + epsilon);
    // 0·∞ and 0·NaN are NaN.
    if (s * 0 + q * 0 == 0) {
      f32.store(stats_i, shift);
      f32.store(stats_i, rest, 4);
      f32.store(stats_i, scale, 8);
      f32.store(stats_i, 1, 12);
    } else measureLarge(x_i, C, epsilon, stats_i);
    const from = v128.load32_splat(stats_i), rest4 = v128.load32_splat(stats_i, 4);
    const scale4 = v128.load32_splat(stats_i, 8), unit = v128.load32_splat(stats_i, 12);
    for (j = 0; j + 4 <= C; j += 4) scaleLanes(x_i, gamma, beta, out_i, from, rest4, scale4, unit, j, 4);
    if (j < C) scaleLanes(x_i, gamma, beta, out_i, from, rest4, scale4, unit, j, C - j);
  }
}

// @ts-ignore: decorator
@inline function scaleLanes(
  x: usize, gamma: usize, beta: usize, out: usize, shift: v128, rest: v128, scale: v128, unit: v128, j: i32, lanes: i32,
): void {
  const y = normalized(load(at(x, j), lanes), shift, rest, scale, unit);
  store(at(out, j), fma(y, load(at(gamma, j), lanes), load(at(beta, j), lanes)), lanes);
}

/**
 * Gradients of layerNorm, with g = dy·γ and means over the row:
 *
 *     dx = (g − mean(g) − x̂·mean(g·x̂))/σ    dγ = Σ_rows dy·x̂    dβ = Σ_rows dy,
 *
 * both sums in the order of the rows.
 */
export function layerNormGrad(
  x: usize, gamma: usize, stats: usize, dy: usize, dx: usize, dgamma: usize, dbeta: usize, N: i32, C: i32,
): void {
  const portion: f32 = 1 / <f32>C;
  memory.fill(dgamma, 0, <usize>C << 2);
  memory.fill(dbeta, 0, <usize>C << 2);
  for (let i = 0; i < N; i++) {
    const x_i = at(x, i * C), dy_i = at(dy, i * C), dx_i = at(dx, i * C), stats_i = at(stats, 4 * i);
    const shift = v128.load32_splat(stats_i), rest = v128.load32_splat(stats_i, 4);
    const scale = v128.load32_splat(stats_i, 8), unit = v128.load32_splat(stats_i, 12);
    // Σ g and Σ g·x̂ of the row, while dγ and dβ take their terms.
    let s4 = f32x4.splat(0), p4 = s4, j = 0;
    for (; j + 4 <= C; j += 4) {
      const d = v128.load(at(dy_i, j)), g = f32x4.mul(d, v128.load(at(gamma, j)));
      const y = normalized(v128.load(at(x_i, j)), shift, rest, scale, unit);
      s4 = f32x4.add(s4, g);
      p4 = fma(g, y, p4);
      v128.store(at(dgamma, j), fma(d, y, v128.load(at(dgamma, j))));
      v128.store(at(dbeta, j), f32x4.add(d, v128.load(at(dbeta, j))));
    }
    let s = sum4(s4), p = sum4(p4);
    for (; j < C; j++) {
      const d = f32.load(at(dy_i, j)), g = d * f32.load(at(gamma, j));
      const y = f32x4.extract_lane(normalized(v128.load32_splat(at(x_i, j)), shift, rest, scale, unit), 0);
      s += g;
      p += g * y;
      f32.store(at(dgamma, j), f32.load(at(dgamma, j)) + d * y);
      f32.store(at(dbeta, j), f32.load(at(dbeta, j)) + d);
    }
    const mean = f32x4.splat(s * portion), slope = f32x4.splat(p * portion);
    for (j = 0; j + 4 <= C; j += 4) gradLanes(x_i, gamma, dy_i, dx_i, shift, rest, scale, unit, mean, slope, j, 4);
    if (j < C) gradLanes(x_i, gamma, dy_i, dx_i, shift, rest, scale, unit, mean, slope, j, C - j);
  }
}

// dx = (g − mean − x̂·slope)/σ of some lanes of a row.
// @ts-ignore: decorator
@inline function gradLanes(
  x: usize, gamma: usize, dy: usize, dx: usize,
  shift: v128, rest: v128, scale: v128, unit: v128, mean: v128, slope: v128, j: i32, lanes: i32,
): void {
  const g = f32x4.mul(load(at(dy, j), lanes), load(at(gamma, j), lanes));
  const y = normalized(load(at(x, j), lanes), shift, rest, scale, unit);
  const raw = f32x4.mul(f32x4.sub(f32x4.sub(g, mean), f32x4.mul(y, slope)), scale);
  store(at(dx, j), f32x4.mul(raw, unit), lanes);
}
