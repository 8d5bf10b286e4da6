// What glimpses of images [H, W, C] are made of: crops, affine grids, and sampling an image at the points of a grid,
// each with its gradients. A point reads 4 pixels, so the work follows the glimpse's size and not the image's, except
// for clearing dimage.
//
// A grid holds (x, y) pairs from −1 to 1. `corners` says what ±1 are: the centres of the outermost pixels (1), or
// their outer edges (0). `padding` says what lies outside: 0 zeros, 1 the edge's pixels, 2 the image reflected.
import { copyBytes } from "./copy";
import { load, store } from "./lanes";
import { sum4 } from "./math";
import { at, fma } from "./simd";

// @ts-ignore: decorator
@inline const ZEROS: i32 = 0;
// @ts-ignore: decorator
@inline const BORDER: i32 = 1;

// Positions are float64: a float32 position near 7 is 2e-7 wrong, and what is read between two pixels is wrong by that
// many times their difference. (Against PyTorch in float64: 2.3e-6 forward and 5.7e-6 for the grid's gradient before.)

/** d pixel / d coordinate, before padding. */
// @ts-ignore: decorator
@inline function pixelsPerUnit(size: i32, corners: i32): f64 {
  return <f64>(corners ? size - 1 : size) * 0.5;
}

/** A coordinate as a pixel position, before padding. */
// @ts-ignore: decorator
@inline function pixel(coordinate: f32, size: i32, corners: i32): f64 {
  const unit = <f64>coordinate + 1;
  return corners ? unit * 0.5 * <f64>(size - 1) : (unit * <f64>size - 1) * 0.5;
}

// Reflection runs to and fro between the centres (corners) or the edges of the outermost pixels.
// @ts-ignore: decorator
@inline function low(corners: i32): f64 {
  return corners ? 0 : -0.5;
}

// @ts-ignore: decorator
@inline function isOdd(n: f64): bool {
  return n - 2 * floor(n * 0.5) != 0;
}

/** Where a coordinate reads, padding included; between 0 and size − 1 unless the padding is zeros. */
// @ts-ignore: decorator
@inline function position(coordinate: f32, size: i32, padding: i32, corners: i32): f64 {
  let x = pixel(coordinate, size, corners);
  if (padding == ZEROS) return x;
  if (padding != BORDER) {
    const least = low(corners), span = <f64>(corners ? size - 1 : size);
    if (span == 0) return 0;
    const distance = abs(x - least), flips = floor(distance / span), rest = distance - flips * span;
    x = least + (isOdd(flips) ? span - rest : rest);
  }
  return min<f64>(max<f64>(x, 0), <f64>(size - 1));
}

/** d position / d coordinate; 0 where the position is held at the image's edge. */
function slope(coordinate: f32, size: i32, padding: i32, corners: i32): f64 {
  let x = pixel(coordinate, size, corners), sign: f64 = 1;
  const scale = pixelsPerUnit(size, corners);
  if (padding == ZEROS) return scale;
  if (padding != BORDER) {
    const least = low(corners), span = <f64>(corners ? size - 1 : size);
    if (span == 0) return 0;
    const distance = abs(x - least), flips = floor(distance / span), rest = distance - flips * span;
    if (x < least) sign = -sign;
    if (isOdd(flips)) sign = -sign;
    x = least + (isOdd(flips) ? span - rest : rest);
  }
  return x <= 0 || x >= <f64>(size - 1) ? 0 : sign * scale;
}

/** to += weight · from, over the C channels of a pixel. */
// @ts-ignore: decorator
@inline function addPixel(from: usize, to: usize, weight: f32, C: i32): void {
  const w = f32x4.splat(weight);
  let c = 0;
  for (; c + 4 <= C; c += 4) v128.store(at(to, c), fma(v128.load(at(from, c)), w, v128.load(at(to, c))));
  for (; c < C; c++) f32.store(at(to, c), f32.load(at(to, c)) + weight * f32.load(at(from, c)));
}

