import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers TensorFlow.js' gradients
import { beforeAll, describe, expect, test } from "vitest";
import { BLOCKS, dequantize } from "../../src/checkpoints/gguf-blocks.ts";
import { HALF } from "../../src/core/half.ts";
import { RandomStream } from "../../src/core/random.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { PACKED_TYPES, packBlocks } from "../../src/kernels/quantized/pack.ts";
import { referenceUnpack } from "../../src/kernels/quantized/reference.ts";
import {
  type PackedMap,
  type PackedMatrix,
  packedHeads,
  packedLinear,
  packedMatrix,
  packedRows,
} from "../../src/ops/packed.ts";
import "@tensorflow/tfjs-backend-cpu";

const O = 13;
const I = 512;
const random = new RandomStream(5);

/** Where a block of each type has its float16 scales. */
const SCALES: Record<string, number[]> = {
  ...{ Q4_0: [0], Q4_1: [0, 2], Q5_0: [0], Q5_1: [0, 2], Q8_0: [0] },
  ...{ Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
};

/** Blocks of random bits, with scales of every sign and size, subnormal ones among them. */
function blocksOf(type: string): Uint8Array {
  const { values, bytes } = BLOCKS[type]!;
  const all = Uint8Array.from({ length: ((O * I) / values) * bytes }, () => random.uniform() * 256);
  const view = new DataView(all.buffer);
  const scales = [0.013, -0.021, 3e-6, 0, 0.4];
  let n = 0;
  for (let block = 0; block < all.length; block += bytes) {
    for (const at of SCALES[type]!) {
      const [half] = HALF.float16.encode(Float32Array.of(scales[n++ % 5]! * (1 + random.uniform())));
      view.setUint16(block + at, half!, true);
    }
  }
  return all;
}

/** x [T, I], with numbers a thousand times larger than others here and there. */
function vectorsOf(T: number): Float32Array {
  return Float32Array.from({ length: T * I }, (_, n) => random.normal() * (n % 83 === 7 ? 2000 : 1));
}

/** x·Wᵀ in float64, and how far from it a product may be whose x has 16 bits a number. */
function exact(x: Float32Array, W: Float32Array, T: number) {
  const out: { value: number; error: number }[] = [];
  for (let t = 0; t < T; t++) {
    for (let o = 0; o < O; o++) {
      let [value, error] = [0, 0];
      for (let block = 0; block < I; block += 32) {
        let [most, weights, products] = [0, 0, 0];
        for (let i = block; i < block + 32; i++) {
          const [a, w] = [x[t * I + i]!, W[o * I + i]!];
          value += a * w;
          most = Math.max(most, Math.abs(a));
          weights += Math.abs(w);
          products += Math.abs(a * w);
        }
        // Half a unit of the block, and roundoff of float32 in each sum: of the parts d·q and m too, which may be larger.
        error += (most / 32639 / 2) * weights + 2 ** -20 * (products + most * weights);
      }
      out.push({ value, error });
    }
  }
  return out;
}

const packed: Record<string, { matrix: PackedMatrix; W: Float32Array }> = {};
beforeAll(async () => {
  await useHeedBackend();
  for (const type of PACKED_TYPES) {
    const bytes = blocksOf(type);
    const rows = packBlocks(type, bytes, [O, I])!;
    packed[type] = { matrix: packedMatrix(rows, [O, I]), W: dequantize(type, bytes) };
  }
  for (const [type, form] of [
    ["float16", "Float16"],
    ["bfloat16", "Bfloat16"],
  ] as const) {
    const halves = HALF[type].encode(Float32Array.from({ length: O * I }, () => random.normal() * 0.1));
    const words = new Int32Array(halves.buffer);
    packed[type] = { matrix: packedMatrix({ form, words }, [O, I]), W: HALF[type].decode(halves) };
  }
});

const TYPES = [...PACKED_TYPES, "float16", "bfloat16"];

describe.each(TYPES)("%s", (type) => {
  test("is packed and unpacked as ggml means it, all of it and row by row", () => {
    const { matrix, W } = packed[type]!;
    const words = Int32Array.from(matrix.words.dataSync());
    const all = Array.from({ length: O }, (_, row) => row);
    const reference = referenceUnpack({ form: matrix.form, words }, I, all);
    // The last bit: d·q + m is rounded once there, twice here.
    const isNear = (value: number, n: number) =>
      Math.abs(value - W[n]!) <= 2 ** -20 * (Math.abs(W[n]!) + 1e-3);
    expect(reference.findIndex((value, n) => !isNear(value, n))).toBe(-1);
    const ids = [12, 0, 7, 7, 3];
    const rows = tf.tidy(() => packedRows(matrix, tf.tensor1d(ids, "int32")).dataSync());
    expect(rows.findIndex((value, n) => !isNear(value, ids[Math.floor(n / I)]! * I + (n % I)))).toBe(-1);
  });

  test.each([1, 3, 11])("times %i vectors is what float64 gives, within the error of 16 bits", (T) => {
    const { matrix, W } = packed[type]!;
    const [x, b] = [vectorsOf(T), Float32Array.from({ length: O }, () => random.normal())];
    const out = tf.tidy(() =>
      packedLinear(tf.tensor3d(x, [1, T, I]), matrix, tf.tensor1d(b)).dataSync<"float32">(),
    );
    const wrong = exact(x, W, T).filter(({ value, error }, n) => {
      return !(Math.abs(out[n]! - value - b[n % O]!) <= error + 2 ** -22);
    });
    expect(wrong).toEqual([]);
  });
});

test.each(TYPES)("%s times a vector of large numbers of one sign is finite and right", (type) => {
  const { matrix, W } = packed[type]!;
  for (const size of [3000, 1e7]) {
    // Their sum over a block is far above what a float16 holds, and so is each of the larger ones.
    const x = Float32Array.from({ length: I }, (_, n) => size * (1 + (n % 7) / 7));
    const out = tf.tidy(() => packedLinear(tf.tensor2d(x, [1, I]), matrix).dataSync());
    const wrong = exact(x, W, 1).filter(({ value, error }, o) => !(Math.abs(out[o]! - value) <= error));
    expect(wrong).toEqual([]);
  }
});

test("numbers that stand beside a huge one keep their digits", () => {
  const { matrix, W } = packed.Q8_0!;
  const x = Float32Array.from({ length: I }, (_, n) => (n === 70 ? 5000 : random.normal()));
  const out = tf.tidy(() => packedLinear(tf.tensor2d(x, [1, I]), matrix).dataSync());
  const plain = exact(x, W, 1);
  // Without its second block the error would be 5000 / 32639 / 2 of each of 31 weights.
  const quiet = exact(
    x.map((value) => (Math.abs(value) > 1000 ? 0 : value)),
    W,
    1,
  );
  for (const [o, { value }] of plain.entries()) {
    const roundoff = 2 ** -20 * 5000 * Math.abs(W[o * I + 70]!);
    expect(Math.abs(out[o]! - value)).toBeLessThanOrEqual(quiet[o]!.error + roundoff);
  }
});

test("what is not finite stays so, and zeros are zeros", () => {
  const { matrix } = packed.Q4_1!;
  for (const odd of [Number.NaN, Infinity]) {
    const x = new Float32Array(I).fill(odd, 40, 41);
    const out = tf.tidy(() => packedLinear(tf.tensor2d(x, [1, I]), matrix).dataSync());
    expect(out.every(Number.isNaN)).toBe(true);
  }
  const none = tf.tidy(() => packedLinear(tf.zeros([2, I]), matrix).dataSync());
  expect([...none].every((value) => value === 0)).toBe(true);
});

test("several maps of one x are those maps one by one, whatever their forms", () => {
  const names = ["Q4_1", "Q8_0", "Q4_K", "float16", "Q6_K"];
  for (const T of [1, 2, 11]) {
    const x = tf.tensor2d(vectorsOf(T), [T, I]);
    const bias = tf.tensor1d(vectorsOf(1).slice(0, O));
    const maps = names.map((name, n) => ({ matrix: packed[name]!.matrix, ...(n % 2 === 1 && { bias }) }));
    const all = packedHeads(x, maps, O);
    for (const [n, out] of all.entries()) {
      expect(out.shape).toEqual([T, 1, O]);
      const { matrix, bias: own } = maps[n]! as PackedMap;
      const alone = packedLinear(x, matrix, own);
      expect([...out.dataSync()]).toEqual([...alone.dataSync()]);
      tf.dispose([out, alone]);
    }
    tf.dispose([x, bias]);
  }
  const { matrix } = packed.Q8_0!;
  expect(() => packedHeads(tf.zeros([1, I]), [{ matrix }], 5)).toThrow("must be heads of 5, got 13 rows");
});

test("a gradient reaches x and the bias", () => {
  const { matrix, W } = packed.Q4_K!;
  tf.tidy(() => {
    const [x, b] = [tf.tensor2d(vectorsOf(2), [2, I]), tf.zeros([O]) as tf.Tensor1D];
    const dy = tf.tensor2d(vectorsOf(1).slice(0, 2 * O), [2, O]);
    const [dx, db] = tf.grads((a: tf.Tensor, c: tf.Tensor) =>
      tf.mul(packedLinear(a as tf.Tensor2D, matrix, c as tf.Tensor1D), dy),
    )([x, b]);
    const wanted = tf.matMul(dy, tf.tensor2d(W, [O, I]));
    const scale = tf.max(tf.abs(wanted)).dataSync()[0]!;
    expect(tf.max(tf.abs(tf.sub(dx!, wanted))).dataSync()[0]! / scale).toBeLessThan(1e-5);
    expect([...db!.dataSync()]).toEqual([...tf.sum(dy, 0).dataSync()]);
  });
});

test("other backends compute with floats", async () => {
  const { matrix, W } = packed.Q6_K!;
  const x = vectorsOf(1);
  await tf.setBackend("cpu");
  try {
    const out = tf.tidy(() => packedLinear(tf.tensor2d(x, [1, I]), matrix).dataSync());
    const wanted = exact(x, W, 1);
    for (const [o, { value, error }] of wanted.entries())
      expect(Math.abs(out[o]! - value)).toBeLessThanOrEqual(error);
    const [row] = tf.tidy(() => packedRows(matrix, tf.tensor1d([5], "int32")).arraySync());
    expect(row).toEqual([...W.slice(5 * I, 6 * I)]);
  } finally {
    await tf.setBackend("heed");
  }
});

test("what is not finite, narrow or of another type is not packed, and shapes are checked", () => {
  const bytes = blocksOf("Q8_0");
  new DataView(bytes.buffer).setUint16(34 * 5, 0x7c00, true);
  expect(packBlocks("Q8_0", bytes, [O, I])).toBeUndefined();
  const K = blocksOf("Q6_K");
  new DataView(K.buffer).setUint16(208, 0x7e00, true);
  expect(packBlocks("Q6_K", K, [O, I])).toBeUndefined();
  expect(packBlocks("F32", bytes, [O, I])).toBeUndefined();
  expect(packBlocks("Q8_0", bytes, [O, 17])).toBeUndefined();
  const { matrix } = packed.Q8_0!;
  expect(() => packedLinear(tf.zeros([2, 31]), matrix)).toThrow("packedLinear");
  expect(() => packedLinear(tf.zeros([I]), matrix)).toThrow("rank 2 or more");
  expect(() => packedRows(matrix, tf.tensor1d([13], "int32"))).toThrow("below the 13 rows, got 13");
  expect(() => packedMatrix({ form: "Bytes", words: new Int32Array(3) }, [O, I])).toThrow(
    "must have 2176 words",
  );
});
