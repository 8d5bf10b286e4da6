// out[r] = Σ_i w[r, i] · x[i] for rows of quantised weights (./forms.ts), x as ./vector.ts makes it; nothing of the weights is
// stored as floats. A block of 8 bits is four products of 8 numbers for each row, a conversion and a multiplication by its scale.
// Of 4 bits eight rows go together, a row in each lane: products of bytes, 16 at once, with the high and with the low bytes of x.
//
// Ladder (weights/s of CPU time, relaxed build, 4 bits, rows of 576 from memory, whose reading alone would be 45 G/s):
//     two rows, blocks as ggml has them, each scale made float32 by itself       7.5 G/s
//     four rows side by side, their scales as one vector                       18
//     a lane is a row, x as bytes loaded into all lanes, of four rows            17     a load in each product
//     + eight rows side by side for each of these loads                        20.6
//     + x four times in memory, constants loaded: no addresses, no copies        23.7  rows of 1536: 22.0, beside other work 13.5
//     x once in memory, 80 bytes in place of 304 for 32 numbers, loaded so       23.7  rows of 1536: 24.0
//     + two turns of the loop as one                                             17.5     more than there are registers
//     + all of a block without a loop: the engine loads everything first         7.3     and has no registers for it
// A row of which 4 of 18 blocks are second ones                                 5.7 ms in place of 6.7 with their high bytes alone
//
// Ladder (ms of CPU time for the 143 MB of a token of SmolLM2-135M in 8 bits, relaxed build; the engine adds them up in 5.8 to 6.2):
//     second blocks of a vector                       none   2 of 18   8 of 18
//     each once more over all rows, by itself         8.06   9.26      13.74
//     + behind its first block, with its weights      7.93   7.89       9.65
import { store } from "../lanes";
import { at, fma } from "../simd";
import { BYTES, BYTES_K, bodyOf, bytesOf, CENTRED, HALVES_K, headOf, isPaired, isShort, NIBBLES, NIBBLES_K } from "./forms";
import { BLOCKS, countOf, FLAG, PAIR, SIZE, WORD } from "./vector";

// Float16 scales are 2⁻¹¹² times what they mean: the pairs of x take most of it (FORMS of src/kernels/quantized/forms.ts), and the
// sums the rest. The pairs alone would be infinite where the numbers of a block of x add up to 2¹⁶.
// @ts-ignore: decorator
@inline const OF_SUM: f32 = 16777216;

// Four scales of a block, float16 ones 2⁻¹¹² times what they mean.
// @ts-ignore: decorator
@inline function scales(form: i32, address: usize, mask: v128): v128 {
  if (!isShort(form)) return v128.load(address);
  return v128.and(i32x4.shl(v128.load16x4_s(address), 13), mask);
}

// @ts-ignore: decorator
@inline function byteDot(address: usize, x0: v128, x1: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(v128.load8x8_s(address), x0), i32x4.dot_i16x8_s(v128.load8x8_s(address, 8), x1));
}

// sum + products of a block of row `lane` times its scale.
// @ts-ignore: decorator
@inline function block(form: i32, address: usize, d: v128, e: v128, sum: v128, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const low = byteDot(address, x0, x1), high = byteDot(address + 16, x2, x3);
  if (form != HALVES_K) return fma(f32x4.convert_i32x4_s(i32x4.add(low, high)), d, sum);
  return fma(f32x4.convert_i32x4_s(high), e, fma(f32x4.convert_i32x4_s(low), d, sum));
}

// @ts-ignore: decorator
@inline function put(form: i32, sums: v128, out: usize, r: i32, count: i32): void {
  store(at(out, r), isShort(form) ? f32x4.mul(sums, f32x4.splat(OF_SUM)) : sums, min(4, count - r));
}