/** out = the mean of four pixels, two beside each other in each of two rows. */
// @ts-ignore: decorator
@inline function mixPixels(
  upper: usize, lower: usize, a: f32, b: f32, d: f32, e: f32, out: usize, C: i32,
): void {
  const a4 = f32x4.splat(a), b4 = f32x4.splat(b), d4 = f32x4.splat(d), e4 = f32x4.splat(e);
  const upperRight = at(upper, C), lowerRight = at(lower, C);
  let c = 0;
  for (; c + 4 <= C; c += 4) {
    const top = fma(v128.load(at(upperRight, c)), b4, f32x4.mul(v128.load(at(upper, c)), a4));
    const all = fma(v128.load(at(lower, c)), d4, top);
    v128.store(at(out, c), fma(v128.load(at(lowerRight, c)), e4, all));
  }
  for (; c < C; c++) {
    const top = f32.load(at(upper, c)) * a + f32.load(at(upperRight, c)) * b;
    f32.store(at(out, c), top + f32.load(at(lower, c)) * d + f32.load(at(lowerRight, c)) * e);
  }
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
@inline function touches(x: f64, size: i32): bool {
  return x >= -1 && x < <f64>size;
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
      const gx = 1 - fx, gy = 1 - fy, a = <f32>(gx * gy), c = <f32>(fx * gy), d = <f32>(gx * fy), e = <f32>(fx * fy);
      const upper = at(image_b, (j * W + i) * C), lower = at(upper, W * C);
      if (i >= 0 && i + 1 < W && j >= 0 && j + 1 < H) {
        mixPixels(upper, lower, a, c, d, e, out, C);
        continue;
      }
      const left = isInside(i, W), right = isInside(i + 1, W);
      if (isInside(j, H)) {
        if (left) addPixel(upper, out, a, C);
        if (right) addPixel(at(upper, C), out, c, C);
      }
      if (isInside(j + 1, H)) {
        if (left) addPixel(lower, out, d, C);
        if (right) addPixel(at(lower, C), out, e, C);
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
        if (left) addPixel(dy, upper, <f32>((1 - fx) * (1 - fy)), C);
        if (right) addPixel(dy, at(upper, C), <f32>(fx * (1 - fy)), C);
      }
      if (isInside(j + 1, H)) {
        if (left) addPixel(dy, lower, <f32>((1 - fx) * fy), C);
        if (right) addPixel(dy, at(lower, C), <f32>(fx * fy), C);
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
      let dx = x - x + (y - y), dyy = dx;
      if (touches(x, W) && touches(y, H)) {
        const x0 = floor(x), y0 = floor(y), fx = x - x0, fy = y - y0, i = <i32>x0, j = <i32>y0;
        const upper = at(image_b, (j * W + i) * C), lower = at(upper, W * C);
        const left = isInside(i, W), right = isInside(i + 1, W), up = isInside(j, H), down = isInside(j + 1, H);
        const a: f64 = up && left ? dotPixel(upper, dy, C) : 0, c: f64 = up && right ? dotPixel(at(upper, C), dy, C) : 0;
        const d: f64 = down && left ? dotPixel(lower, dy, C) : 0;
        const e: f64 = down && right ? dotPixel(at(lower, C), dy, C) : 0;
        dx = ((c - a) * (1 - fy) + (e - d) * fy) * slope(cx, W, padding, corners);
        dyy = ((d - a) * (1 - fx) + (e - c) * fx) * slope(cy, H, padding, corners);
      }
      f32.store(dgrid, <f32>dx);
      f32.store(dgrid, <f32>dyy, 4);
    }
  }
}

/**
 * The part of a row of W pixels that a crop of w from x on shows: its first pixel, their number (0 for none). A crop
 * may lie anywhere, as far away as an i32 can say.
 */
// @ts-ignore: decorator
@inline function overlap(x: i32, w: i32, W: i32): i32 {
  return x >= W || x <= -w ? 0 : min(x + w, W) - max(x, 0);
}

