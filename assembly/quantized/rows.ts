// out[r] = Σ_i w[r, i] · x[i] for rows of quantised weights (./forms.ts), x as ./vector.ts makes it. A block of a row is four
// products of 8 numbers, a conversion and a multiplication by its scale; nothing of the weights is stored as floats.
//
// Ladder (weights/s of CPU time, relaxed build, 4 bits, rows of 576; reading memory alone: 28 GB/s = 45 G/s):
//     two rows, blocks as ggml has them, each scale made float32 by itself       7.5 G/s
//     four rows side by side, their scales as one vector                       18
import { load, store } from "../lanes";
import { at, fma } from "../simd";
import { BYTES, BYTES_K, bodyOf, bytesOf, CENTRED, HALVES_K, headOf, isNibbles, isPaired, isShort, NIBBLES, NIBBLES_K, SHORT_MASK } from "./forms";
import { countOf, pairsOf, SECOND } from "./vector";

// Four scales of a block; float16 ones are 2⁻¹¹² times what they mean, which the pairs of x make good.
// @ts-ignore: decorator
@inline function scales(form: i32, address: usize, mask: v128): v128 {
  if (!isShort(form)) return v128.load(address);
  return v128.and(i32x4.shl(v128.load16x4_s(address), 13), mask);
}

// Products of 32 weights, as four sums of eight.
// @ts-ignore: decorator
@inline function nibbleDot(address: usize, mask: v128, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const bytes = v128.load(address);
  const low = i32x4.add(i32x4.dot_i16x8_s(v128.and(bytes, mask), x0), i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(bytes, 8), mask), x1));
  const high = i32x4.add(i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(bytes, 4), mask), x2), i32x4.dot_i16x8_s(i16x8.shr_u(bytes, 12), x3));
  return i32x4.add(low, high);
}

// @ts-ignore: decorator
@inline function byteDot(address: usize, x0: v128, x1: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(v128.load8x8_s(address), x0), i32x4.dot_i16x8_s(v128.load8x8_s(address, 8), x1));
}

// sum + products of a block of row `lane` times its scale.
// @ts-ignore: decorator
@inline function block(form: i32, address: usize, mask: v128, d: v128, e: v128, sum: v128, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  if (isNibbles(form)) return fma(f32x4.convert_i32x4_s(nibbleDot(address, mask, x0, x1, x2, x3)), d, sum);
  const low = byteDot(address, x0, x1), high = byteDot(address + 16, x2, x3);
  if (form != HALVES_K) return fma(f32x4.convert_i32x4_s(i32x4.add(low, high)), d, sum);
  return fma(f32x4.convert_i32x4_s(high), e, fma(f32x4.convert_i32x4_s(low), d, sum));
}

// @ts-ignore: decorator
@inline function secondOf(vector: usize, n: i32): usize {
  return countOf(vector, n) + 16;
}

// @ts-ignore: decorator
@inline function endOf(vector: usize, n: i32): usize {
  return secondOf(vector, n) + <usize>(i32.load(countOf(vector, n)) * SECOND);
}