// Rows of 8 bits, four at a time.
// @ts-ignore: decorator
@inline function rowsOfBytes(form: i32, weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const short = v128.load(vector, 16), stride = <usize>(blocks * bytesOf(form));
  const from = vector + BLOCKS, end = from + countOf(vector) * SIZE;
  for (let r = 0; r < count; r += 4) {
    let w = weights + <usize>(r >> 2) * stride;
    let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0, offsets = sum0;
    for (let x = from; x < end; x += SIZE) {
      const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
      const unit = v128.load32_splat(x, PAIR);
      const d = f32x4.mul(scales(form, w, short), unit);
      let e = d;
      if (form == HALVES_K) e = f32x4.mul(v128.load(w, 16), unit);
      else if (isPaired(form)) offsets = fma(scales(form, w + headOf(form) / 2, short), v128.load32_splat(x, PAIR + 4), offsets);
      const body = w + headOf(form), step = bodyOf(form);
      sum0 = block(form, body, v128.shuffle<f32>(d, d, 0, 0, 0, 0), v128.shuffle<f32>(e, e, 0, 0, 0, 0), sum0, x0, x1, x2, x3);
      sum1 = block(form, body + step, v128.shuffle<f32>(d, d, 1, 1, 1, 1), v128.shuffle<f32>(e, e, 1, 1, 1, 1), sum1, x0, x1, x2, x3);
      sum2 = block(form, body + 2 * step, v128.shuffle<f32>(d, d, 2, 2, 2, 2), v128.shuffle<f32>(e, e, 2, 2, 2, 2), sum2, x0, x1, x2, x3);
      sum3 = block(form, body + 3 * step, v128.shuffle<f32>(d, d, 3, 3, 3, 3), v128.shuffle<f32>(e, e, 3, 3, 3, 3), sum3, x0, x1, x2, x3);
      // A second block of x has the same weights.
      w += bytesOf(form) & i32.load(x, WORD);
    }
    const t0 = f32x4.add(v128.shuffle<f32>(sum0, sum1, 0, 4, 1, 5), v128.shuffle<f32>(sum0, sum1, 2, 6, 3, 7));
    const t1 = f32x4.add(v128.shuffle<f32>(sum2, sum3, 0, 4, 1, 5), v128.shuffle<f32>(sum2, sum3, 2, 6, 3, 7));
    const sums = f32x4.add(v128.shuffle<f32>(t0, t1, 0, 1, 4, 5), v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
    put(form, f32x4.add(sums, offsets), out, r, count);
  }
}

// sums + products of bytes, in twos.
// @ts-ignore: decorator
@inline function dot8(x: v128, weights: v128, sums: v128): v128 {
  return i16x8.add(sums, i16x8.relaxed_dot_i8x16_i7x16_s(x, weights));
}

// sums + products of 16 bytes of weights with x in 16 bits, where there are no products of bytes.
// @ts-ignore: decorator
@inline function dot16(x: usize, bytes: v128, mask: v128, sums: v128): v128 {
  const a = i32x4.dot_i16x8_s(v128.and(bytes, mask), v128.load32_splat(x));
  const b = i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(bytes, 8), mask), v128.load32_splat(x, 4));
  const c = i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(bytes, 4), mask), v128.load32_splat(x, 8));
  const d = i32x4.dot_i16x8_s(i16x8.shr_u(bytes, 12), v128.load32_splat(x, 12));
  return i32x4.add(sums, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
}

// d or, with `second`, m of four of the eight rows.
// @ts-ignore: decorator
@inline function fourScales(form: i32, w: usize, four: usize, second: bool, short: v128): v128 {
  return scales(form, w + (second ? headOf(form) / 2 : 0) + four * (isShort(form) ? 8 : 16), short);
}

