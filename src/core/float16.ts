/**
 * IEEE 754 binary16 ("half") to and from float32.
 *
 *     1 sign bit · 5 exponent bits (bias 15) · 10 fraction bits; largest 65504, smallest normal 2⁻¹⁴, smallest 2⁻²⁴
 *
 * Halves travel as the 16 bits of a `Uint16Array`. Decoding is exact. Encoding rounds to nearest, ties to the
 * even fraction; what rounds beyond 65504 becomes ±Infinity, subnormals are kept, NaN stays NaN with its sign
 * and the top ten bits of its payload.
 */

let table: Uint32Array | undefined;

/** The float32 bits of all 65,536 halves: 256 KiB, made on first use. */
function decodeTable(): Uint32Array {
  if (table) return table;
  const bits = new Uint32Array(65_536);
  for (let half = 0; half < 65_536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    let magnitude: number;
    if (exponent === 0x1f) magnitude = 0x7f800000 | (fraction << 13);
    else if (exponent > 0) magnitude = ((exponent + 112) << 23) | (fraction << 13);
    else if (fraction === 0) magnitude = 0;
    else {
      // fraction · 2⁻²⁴ with its leading one at bit p: a float32 normal with exponent p − 24.
      const p = 31 - Math.clz32(fraction);
      magnitude = ((p + 103) << 23) | ((fraction << (23 - p)) & 0x7fffff);
    }
    bits[half] = sign | magnitude;
  }
  table = bits;
  return bits;
}

/**
 * @param halves bit patterns, one per value
 * @returns the same values in float32, exactly
 *
 * @example
 * decodeFloat16(new Uint16Array([0x3c00, 0x0001])); // Float32Array [1, 5.9604644775390625e-8]
 */
export function decodeFloat16(halves: Uint16Array): Float32Array {
  const lookup = decodeTable();
  // Written as bits: a float store may quieten a signalling NaN.
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) bits[i] = lookup[halves[i]!]!;
  return new Float32Array(bits.buffer);
}

const oneBits = new Uint32Array(1);
const oneValue = new Float32Array(oneBits.buffer);

/**
 * One half, without an array for it.
 *
 * @example
 * decodeHalf(0x3c00); // 1
 */
export function decodeHalf(half: number): number {
  oneBits[0] = decodeTable()[half]!;
  return oneValue[0]!;
}

/**
 * @param values float32 numbers of any size
 * @returns bit patterns of the nearest halves, one per value
 *
 * @example
 * encodeFloat16(new Float32Array([1, 65520])); // Uint16Array [0x3c00, 0x7c00]
 */
export function encodeFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = halfOf(bits[i]!);
  return halves;
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7c00 | ((magnitude >> 13) & 0x3ff || 0x200);
  // From 65520 = 65504 + half a step upwards, nearest-even rounding leaves the finite halves.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal: rebias, then add just under half a unit, one more when the kept fraction is odd. A carry out of
    // the fraction raises the exponent, which is the right answer.
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >> 13) & 1)) >> 13);
  }
  // At most half of the smallest subnormal: the tie goes to zero, which is even.
  if (magnitude <= 0x33000000) return sign;
  // Subnormal: the significand with its hidden one, shifted until its unit is 2⁻²⁴.
  const shift = 126 - (magnitude >> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const kept = significand >> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && kept & 1) ? kept + 1 : kept);
}