/** out[b, i, j] = image[b, y_b + i, x_b + j], 0 outside of the image. */
export function crop(
  image: usize, y: usize, x: usize, out: usize, B: i32, H: i32, W: i32, C: i32, h: i32, w: i32,
): void {
  memory.fill(out, 0, <usize>(B * h * w * C) << 2);
  for (let b = 0; b < B; b++) {
    const y_b = i32.load(at(y, b)), x_b = i32.load(at(x, b));
    const rows = overlap(y_b, h, H), bytes = <usize>(overlap(x_b, w, W) * C) << 2;
    if (rows == 0 || bytes == 0) continue;
    let from = at(image, ((b * H + max(y_b, 0)) * W + max(x_b, 0)) * C);
    let to = at(out, ((b * h + max(-y_b, 0)) * w + max(-x_b, 0)) * C);
    for (let i = 0; i < rows; i++, from = at(from, W * C), to = at(to, w * C)) copyBytes(from, to, bytes);
  }
}

/** The gradient of the image: dy where it was shown, 0 elsewhere. */
export function cropGrad(
  dy: usize, y: usize, x: usize, dimage: usize, B: i32, H: i32, W: i32, C: i32, h: i32, w: i32,
): void {
  memory.fill(dimage, 0, <usize>(B * H * W * C) << 2);
  for (let b = 0; b < B; b++) {
    const y_b = i32.load(at(y, b)), x_b = i32.load(at(x, b));
    const rows = overlap(y_b, h, H), bytes = <usize>(overlap(x_b, w, W) * C) << 2;
    if (rows == 0 || bytes == 0) continue;
    let to = at(dimage, ((b * H + max(y_b, 0)) * W + max(x_b, 0)) * C);
    let from = at(dy, ((b * h + max(-y_b, 0)) * w + max(-x_b, 0)) * C);
    for (let i = 0; i < rows; i++, from = at(from, w * C), to = at(to, W * C)) copyBytes(from, to, bytes);
  }
}

/** The coordinate of pixel i of n. */
// @ts-ignore: decorator
@inline function coordinate(i: i32, n: i32, corners: i32): f32 {
  if (!corners) return <f32>(i + i + 1) / <f32>n - 1;
  return n == 1 ? 0 : <f32>(i + i) / <f32>(n - 1) - 1;
}

/** out[b, i, j] = theta[b] (x, y, 1)ᵀ, (x, y) the coordinates of pixel (i, j). */
export function affineGrid(theta: usize, out: usize, B: i32, h: i32, w: i32, corners: i32): void {
  for (let b = 0; b < B; b++, theta += 24) {
    const xx = f32.load(theta), xy = f32.load(theta, 4), x1 = f32.load(theta, 8);
    const yx = f32.load(theta, 12), yy = f32.load(theta, 16), y1 = f32.load(theta, 20);
    for (let i = 0; i < h; i++) {
      const y = coordinate(i, h, corners), x0 = xy * y + x1, y0 = yy * y + y1;
      for (let j = 0; j < w; j++, out += 8) {
        const x = coordinate(j, w, corners);
        f32.store(out, xx * x + x0);
        f32.store(out, yx * x + y0, 4);
      }
    }
  }
}

/** dtheta[b] = Σ_ij dgrid[b, i, j] (x, y, 1), summed in float64. */
export function affineGridGrad(dgrid: usize, dtheta: usize, B: i32, h: i32, w: i32, corners: i32): void {
  for (let b = 0; b < B; b++, dtheta += 24) {
    let xx: f64 = 0, xy: f64 = 0, x1: f64 = 0, yx: f64 = 0, yy: f64 = 0, y1: f64 = 0;
    for (let i = 0; i < h; i++) {
      const y: f64 = coordinate(i, h, corners);
      let rowX: f64 = 0, rowY: f64 = 0;
      for (let j = 0; j < w; j++, dgrid += 8) {
        const x: f64 = coordinate(j, w, corners), dx: f64 = f32.load(dgrid), dy: f64 = f32.load(dgrid, 4);
        xx += dx * x;
        yx += dy * x;
        rowX += dx;
        rowY += dy;
      }
      xy += rowX * y;
      x1 += rowX;
      yy += rowY * y;
      y1 += rowY;
    }
    f32.store(dtheta, <f32>xx);
    f32.store(dtheta, <f32>xy, 4);
    f32.store(dtheta, <f32>x1, 8);
    f32.store(dtheta, <f32>yx, 12);
    f32.store(dtheta, <f32>yy, 16);
    f32.store(dtheta, <f32>y1, 20);
  }
}