// Some blocks of some rows, four at a time; with `add` to what is there.
// @ts-ignore: decorator
@inline function rows(
  form: i32, weights: usize, stride: usize, quants: usize, pairs: usize, out: usize, count: i32, blocks: i32, add: bool,
): void {
  // Engines make a constant anew in every turn of a loop, but keep what they cannot know: `none` is 0.
  const none = blocks >> 31;
  const mask = i16x8.splat(<i16>(15 + none)), short = i32x4.splat(SHORT_MASK + none);
  for (let r = 0; r < count; r += 4) {
    let w = weights + <usize>(r >> 2) * stride;
    let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0, offsets = sum0, x = quants, pair = pairs;
    for (let n = 0; n < blocks; n++) {
      const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
      const unit = v128.load32_splat(pair);
      const d = f32x4.mul(scales(form, w, short), unit);
      let e = d;
      if (form == HALVES_K) e = f32x4.mul(v128.load(w, 16), unit);
      else if (isPaired(form)) offsets = fma(scales(form, w + headOf(form) / 2, short), v128.load32_splat(pair, 4), offsets);
      else if (form == CENTRED) offsets = fma(scales(form, w, short), v128.load32_splat(pair, 4), offsets);
      const body = w + headOf(form), step = bodyOf(form);
      sum0 = block(form, body, mask, v128.shuffle<f32>(d, d, 0, 0, 0, 0), v128.shuffle<f32>(e, e, 0, 0, 0, 0), sum0, x0, x1, x2, x3);
      sum1 = block(form, body + step, mask, v128.shuffle<f32>(d, d, 1, 1, 1, 1), v128.shuffle<f32>(e, e, 1, 1, 1, 1), sum1, x0, x1, x2, x3);
      sum2 = block(form, body + 2 * step, mask, v128.shuffle<f32>(d, d, 2, 2, 2, 2), v128.shuffle<f32>(e, e, 2, 2, 2, 2), sum2, x0, x1, x2, x3);
      sum3 = block(form, body + 3 * step, mask, v128.shuffle<f32>(d, d, 3, 3, 3, 3), v128.shuffle<f32>(e, e, 3, 3, 3, 3), sum3, x0, x1, x2, x3);
      w += bytesOf(form); x += 64; pair += 8;
    }
    const t0 = f32x4.add(v128.shuffle<f32>(sum0, sum1, 0, 4, 1, 5), v128.shuffle<f32>(sum0, sum1, 2, 6, 3, 7));
    const t1 = f32x4.add(v128.shuffle<f32>(sum2, sum3, 0, 4, 1, 5), v128.shuffle<f32>(sum2, sum3, 2, 6, 3, 7));
    const sums = f32x4.add(v128.shuffle<f32>(t0, t1, 0, 1, 4, 5), v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
    let all = form == CENTRED ? fma(offsets, f32x4.splat(-8), sums) : f32x4.add(sums, offsets);
    const lanes = min(4, count - r);
    if (add) all = f32x4.add(all, load(at(out, r), lanes));
    store(at(out, r), all, lanes);
  }
}


function partNibbles(w: usize, stride: usize, quants: usize, pairs: usize, out: usize, count: i32, blocks: i32, add: bool): void {
  rows(NIBBLES, w, stride, quants, pairs, out, count, blocks, add);
}

export function rowsNibbles(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const n = blocks << 5, stride = <usize>(blocks * bytesOf(NIBBLES));
  partNibbles(weights, stride, vector, pairsOf(vector, n), out, count, blocks, false);
  for (let second = secondOf(vector, n), end = endOf(vector, n); second < end; second += SECOND) {
    const block = weights + <usize>(i32.load(second, 72) * bytesOf(NIBBLES));
    partNibbles(block, stride, second, second + 64, out, count, 1, true);
  }
}

function partCentred(w: usize, stride: usize, quants: usize, pairs: usize, out: usize, count: i32, blocks: i32, add: bool): void {
  rows(CENTRED, w, stride, quants, pairs, out, count, blocks, add);
}

export function rowsCentred(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const n = blocks << 5, stride = <usize>(blocks * bytesOf(CENTRED));
  partCentred(weights, stride, vector, pairsOf(vector, n), out, count, blocks, false);
  for (let second = secondOf(vector, n), end = endOf(vector, n); second < end; second += SECOND) {
    const block = weights + <usize>(i32.load(second, 72) * bytesOf(CENTRED));
    partCentred(block, stride, second, second + 64, out, count, 1, true);
  }
}

function partNibblesK(w: usize, stride: usize, quants: usize, pairs: usize, out: usize, count: i32, blocks: i32, add: bool): void {
  rows(NIBBLES_K, w, stride, quants, pairs, out, count, blocks, add);
}

export function rowsNibblesK(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const n = blocks << 5, stride = <usize>(blocks * bytesOf(NIBBLES_K));
  partNibblesK(weights, stride, vector, pairsOf(vector, n), out, count, blocks, false);
  for (let second = secondOf(vector, n), end = endOf(vector, n); second < end; second += SECOND) {
    const block = weights + <usize>(i32.load(second, 72) * bytesOf(NIBBLES_K));
    partNibblesK(block, stride, second, second + 64, out, count, 1, true);
  }
}

function partBytes(w: usize, stride: usize, quants: usize, pairs: usize, out: usize, count: i32, blocks: i32, add: bool): void {
  rows(BYTES, w, stride, quants, pairs, out, count, blocks, add);
}

export function rowsBytes(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const n = blocks << 5, stride = <usize>(blocks * bytesOf(BYTES));
  partBytes(weights, stride, vector, pairsOf(vector, n), out, count, blocks, false);
  for (let second = secondOf(vector, n), end = endOf(vector, n); second < end; second += SECOND) {
    const block = weights + <usize>(i32.load(second, 72) * bytesOf(BYTES));
    partBytes(block, stride, second, second + 64, out, count, 1, true);
  }
}

function partBytesK(w: usize, stride: usize, quants: usize, pairs: usize, out: usize, count: i32, blocks: i32, add: bool): void {
  rows(BYTES_K, w, stride, quants, pairs, out, count, blocks, add);
}

export function rowsBytesK(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const n = blocks << 5, stride = <usize>(blocks * bytesOf(BYTES_K));
  partBytesK(weights, stride, vector, pairsOf(vector, n), out, count, blocks, false);
  for (let second = secondOf(vector, n), end = endOf(vector, n); second < end; second += SECOND) {
    const block = weights + <usize>(i32.load(second, 72) * bytesOf(BYTES_K));
    partBytesK(block, stride, second, second + 64, out, count, 1, true);
  }
}

function partHalvesK(w: usize, stride: usize, quants: usize, pairs: usize, out: usize, count: i32, blocks: i32, add: bool): void {
  rows(HALVES_K, w, stride, quants, pairs, out, count, blocks, add);
}

export function rowsHalvesK(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const n = blocks << 5, stride = <usize>(blocks * bytesOf(HALVES_K));
  partHalvesK(weights, stride, vector, pairsOf(vector, n), out, count, blocks, false);
  for (let second = secondOf(vector, n), end = endOf(vector, n); second < end; second += SECOND) {
    const block = weights + <usize>(i32.load(second, 72) * bytesOf(HALVES_K));
    partHalvesK(block, stride, second, second + 64, out, count, 1, true);
  }
}
