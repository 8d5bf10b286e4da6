/**
 * bfloat16 to and from float32.
 *
 *     1 sign bit · 8 exponent bits (bias 127) · 7 fraction bits: the upper half of a float32
 *
 * The range of float32 with an eighth of float16's precision. Values travel as the 16 bits of a `Uint16Array`. Decoding
 * is exact. Encoding rounds to nearest, ties to the even fraction; what rounds beyond the largest number, 3.39e38,
 * becomes ±Infinity, subnormals are kept, NaN stays NaN with its sign and the top seven bits of its payload.
 */

/**
 * @param values bit patterns, one per value
 * @returns the same values in float32, exactly
 *
 * @example
 * decodeBfloat16(new Uint16Array([0x3f80, 0xc040])); // Float32Array [1, -3]
 */
export function decodeBfloat16(values: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = values[i]! << 16;
  return new Float32Array(bits.buffer);
}

/**
 * @param values float32 numbers of any size
 * @returns bit patterns of the nearest bfloat16 numbers, one per value
 *
 * @example
 * encodeBfloat16(new Float32Array([1, -3.001])); // Uint16Array [0x3f80, 0xc040]
 */
export function encodeBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const encoded = new Uint16Array(values.length);
  for (let i = 0; i < encoded.length; i++) encoded[i] = upperOf(bits[i]!);
  return encoded;
}

function upperOf(bits: number): number {
  const upper = bits >>> 16;
  if ((bits & 0x7fffffff) > 0x7f800000) return (upper & 0xff80) | (upper & 0x7f || 0x40);
  // Just under half a unit, one more when the kept fraction is odd. A carry out of the fraction raises the exponent,
  // up to that of Infinity, which is the right answer.
  return (bits + 0x7fff + (upper & 1)) >>> 16;
}
