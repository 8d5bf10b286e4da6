/** Attention in chunks, of TensorFlow.js ops, beside the float64 reference and beside the same call at once. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { multiHeadAttention } from "../../src/attention/sequence/index.ts";
import { type AttentionOptions, attention } from "../../src/ops/index.ts";
import { floats, holes, makeCase } from "../kernels/cases.ts";
import {
  BACKENDS,
  expectReference,
  far,
  type HostOptions,
  inputs,
  OPTIONS,
  read,
  SHAPES,
  tensor,
} from "./attention-support.ts";

type Chunks = Pick<AttentionOptions, "queryChunkSize" | "keyChunkSize">;

/** T = 5 and S = 7: sizes that divide neither; more than there is, and single keys. */
const CHUNKS: Chunks[] = [
  { queryChunkSize: 2, keyChunkSize: 3 },
  { queryChunkSize: 97, keyChunkSize: 1 },
];

const COMPOSED = BACKENDS.filter(([name]) => name === "cpu" || name === "wasm");

describe.each(COMPOSED)("attention in chunks on %s", (_, use) => {
  beforeAll(async () => void (await use()));

  it.each(OPTIONS)("equals the float64 reference with %s, in values and gradients", (_, options) => {
    const c = makeCase(SHAPES, options, 40);
    for (const [n, chunks] of CHUNKS.entries()) {
      expectReference(c, { ...options, ...chunks } as HostOptions, n % 2 ? "bthd" : "bhtd");
    }
  });

  it("equals the reference on random sizes, options and chunks", () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    const property = fc.property(
      ...[size(2), size(13), size(29), size(2), size(2), size(31), size(31)],
      fc.record({ causal: fc.boolean(), padded: fc.boolean(), biased: fc.boolean(), seed: fc.nat(999) }),
      (B, T, S, Hkv, groups, queryChunkSize, keyChunkSize, p) => {
        const shapes = { B, T, S, H: groups * Hkv, Hkv, D: 5, Dv: 3 };
        const options: HostOptions = {
          ...(p.causal && { causal: "bottomRight" as const }),
          ...(p.padded && { keyLengths: Array.from({ length: B }, (_, b) => (p.seed + 7 * b) % (S + 1)) }),
          ...(p.biased && { bias: floats(p.seed, [1, groups * Hkv, p.causal ? 1 : T, S]) }),
        };
        const chunks = { queryChunkSize, keyChunkSize };
        expectReference(makeCase(shapes, options, p.seed), { ...options, ...chunks } as HostOptions, "bthd");
      },
    );
    fc.assert(property, { numRuns: 10, seed: 3 });
  });

  it("gives what it gives at once, to 1e-6, over primes that do not divide", () => {
    const shapes = { B: 1, T: 101, S: 127, H: 2, Hkv: 1, D: 17, Dv: 13 };
    tf.tidy(() => {
      const [q, k, v] = inputs(shapes);
      const options = {
        causal: "bottomRight",
        dropout: { rate: 0.3, seed: 5 },
        training: true,
        lse: true,
      } as const;
      const whole = attention(q, k, v, options);
      for (const [queryChunkSize, keyChunkSize] of [
        [1, 127],
        [7, 11],
        [64, 32],
        [1000, 1000],
      ] as const) {
        const { output, lse } = attention(q, k, v, { ...options, queryChunkSize, keyChunkSize });
        expect(far(read(output), read(whole.output))).toBeLessThanOrEqual(1e-6);
        expect(far(read(lse), read(whole.lse))).toBeLessThanOrEqual(1e-6 * 8);
      }
    });
  });

  it("does not depend on whether the weights are asked for", () => {
    tf.tidy(() => {
      const [q, k, v] = inputs();
      const options = { queryChunkSize: 2, keyChunkSize: 3 };
      const { output } = attention(q, k, v, options);
      const asked = attention(q, k, v, { ...options, weights: true });
      expect(read(asked.output)).toEqual(read(output));
      expect(
        far(read(asked.weights), read(attention(q, k, v, { weights: true }).weights)),
      ).toBeLessThanOrEqual(1e-6);
    });
  });

  it("keeps hidden NaN and infinities to themselves, and shares a score of +∞ across chunks", () => {
    tf.tidy(() => {
      const shapes = { B: 1, T: 2, S: 5, H: 1, Hkv: 1, D: 1, Dv: 1 };
      const [q, , v] = inputs(shapes);
      const k = tf.tensor4d([1, 1, Number.NaN, 1, 1], [1, 1, 5, 1]);
      const bias = tf.tensor2d([
        [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY],
      ]);
      const chunks = { queryChunkSize: 1, keyChunkSize: 2 };
      const { output, lse } = attention(q!, k, v!, { bias, ...chunks, lse: true });
      const values = read(v!);
      const mean = (values[1]! + values[4]!) / 2;
      expect(far(read(output), [mean, mean])).toBeLessThan(1e-6);
      expect(read(lse)).toEqual([Infinity, Infinity]);
    });
  });

  it("leaves no tensor behind, forward and backward", () => {
    const given = inputs();
    const bias = tensor(floats(3, [1, 6, 1, 7]));
    const run = () =>
      tf.tidy(() => {
        const loss = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, b: tf.Tensor) =>
          tf.sum(
            attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
              bias: b,
              queryChunkSize: 2,
              keyChunkSize: 3,
            }).output,
          );
        tf.grads(loss as (...x: tf.Tensor[]) => tf.Scalar)([...given, bias]);
      });
    const { output } = attention(...given, { queryChunkSize: 2 });
    output.dispose();
    const before = tf.memory().numTensors;
    attention(...given, { keyChunkSize: 3 }).output.dispose();
    run();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([...given, bias]);
  });

  it("stores a chunk and not the scores: the peak of a call grows with T, forward and backward", async () => {
    const D = 8;
    const sizes = [128, 256, 512];
    const peaks = async (run: (q: tf.Tensor4D) => tf.Tensor) => {
      const bytes = [];
      for (const n of sizes) {
        const q = tensor(floats(1, [1, 1, n, D])) as tf.Tensor4D;
        const { numBytes } = tf.memory();
        const { peakBytes } = await tf.profile(() => void tf.tidy(() => void run(q)));
        bytes.push(peakBytes - numBytes);
        q.dispose();
      }
      return bytes as [number, number, number];
    };
    const chunks = { queryChunkSize: 64, keyChunkSize: 64 };
    const call = (options: AttentionOptions) => (q: tf.Tensor4D) => attention(q, q, q, options).output;
    const learn = (options: AttentionOptions) => (q: tf.Tensor4D) =>
      tf.grad((x) => tf.sum(call(options)(x as tf.Tensor4D)))(q);
    for (const [run, arrays] of [
      [call, 8],
      [learn, 12],
    ] as const) {
      const [a, b, c] = await peaks(run(chunks));
      expect((c - b) / (b - a)).toBeLessThan(2.2);
      // A handful of arrays of a chunk's scores, and of arrays of T rows.
      expect(c).toBeLessThan(4 * (arrays * 64 * 64 + 3 * arrays * 512 * D));
      if (tf.getBackend() === "wasm") {
        const [d, e, f] = await peaks(run({}));
        expect((f - e) / (e - d)).toBeGreaterThan(3.5);
      }
    }
  });

  it.each([
    [{ queryChunkSize: 0 }, "attention: queryChunkSize must be an integer ≥ 1, got 0"],
    [{ keyChunkSize: 2.5 }, "attention: keyChunkSize must be an integer ≥ 1, got 2.5"],
    [{ keyChunkSize: Number.NaN }, "attention: keyChunkSize must be an integer ≥ 1, got NaN"],
  ])("refuses %j before anything runs", (options, message) => {
    tf.tidy(() => {
      const [q, k, v] = inputs();
      expect(() => attention(q, k, v, options)).toThrow(
        `${message}; choose one in that range or leave it out`,
      );
    });
  });

  it("is what mechanisms made of attention take chunks for", () => {
    tf.tidy(() => {
      const random = (seed: number, shape: number[]) => tensor(floats(seed, shape));
      const query = random(1, [2, 5, 4]) as tf.Tensor3D;
      const [wq, wk, wv] = [2, 3, 4].map((seed) => random(seed, [4, 2, 3])) as [
        tf.Tensor3D,
        tf.Tensor3D,
        tf.Tensor3D,
      ];
      const parameters = { wq, wk, wv, wo: random(5, [2, 3, 4]) as tf.Tensor3D };
      const chunks = { queryChunkSize: 2, keyChunkSize: 3 };
      const [whole, parts] = [{}, chunks].map((options) =>
        read(multiHeadAttention({ query }, parameters, { causal: true, ...options }).output),
      );
      expect(far(parts!, whole!)).toBeLessThanOrEqual(1e-6 * 8);
      expect(() => multiHeadAttention({ query }, parameters, { keyChunkSize: 0 })).toThrow(
        "multiHeadAttention: keyChunkSize must be an integer ≥ 1, got 0",
      );
    });
  });

  it("has empty rows refused from any chunk", () => {
    tf.tidy(() => {
      const [q, k, v] = inputs();
      const options = { queryChunkSize: 2, keyChunkSize: 3, onEmptyRow: "error" } as const;
      expect(() => attention(q, k, v, { ...options, keyLengths: [7, 0] })).toThrow(
        "none for example 1, head 0, query 0",
      );
      expect(() => attention(q, k, v, { ...options, allow: tensor(holes(7, [5, 7], true)) })).toThrow(
        "none for example 0, head 0, query 0",
      );
    });
  });
});

describe.each(BACKENDS.filter(([name]) => name.startsWith("heed")))("attention in chunks on %s", (_, use) => {
  beforeAll(async () => void (await use()));

  it("has the kernels' blocks and their bits, whatever is asked for", () => {
    tf.tidy(() => {
      const [q, k, v] = inputs();
      const { output } = attention(q, k, v, { queryChunkSize: 2, keyChunkSize: 3 });
      expect(read(output)).toEqual(read(attention(q, k, v).output));
      expect(() => attention(q, k, v, { queryChunkSize: -1 })).toThrow(
        "queryChunkSize must be an integer ≥ 1",
      );
    });
  });
});
