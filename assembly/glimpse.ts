// Sampling an image [H, W, C] at the points of a grid, and its two gradients: the gather of a spatial transformer.
// A point reads 4 pixels, so the work follows the glimpse's size and not the image's, except for clearing dimage.
//
// A grid holds (x, y) pairs from −1 to 1. `corners` says what ±1 are: the centres of the outermost pixels (1), or
// their outer edges (0). `padding` says what lies outside: 0 zeros, 1 the edge's pixels, 2 the image reflected.
import { load, store } from "./lanes";
import { sum4 } from "./math";
import { at, fma } from "./simd";

// @ts-ignore: decorator
@inline const ZEROS: i32 = 0;
// @ts-ignore: decorator
@inline const BORDER: i32 = 1;

/** d pixel / d coordinate, before padding. */
// @ts-ignore: decorator
@inline function pixelsPerUnit(size: i32, corners: i32): f32 {
  return <f32>(corners ? size - 1 : size) * 0.5;
}

/** A coordinate as a pixel position, before padding. */
// @ts-ignore: decorator
@inline function pixel(coordinate: f32, size: i32, corners: i32): f32 {
  return corners ? (coordinate + 1) / 2 * <f32>(size - 1) : ((coordinate + 1) * <f32>size - 1) / 2;
}

// Reflection runs to and fro between the centres (corners) or the edges of the outermost pixels.
// @ts-ignore: decorator
@inline function low(corners: i32): f32 {
  return corners ? 0 : -0.5;
}

// @ts-ignore: decorator
@inline function isOdd(n: f32): bool {
  return n - 2 * floor(n * 0.5) != 0;
}

/** Where a coordinate reads, padding included; between 0 and size − 1 unless the padding is zeros. */
function position(coordinate: f32, size: i32, padding: i32, corners: i32): f32 {
  let x = pixel(coordinate, size, corners);
  if (padding == ZEROS) return x;
  if (padding != BORDER) {
    const least = low(corners), span = <f32>(corners ? size - 1 : size);
    if (span == 0) return 0;
    const distance = abs(x - least), flips = floor(distance / span), rest = distance - flips * span;
    x = least + (isOdd(flips) ? span - rest : rest);
  }
  return min<f32>(max<f32>(x, 0), <f32>(size - 1));
}

/** d position / d coordinate; 0 where the position is held at the image's edge. */
function slope(coordinate: f32, size: i32, padding: i32, corners: i32): f32 {
  let x = pixel(coordinate, size, corners), sign: f32 = 1;
  const scale = pixelsPerUnit(size, corners);
  if (padding == ZEROS) return scale;
  if (padding != BORDER) {
    const least = low(corners), span = <f32>(corners ? size - 1 : size);
    if (span == 0) return 0;
    const distance = abs(x - least), flips = floor(distance / span), rest = distance - flips * span;
    if (x < least) sign = -sign;
    if (isOdd(flips)) sign = -sign;
    x = least + (isOdd(flips) ? span - rest : rest);
  }
  return x <= 0 || x >= <f32>(size - 1) ? 0 : sign * scale;
}

/** to += weight · from, over the C channels of a pixel. */
// @ts-ignore: decorator
@inline function addPixel(from: usize, to: usize, weight: f32, C: i32): void {
  const w = f32x4.splat(weight);
  let c = 0;
  for (; c + 4 <= C; c += 4) v128.store(at(to, c), fma(v128.load(at(from, c)), w, v128.load(at(to, c))));
  for (; c < C; c++) f32.store(at(to, c), f32.load(at(to, c)) + weight * f32.load(at(from, c)));
}

/** The inner product of two pixels. */
// @ts-ignore: decorator
@inline function dotPixel(a: usize, b: usize, C: i32): f32 {
  let sums = f32x4.splat(0), c = 0;
  for (; c + 4 <= C; c += 4) sums = fma(v128.load(at(a, c)), v128.load(at(b, c)), sums);
  let total = C >= 4 ? sum4(sums) : <f32>0;
  for (; c < C; c++) total += f32.load(at(a, c)) * f32.load(at(b, c));
  return total;
}

function fillPixel(to: usize, value: f32, C: i32): void {
  for (let c = 0; c < C; c += 4) store(at(to, c), f32x4.splat(value), min(4, C - c));
}

function copyPixel(from: usize, to: usize, C: i32): void {
  for (let c = 0; c < C; c += 4) store(at(to, c), load(at(from, c), min(4, C - c)), min(4, C - c));
}

// A position that touches the image; the others read nothing, and their integer parts may not fit an i32.
// @ts-ignore: decorator
@inline function touches(x: f32, size: i32): bool {
  return x >= -1 && x < <f32>size;
}

// @ts-ignore: decorator
@inline function isInside(i: i32, size: i32): bool {
  return <u32>i < <u32>size;
}

