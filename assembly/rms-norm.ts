// Root mean square normalisation of rows of C floats, and its gradient: a row stays in the first cache between its
// passes. A row whose squares float32 cannot sum is measured in units of 2⁸⁰, its sum in float64.
// stats[i] = (1/rms, unit), two floats a row, the first of the row times unit; from them the gradient makes x̂ again.
import { load, store } from "./lanes";
import { sum4 } from "./math";
import { at, fma } from "./simd";
import { UNIT } from "./unit";

// x̂ = x·unit/rms of some lanes of a row.
// @ts-ignore: decorator
@inline function normalized(x: v128, scale: v128, unit: v128): v128 {
  return f32x4.mul(f32x4.mul(x, unit), scale);
}

/** The statistics of a row whose squares are too large for float32. */
function measureLarge(x: usize, C: i32, epsilon: f32, stats: usize): void {
  let q: f64 = 0;
  for (let j = 0; j < C; j++) {
    const value = <f64>f32.load(at(x, j));
    q += value * value;
  }
  f32.store(stats, <f32>(1 / (sqrt<f64>(q / <f64>C + epsilon) * UNIT)));
  f32.store(stats, UNIT, 4);
}

/** out = γ·x̂ with x̂ = x/√(mean(x²) + ε), the mean of the C elements of a row. */
export function rmsNorm(x: usize, gamma: usize, out: usize, stats: usize, N: i32, C: i32, epsilon: f32): void {
  const portion: f32 = 1 / <f32>C;
  for (let i = 0; i < N; i++) {
    const x_i = at(x, i * C), out_i = at(out, i * C), stats_i = at(stats, 2 * i);
    let q0 = f32x4.splat(0), q1 = q0, q2 = q0, q3 = q0, j = 0;
    for (; j + 16 <= C; j += 16) {
      const p = at(x_i, j);
      const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32), d = v128.load(p, 48);
      q0 = fma(a, a, q0);
      q1 = fma(b, b, q1);
      q2 = fma(c, c, q2);
      q3 = fma(d, d, q3);
    }
    for (; j + 4 <= C; j += 4) {
      const a = v128.load(at(x_i, j));
      q0 = fma(a, a, q0);
    }
    let q = sum4(f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
    for (; j < C; j++) {
      const value = f32.load(at(x_i, j));
      q += value * value;
    }
    // 0·∞ and 0·NaN are NaN.
    if (q * 0 == 0) {
      f32.store(stats_i, 1 / sqrt<f32>(q * portion + epsilon));
      f32.store(stats_i, 1, 4);
    } else measureLarge(x_i, C, epsilon, stats_i);
    const scale = v128.load32_splat(stats_i), unit = v128.load32_splat(stats_i, 4);
    for (j = 0; j + 4 <= C; j += 4) scaleLanes(x_i, gamma, out_i, scale, unit, j, 4);
    if (j < C) scaleLanes(x_i, gamma, out_i, scale, unit, j, C - j);
  }
}

// @ts-ignore: decorator
@inline function scaleLanes(x: usize, gamma: usize, out: usize, scale: v128, unit: v128, j: i32, lanes: i32): void {
  const y = normalized(load(at(x, j), lanes), scale, unit);
  store(at(out, j), f32x4.mul(y, load(at(gamma, j), lanes)), lanes);
}

/**
 * Gradients of rmsNorm, with g = dy·γ and the mean over the row:
 *
 *     dx = (g − x̂·mean(g·x̂))/rms    dγ = Σ_rows dy·x̂,
 *
 * the sum in the order of the rows.
 */
export function rmsNormGrad(
  x: usize, gamma: usize, stats: usize, dy: usize, dx: usize, dgamma: usize, N: i32, C: i32,
): void {
  const portion: f32 = 1 / <f32>C;
  memory.fill(dgamma, 0, <usize>C << 2);
  for (let i = 0; i < N; i++) {
    const x_i = at(x, i * C), dy_i = at(dy, i * C), dx_i = at(dx, i * C), stats_i = at(stats, 2 * i);
    const scale = v128.load32_splat(stats_i), unit = v128.load32_splat(stats_i, 4);
    // Σ g·x̂ of the row, while dγ takes its terms.
    let p4 = f32x4.splat(0), j = 0;
    for (; j + 4 <= C; j += 4) {
      const h = f32x4.mul(v128.load(at(dy_i, j)), normalized(v128.load(at(x_i, j)), scale, unit));
      p4 = fma(h, v128.load(at(gamma, j)), p4);
      v128.store(at(dgamma, j), f32x4.add(h, v128.load(at(dgamma, j))));
    }
    let p = sum4(p4);
    for (; j < C; j++) {
      const y = f32x4.extract_lane(normalized(v128.load32_splat(at(x_i, j)), scale, unit), 0);
      const h = f32.load(at(dy_i, j)) * y;
      p += h * f32.load(at(gamma, j));
      f32.store(at(dgamma, j), f32.load(at(dgamma, j)) + h);
    }
    const slope = f32x4.splat(p * portion);
    for (j = 0; j + 4 <= C; j += 4) gradLanes(x_i, gamma, dy_i, dx_i, scale, unit, slope, j, 4);
    if (j < C) gradLanes(x_i, gamma, dy_i, dx_i, scale, unit, slope, j, C - j);
  }
}

// dx = (g − x̂·slope)/rms of some lanes of a row.
// @ts-ignore: decorator
@inline function gradLanes(
  x: usize, gamma: usize, dy: usize, dx: usize, scale: v128, unit: v128, slope: v128, j: i32, lanes: i32,
): void {
  const g = f32x4.mul(load(at(dy, j), lanes), load(at(gamma, j), lanes));
  const y = normalized(load(at(x, j), lanes), scale, unit);
  const raw = f32x4.mul(f32x4.sub(g, f32x4.mul(y, slope)), scale);
  store(at(dx, j), f32x4.mul(raw, unit), lanes);
}
