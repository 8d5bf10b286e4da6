/**
 * Weights in one byte each, for maps that must be stored or sent.
 *
 *     0          exactly 0
 *     1 … 254    10^(−6 + 6·(code − 1)/253): from 1e−6 to 1 in equal steps of the logarithm
 *     255        a key that is hidden from its query
 *
 * Between 1e−6 and 1 the worst relative error is half a step, 10^(3/253) − 1 = 2.77 %; a linear byte turns 1e−3 into
 * 0. Smaller weights become 1e−6, larger ones 1: a weight above 0 never becomes 0.
 */
export const U8LOG_MASKED = 255;

/** Steps between the codes 1 and 254, and the decades that they span. */
const STEPS = 253;
const DECADES = 6;

let table: Float32Array | undefined;

/** The value of each code; 0 for what is hidden. */
export function u8logTable(): Float32Array {
  table ??= Float32Array.from({ length: 256 }, (_, code) =>
    code === 0 || code === U8LOG_MASKED ? 0 : 10 ** (DECADES * ((code - 1) / STEPS - 1)),
  );
  return table;
}

/**
 * @param weights numbers from 0 to 1
 * @param visible true or 1 where a query may attend; all, when left out
 *
 * @example
 * encodeU8Log([0, 1e-6, 0.5, 1], [1, 1, 1, 0]); // Uint8Array [0, 1, 241, 255]
 */
export function encodeU8Log(
  weights: ArrayLike<number>,
  visible?: ArrayLike<number | boolean>,
): Uint8Array<ArrayBuffer> {
  const codes = new Uint8Array(weights.length);
  for (let e = 0; e < codes.length; e++) {
    if (visible && !visible[e]) codes[e] = U8LOG_MASKED;
    else if (weights[e]! > 0) {
      const step = Math.round((Math.log10(weights[e]!) / DECADES + 1) * STEPS);
      codes[e] = 1 + Math.min(STEPS, Math.max(0, step));
    }
  }
  return codes;
}

/**
 * @returns the weights; 0 for hidden keys too, which the codes tell apart
 *
 * @example
 * decodeU8Log(new Uint8Array([0, 254, 255])); // Float32Array [0, 1, 0]
 */
export function decodeU8Log(codes: Uint8Array): Float32Array<ArrayBuffer> {
  const values = u8logTable();
  const weights = new Float32Array(codes.length);
  for (let e = 0; e < codes.length; e++) weights[e] = values[codes[e]!]!;
  return weights;
}