/** out[b, n] = the image b at grid[b, n]: the nearest pixel, or the mean of four. A point that is not finite gives NaN. */
export function gridSample(
  image: usize, grid: usize, out: usize, B: i32, N: i32, H: i32, W: i32, C: i32,
  nearestPixel: i32, padding: i32, corners: i32,
): void {
  memory.fill(out, 0, <usize>(B * N * C) << 2);
  for (let b = 0; b < B; b++) {
    const image_b = at(image, b * H * W * C);
    for (let n = 0; n < N; n++, grid += 8, out = at(out, C)) {
      const x = position(f32.load(grid), W, padding, corners);
      const y = position(f32.load(grid, 4), H, padding, corners);
      if (x - x + (y - y) != 0) fillPixel(out, NaN, C);
      if (!touches(x, W) || !touches(y, H)) continue;
      if (nearestPixel) {
        const i = <i32>nearest(x), j = <i32>nearest(y);
        if (isInside(i, W) && isInside(j, H)) copyPixel(at(image_b, (j * W + i) * C), out, C);
        continue;
      }
      const x0 = floor(x), y0 = floor(y), fx = x - x0, fy = y - y0, i = <i32>x0, j = <i32>y0;
      const upper = at(image_b, (j * W + i) * C), lower = at(upper, W * C);
      const left = isInside(i, W), right = isInside(i + 1, W);
      if (isInside(j, H)) {
        if (left) addPixel(upper, out, (1 - fx) * (1 - fy), C);
        if (right) addPixel(at(upper, C), out, fx * (1 - fy), C);
      }
      if (isInside(j + 1, H)) {
        if (left) addPixel(lower, out, (1 - fx) * fy, C);
        if (right) addPixel(at(lower, C), out, fx * fy, C);
      }
    }
  }
}

/** The gradient of the image: every point gives its dy back to the pixels that it read, in the order of the points. */
export function gridSampleGradImage(
  grid: usize, dy: usize, dimage: usize, B: i32, N: i32, H: i32, W: i32, C: i32,
  nearestPixel: i32, padding: i32, corners: i32,
): void {
  memory.fill(dimage, 0, <usize>(B * H * W * C) << 2);
  for (let b = 0; b < B; b++) {
    const image_b = at(dimage, b * H * W * C);
    for (let n = 0; n < N; n++, grid += 8, dy = at(dy, C)) {
      const x = position(f32.load(grid), W, padding, corners);
      const y = position(f32.load(grid, 4), H, padding, corners);
      if (!touches(x, W) || !touches(y, H)) continue;
      if (nearestPixel) {
        const i = <i32>nearest(x), j = <i32>nearest(y);
        if (isInside(i, W) && isInside(j, H)) addPixel(dy, at(image_b, (j * W + i) * C), 1, C);
        continue;
      }
      const x0 = floor(x), y0 = floor(y), fx = x - x0, fy = y - y0, i = <i32>x0, j = <i32>y0;
      const upper = at(image_b, (j * W + i) * C), lower = at(upper, W * C);
      const left = isInside(i, W), right = isInside(i + 1, W);
      if (isInside(j, H)) {
        if (left) addPixel(dy, upper, (1 - fx) * (1 - fy), C);
        if (right) addPixel(dy, at(upper, C), fx * (1 - fy), C);
      }
      if (isInside(j + 1, H)) {
        if (left) addPixel(dy, lower, (1 - fx) * fy, C);
        if (right) addPixel(dy, at(lower, C), fx * fy, C);
      }
    }
  }
}

/** The gradient of a grid whose points are means of four pixels: how those differ, along x and along y. */
export function gridSampleGradGrid(
  image: usize, grid: usize, dy: usize, dgrid: usize, B: i32, N: i32, H: i32, W: i32, C: i32,
  padding: i32, corners: i32,
): void {
  for (let b = 0; b < B; b++) {
    const image_b = at(image, b * H * W * C);
    for (let n = 0; n < N; n++, grid += 8, dgrid += 8, dy = at(dy, C)) {
      const cx = f32.load(grid), cy = f32.load(grid, 4);
      const x = position(cx, W, padding, corners), y = position(cy, H, padding, corners);
      let dx: f32 = x - x + (y - y), dyy: f32 = dx;
      if (touches(x, W) && touches(y, H)) {
        const x0 = floor(x), y0 = floor(y), fx = x - x0, fy = y - y0, i = <i32>x0, j = <i32>y0;
        const upper = at(image_b, (j * W + i) * C), lower = at(upper, W * C);
        const left = isInside(i, W), right = isInside(i + 1, W), up = isInside(j, H), down = isInside(j + 1, H);
        const a = up && left ? dotPixel(upper, dy, C) : 0, c = up && right ? dotPixel(at(upper, C), dy, C) : 0;
        const d = down && left ? dotPixel(lower, dy, C) : 0, e = down && right ? dotPixel(at(lower, C), dy, C) : 0;
        dx = ((c - a) * (1 - fy) + (e - d) * fy) * slope(cx, W, padding, corners);
        dyy = ((d - a) * (1 - fx) + (e - c) * fx) * slope(cy, H, padding, corners);
      }
      f32.store(dgrid, dx);
      f32.store(dgrid, dyy, 4);
    }
  }
}
