// One pass of Adam over one variable: four reads and three writes an element, where composed operations make twelve
// passes. Results go to new arrays, because XNNPACK caches packed weights by tensor.
import { load, store } from "./lanes";
import { at, fma } from "./simd";

// Zero in the place of a subnormal; NaN stays. The first moment of a word not seen for a thousand steps decays to a
// subnormal and stays there (0.9 of the least one rounds to itself), and CPUs are slow on those: a step over 2²⁰ of them took
// 1.7 ms here instead of 1.2.
// @ts-ignore: decorator
@inline function flush(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(1.17549435e-38)));
}

/**
 * g ← scale·g + decay·p;  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  p ← p − step·m / (√v·root + ε)
 *
 * step = rate / (1−β₁ᵗ) and root = 1 / √(1−β₂ᵗ) carry the bias corrections; rest1 = 1−β₁ and rest2 = 1−β₂ come as
 * arguments because float32 would lose digits of them here.
 */
export function adam(
  p: usize, g: usize, m: usize, v: usize, pOut: usize, mOut: usize, vOut: usize, n: i32,
  scale: f32, decay: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, step: f32, root: f32, epsilon: f32,
): void {
  for (let i = 0; i < n; i += 4) {
    const lanes = min(4, n - i), p_i = load(at(p, i), lanes);
    let g_i = f32x4.mul(load(at(g, i), lanes), f32x4.splat(scale));
    g_i = fma(f32x4.splat(decay), p_i, g_i);
    let m_i = f32x4.mul(load(at(m, i), lanes), f32x4.splat(beta1));
    m_i = flush(fma(f32x4.splat(rest1), g_i, m_i));
    let v_i = f32x4.mul(load(at(v, i), lanes), f32x4.splat(beta2));
    v_i = flush(fma(f32x4.mul(f32x4.splat(rest2), g_i), g_i, v_i));
    const size = fma(f32x4.sqrt(v_i), f32x4.splat(root), f32x4.splat(epsilon));
    store(at(mOut, i), m_i, lanes);
    store(at(vOut, i), v_i, lanes);
    store(at(pOut, i), f32x4.sub(p_i, f32x4.div(f32x4.mul(f32x4.splat(step), m_i), size)), lanes);
  }
}

/** Σ x², added in float64. */
export function sumOfSquares(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0, i = 0;
  for (; i + 4 <= n; i += 4) {
    const value = v128.load(at(x, i));
    const low = f64x2.promote_low_f32x4(value);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 2, 3));
    s0 = f64x2.add(s0, f64x2.mul(low, low));
    s1 = f64x2.add(s1, f64x2.mul(high, high));
  }
  s0 = f64x2.add(s0, s1);
  let s = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < n; i++) { const value = <f64>f32.load(at(x, i)); s += value * value; }
  return s;
}
