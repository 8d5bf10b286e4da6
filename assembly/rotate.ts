// Rotation of pairs of channels, as rotary position embedding does it: one read and one write of each element.
import { load, store } from "./lanes";
import { at, fma } from "./simd";

/**
 * out = x with pair i of its first 2·half channels turned by the angle of its position, the others as they are:
 *
 *     (x_a, x_b) → (x_a·cos − x_b·sin, x_b·cos + x_a·sin)
 *
 * x [N, T, M, D], cos and sin [T, half]; (a, b) is (i, i + half), or (2i, 2i + 1) where `interleaved`. `back` turns
 * the other way.
 */
export function rotatePairs(
  x: usize, cos: usize, sin: usize, out: usize, N: i32, T: i32, M: i32, D: i32, half: i32, interleaved: bool, back: bool,
): void {
  const sign = f32x4.splat(back ? -1 : 1), rest = D - 2 * half;
  for (let n = 0; n < N; n++) {
    for (let t = 0; t < T; t++) {
      const cos_t = at(cos, t * half), sin_t = at(sin, t * half);
      for (let m = 0; m < M; m++) {
        if (interleaved) rotateNeighbours(x, cos_t, sin_t, out, half, sign);
        else rotateHalves(x, cos_t, sin_t, out, half, sign);
        if (rest > 0) memory.copy(at(out, 2 * half), at(x, 2 * half), <usize>rest << 2);
        x = at(x, D);
        out = at(out, D);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function turnedA(a: v128, b: v128, c: v128, s: v128): v128 {
  return f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s));
}

// @ts-ignore: decorator
@inline function turnedB(a: v128, b: v128, c: v128, s: v128): v128 {
  return fma(b, c, f32x4.mul(a, s));
}

// @ts-ignore: decorator
@inline function rotateHalves(x: usize, cos: usize, sin: usize, out: usize, half: i32, sign: v128): void {
  let i = 0;
  for (; i + 4 <= half; i += 4) halvesLanes(x, cos, sin, out, half, sign, i, 4);
  if (i < half) halvesLanes(x, cos, sin, out, half, sign, i, half - i);
}

// @ts-ignore: decorator
@inline function halvesLanes(
  x: usize, cos: usize, sin: usize, out: usize, half: i32, sign: v128, i: i32, lanes: i32,
): void {
  const a = load(at(x, i), lanes), b = load(at(x, half + i), lanes);
  const c = load(at(cos, i), lanes), s = f32x4.mul(load(at(sin, i), lanes), sign);
  store(at(out, i), turnedA(a, b, c, s), lanes);
  store(at(out, half + i), turnedB(a, b, c, s), lanes);
}

// @ts-ignore: decorator
@inline function rotateNeighbours(x: usize, cos: usize, sin: usize, out: usize, half: i32, sign: v128): void {
  let i = 0;
  for (; i + 4 <= half; i += 4) {
    const left = v128.load(at(x, 2 * i)), right = v128.load(at(x, 2 * i), 16);
    const a = v128.shuffle<f32>(left, right, 0, 2, 4, 6), b = v128.shuffle<f32>(left, right, 1, 3, 5, 7);
    const c = v128.load(at(cos, i)), s = f32x4.mul(v128.load(at(sin, i)), sign);
    const y = turnedA(a, b, c, s), z = turnedB(a, b, c, s);
    v128.store(at(out, 2 * i), v128.shuffle<f32>(y, z, 0, 4, 1, 5));
    v128.store(at(out, 2 * i), v128.shuffle<f32>(y, z, 2, 6, 3, 7), 16);
  }
  for (; i < half; i++) {
    const a = v128.load32_splat(at(x, 2 * i)), b = v128.load32_splat(at(x, 2 * i), 4);
    const c = v128.load32_splat(at(cos, i)), s = f32x4.mul(v128.load32_splat(at(sin, i)), sign);
    v128.store32_lane(at(out, 2 * i), turnedA(a, b, c, s), 0);
    v128.store32_lane(at(out, 2 * i), turnedB(a, b, c, s), 0, 4);
  }
}