// Rows of 4 bits, eight at a time.
// @ts-ignore: decorator
@inline function rowsOfNibbles(form: i32, weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  const mask = v128.load(vector), short = v128.load(vector, 16), ones = v128.load(vector, 32), shift = v128.load(vector, 48);
  const stride = <usize>(blocks * bytesOf(form)), from = vector + BLOCKS, end = from + countOf(vector) * SIZE;
  for (let r = 0; r < count; r += 8) {
    let w = weights + <usize>(r >> 3) * stride, x = from;
    let sum = f32x4.splat(0), sumB = sum, offsets = sum, offsetsB = sum;
    while (x < end) {
      // Of rows 0 to 3, and of 4 to 7.
      let products: v128, productsB: v128;
      const block = w, last = x + PAIR;
      w += headOf(form);
      if (ASC_FEATURE_RELAXED_SIMD) {
        // With the high bytes of x, and with the low ones: at most 16 · 15 · 128 in 16 bits.
        let h = i16x8.splat(0), l = h, hB = h, lB = h;
        if (i32.load(x, FLAG)) {
          // A block so small that its high bytes are as exact as others with both.
          for (; x < last; x += 16) {
            const bytes = v128.load(w), bytesB = v128.load(w, 16), x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
            h = dot8(x1, v128.and(i16x8.shr_u(bytes, 4), mask), dot8(x0, v128.and(bytes, mask), h));
            hB = dot8(x1, v128.and(i16x8.shr_u(bytesB, 4), mask), dot8(x0, v128.and(bytesB, mask), hB));
            w += 32;
          }
        }
        for (; x < last; x += 16) {
          const bytes = v128.load(w), bytesB = v128.load(w, 16);
          const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4), x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
          const low = v128.and(bytes, mask), high = v128.and(i16x8.shr_u(bytes, 4), mask);
          const lowB = v128.and(bytesB, mask), highB = v128.and(i16x8.shr_u(bytesB, 4), mask);
          h = dot8(x1, high, dot8(x0, low, h));
          l = dot8(x3, high, dot8(x2, low, l));
          hB = dot8(x1, highB, dot8(x0, lowB, hB));
          lB = dot8(x3, highB, dot8(x2, lowB, lB));
          w += 32;
        }
        products = i32x4.add(i32x4.dot_i16x8_s(h, shift), i32x4.dot_i16x8_s(l, ones));
        productsB = i32x4.add(i32x4.dot_i16x8_s(hB, shift), i32x4.dot_i16x8_s(lB, ones));
      } else {
        products = i32x4.splat(0);
        productsB = products;
        for (; x < last; x += 16) {
          products = dot16(x, v128.load(w), mask, products);
          productsB = dot16(x, v128.load(w, 16), mask, productsB);
          w += 32;
        }
      }
      const unit = v128.load32_splat(x), offset = v128.load32_splat(x, 4);
      const d = fourScales(form, block, 0, false, short), dB = fourScales(form, block, 1, false, short);
      sum = fma(f32x4.convert_i32x4_s(products), f32x4.mul(d, unit), sum);
      sumB = fma(f32x4.convert_i32x4_s(productsB), f32x4.mul(dB, unit), sumB);
      offsets = fma(form == CENTRED ? d : fourScales(form, block, 0, true, short), offset, offsets);
      offsetsB = fma(form == CENTRED ? dB : fourScales(form, block, 1, true, short), offset, offsetsB);
      // A second block of x has the same weights.
      w = block + (bytesOf(form) & i32.load(x, WORD - PAIR));
      x += SIZE - PAIR;
    }
    const factor = f32x4.splat(form == CENTRED ? -8 : 1);
    put(form, fma(offsets, factor, sum), out, r, count);
    if (r + 4 < count) put(form, fma(offsetsB, factor, sumB), out, r + 4, count);
  }
}

export function rowsNibbles(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  rowsOfNibbles(NIBBLES, weights, vector, out, count, blocks);
}

export function rowsCentred(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  rowsOfNibbles(CENTRED, weights, vector, out, count, blocks);
}

export function rowsNibblesK(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  rowsOfNibbles(NIBBLES_K, weights, vector, out, count, blocks);
}

export function rowsBytes(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  rowsOfBytes(BYTES, weights, vector, out, count, blocks);
}

export function rowsBytesK(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  rowsOfBytes(BYTES_K, weights, vector, out, count, blocks);
}

export function rowsHalvesK(weights: usize, vector: usize, out: usize, count: i32, blocks: i32): void {
  rowsOfBytes(HALVES_K, weights, vector, out, count, blocks);
}
