// Gumbel noise, in float64: −ln u of u near 1 is small, and the outer logarithm reads its digits.
import { load, store } from "./lanes";
import { numbers, philoxStream } from "./philox";
import { at } from "./simd";

/** ln x of two normal numbers above 0, to 1e-10: x = m·2^e with m from √½ to √2, ln m = 2 artanh((m − 1)/(m + 1)). */
// @ts-ignore: decorator
@inline function ln(x: v128): v128 {
  const e = i64x2.shr_s(i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd)), 52);
  const m = i64x2.sub(x, i64x2.shl(e, 52)), one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one)), z = f64x2.mul(s, s);
  let sum = f64x2.splat(2.0 / 13);
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 11));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 9));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 7));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 5));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 3));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2));
  const power = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(e, e, 0, 2, 0, 2));
  return f64x2.add(f64x2.mul(power, f64x2.splat(0.6931471805599453)), f64x2.mul(s, sum));
}

// −ln(−ln u) of two numbers of 24 bits, u in the middle of its 2⁻²⁴.
// @ts-ignore: decorator
@inline function noise(bits: v128): v128 {
  const u = f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_u(bits), f64x2.splat(2 ** -24)), f64x2.splat(2 ** -25));
  return f64x2.neg(ln(f64x2.neg(ln(u))));
}

// out = x + noise, for four elements.
// @ts-ignore: decorator
@inline function disturb(x: usize, out: usize, bits: v128, i: i32, n: i32): void {
  const lanes = min(4, n - i);
  if (lanes <= 0) return;
  const high = i32x4.shr_u(bits, 8);
  const low2 = f32x4.demote_f64x2_zero(noise(high));
  const high2 = f32x4.demote_f64x2_zero(noise(v128.shuffle<i32>(high, high, 2, 3, 2, 3)));
  const all = v128.shuffle<i32>(low2, high2, 0, 1, 4, 5);
  store(at(out, i), f32x4.add(load(at(x, i), lanes), all), lanes);
}

/** out = x + g, g_i = −ln(−ln u_i) of number i of the stream. */
export function gumbel(
  x: usize, out: usize, n: i32, seedLow: i32, seedHigh: i32, streamLow: i32, streamHigh: i32,
): void {
  for (let i = 0; i < n; i += 16) {
    philoxStream(i, streamLow, streamHigh, seedLow, seedHigh);
    disturb(x, out, numbers(0), i, n);
    disturb(x, out, numbers(1), i + 4, n);
    disturb(x, out, numbers(2), i + 8, n);
    disturb(x, out, numbers(3), i + 12, n);
  }
}
