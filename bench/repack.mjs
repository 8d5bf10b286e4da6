/** The matrices of a loaded model in 8 or 16 bits, whatever its file had: what a file of type Q8_0, F16 or BF16 would give. */
import * as tf from "@tensorflow/tfjs-core";
import { HALF } from "../build/core/half.js";
import { packBlocks } from "../build/kernels/quantized/pack.js";
import { referenceUnpack } from "../build/kernels/quantized/reference.js";

/** @import { PackedMatrix } from "../src/ops/packed.ts" */
/** @import { PackedForm } from "../src/kernels/quantized/forms.ts" */

const [BLOCK, BYTES, MOST] = [32, 34, 127];

/** Blocks of ggml's Q8_0: a float16 scale, then 32 integers. */
function blocksOf(/** @type {Float32Array} */ values) {
  const count = values.length / BLOCK;
  const largest = Float32Array.from({ length: count }, (_, n) =>
    values.subarray(n * BLOCK, (n + 1) * BLOCK).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  );
  const halves = HALF.float16.encode(largest.map((most) => most / MOST));
  const scales = HALF.float16.decode(halves);
  const bytes = new Uint8Array(count * BYTES);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < count; n++) {
    view.setUint16(n * BYTES, halves[n] ?? 0, true);
    const scale = scales[n] || 1;
    for (let i = 0; i < BLOCK; i++) {
      const q = Math.round((values[n * BLOCK + i] ?? 0) / scale);
      view.setInt8(n * BYTES + 2 + i, Math.max(-MOST, Math.min(MOST, q)));
    }
  }
  return bytes;
}

/** Rows of 16 bits, one after the other. */
const halvesOf = (/** @type {Float32Array} */ values, /** @type {"float16" | "bfloat16"} */ type) =>
  new Int32Array(HALF[type].encode(values).buffer);

/** @type {Record<string, { form: PackedForm, pack(floats: Float32Array, shape: readonly [number, number]): Int32Array | undefined }>} */
const TYPES = {
  Q8_0: {
    form: "Bytes",
    pack: (floats, shape) => packBlocks("Q8_0", blocksOf(floats), shape)?.words,
  },
  F16: { form: "Float16", pack: (floats) => halvesOf(floats, "float16") },
  BF16: { form: "Bfloat16", pack: (floats) => halvesOf(floats, "bfloat16") },
};
/** The types that matrices can be packed as. */
export const REPACKED = Object.keys(TYPES);

/** Puts other matrices in the place of those that are not of this type; the old ones are disposed. */
export function repack(/** @type {Record<string, PackedMatrix>} */ packed, /** @type {string} */ type) {
  const { form: wanted, pack } = /** @type {(typeof TYPES)[string]} */ (TYPES[type]);
  for (const [name, { form, shape, words }] of Object.entries(packed)) {
    if (form === wanted) continue;
    const [O, I] = shape;
    const rows = Array.from({ length: O }, (_, row) => row);
    const floats = referenceUnpack({ form, words: /** @type {Int32Array} */ (words.dataSync()) }, I, rows);
    const made = pack(floats, shape);
    if (!made) throw new Error(`bench: a scale of ${name} must be finite in 16 bits`);
    words.dispose();
    packed[name] = { form: wanted, shape, words: tf.tensor1d(made, "int32") };
  }
}
