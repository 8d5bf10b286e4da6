/** Decoding with a cache gives what the whole sequence gives, for every kind of positions. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import {
  gpt2,
  KeyValueCache,
  llama,
  marian,
  Transformer,
  type TransformerConfig,
  t5,
} from "../../../src/models/transformer/index.ts";
import { appendRows } from "../../../src/ops/append-rows.ts";
import { attentionCalls } from "../../../src/ops/attention/observe.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";

const SIZES = { layers: 2, width: 12, heads: 3, inner: 7, vocabulary: 17 };
const { layers: _, ...STACKS } = SIZES;
const decoder = llama({ ...SIZES, keyValueHeads: 1 });
const CONFIGS: Record<string, TransformerConfig> = {
  "rotary, grouped heads": decoder,
  learned: gpt2({ ...SIZES, positions: 32 }),
  alibi: { ...decoder, positions: { kind: "alibi" } },
  "T5 buckets": { ...decoder, positions: { kind: "t5", buckets: 8, maxDistance: 5 } },
  sinusoidal: { ...decoder, positions: { kind: "sinusoidal", order: "interleaved" } },
  "a window of 3": { ...decoder, window: 3 },
  "a window of 3 and buckets": {
    ...decoder,
    window: 3,
    positions: { kind: "t5", buckets: 8, maxDistance: 5 },
  },
};

const tokensOf = (rows: number[][]) => tf.tensor2d(rows, [rows.length, rows[0]!.length], "int32");
const rowsOf = (x: tf.Tensor3D, b: number, from: number, count: number) => [
  ...tf.tidy(() => tf.slice(x, [b, from, 0], [1, count, x.shape[2]]).dataSync()),
];

/** Sums of float32 in another order: states are near 1. */
const TOLERANCE = 1e-5;

const text = (seed: number, length: number) =>
  Array.from({ length }, (_, n) => (seed * 7 + n * n * 5 + n) % 17);

onEveryBackend("A key and value cache", () => {
  describe.each(Object.entries(CONFIGS))("%s", (_, config) => {
    it.each([undefined, 11])(
      "gives the states of the whole sequence, in a prompt and steps; capacity %s",
      (capacity) => {
        const model = new Transformer(config, 3);
        const rows = [text(1, 11), text(2, 11)];
        const whole = model.decode({ tokens: tokensOf(rows) });
        const cache = new KeyValueCache(model, { examples: 2, ...(capacity !== undefined && { capacity }) });
        const { numTensors } = tf.memory();
        let at = 0;
        for (const T of [5, 1, 1, 1, 1, 1, 1]) {
          const part = tokensOf(rows.map((row) => row.slice(at, at + T)));
          const states = model.decode({ tokens: part }, { cache });
          for (const b of [0, 1]) {
            expect(distance(rowsOf(states, b, 0, T), rowsOf(whole, b, at, T))).toBeLessThan(TOLERANCE);
          }
          at += T;
          expect([...cache.lengths]).toEqual([at, at]);
          tf.dispose([part, states]);
        }
        // Two tensors in each of two layers.
        expect(tf.memory().numTensors).toBe(numTensors + 4);
        cache.dispose();
        expect(tf.memory().numTensors).toBe(numTensors);
        model.dispose();
        whole.dispose();
      },
    );

    it("keeps examples of different lengths apart, whatever stands in their padding", () => {
      const model = new Transformer(config, 4);
      const rows = [text(3, 9), text(4, 9)];
      const lengths = [5, 2];
      const cache = new KeyValueCache(model, { examples: 2 });
      const prompt = rows.map((row, b) => row.slice(0, 5).map((id, t) => (t < lengths[b]! ? id : 16 - t)));
      model.decode({ tokens: tokensOf(prompt), lengths }, { cache });
      const alone = rows.map((row) => model.decode({ tokens: tokensOf([row]) }));
      for (let n = 0; n < 4; n++) {
        const next = tokensOf(rows.map((row, b) => [row[lengths[b]! + n]!]));
        const states = model.decode({ tokens: next }, { cache });
        for (const b of [0, 1]) {
          expect(distance(rowsOf(states, b, 0, 1), rowsOf(alone[b]!, 0, lengths[b]! + n, 1))).toBeLessThan(
            TOLERANCE,
          );
        }
      }
      expect([...cache.lengths]).toEqual([9, 6]);
      cache.keep([1]);
      const states = model.decode({ tokens: tokensOf([[rows[1]![6]!]]) }, { cache });
      expect(distance(rowsOf(states, 0, 0, 1), rowsOf(alone[1]!, 0, 6, 1))).toBeLessThan(TOLERANCE);
      cache.dispose();
      model.dispose();
    });

    if (config.window) return;
    it("lets hypotheses see their own ancestors alone", () => {
      const model = new Transformer(config, 5);
      const cache = new KeyValueCache(model, { examples: 2 });
      const prompts = [text(5, 4), text(6, 4)];
      model.decode({ tokens: tokensOf(prompts) }, { cache });
      // [b][k]: the whole text of each hypothesis.
      let beams = prompts.map((prompt) => [prompt, prompt, prompt]);
      const parents = [
        [-1, -1, -1, -1, -1, -1],
        [2, 0, 0, 1, 1, 2],
        [0, 1, 0, 2, 2, 0],
        [2, 2, 1, 1, 0, 0],
      ];
      for (const [step, from] of parents.entries()) {
        const ids = from.map((_, n) => (3 * n + 5 * step) % 17);
        beams = beams.map((texts, b) =>
          texts.map((_, k) => {
            const parent = from[b * 3 + k]!;
            return [...(parent < 0 ? prompts[b]! : texts[parent]!), ids[b * 3 + k]!];
          }),
        );
        const tokens = tf.tensor2d(ids, [2, 3], "int32");
        const states = model.decode({ tokens }, { cache, parents: from });
        for (const b of [0, 1])
          for (const k of [0, 1, 2]) {
            const own = beams[b]![k]!;
            const whole = model.decode({ tokens: tokensOf([own]) });
            const wanted = rowsOf(whole, 0, own.length - 1, 1);
            expect(distance(rowsOf(states, b, k, 1), wanted), `${step} ${b} ${k}`).toBeLessThan(TOLERANCE);
          }
      }
      expect([...cache.lengths]).toEqual([8, 8]);
      cache.dispose();
      model.dispose();
    });
  });

  it("grows by doubling, a few rows with each step, and reads nothing that it has not written", () => {
    const model = new Transformer(decoder, 8);
    const { numTensors } = tf.memory();
    // What the heap hands out next held NaN.
    tf.dispose(tf.fill([2 ** 16], Number.NaN));
    const rows = [text(1, 135), text(2, 135)];
    const lengths = [40, 3];
    const whole = tf.tidy(() => model.decode({ tokens: tokensOf(rows) }));
    const cache = new KeyValueCache(model, { examples: 2 });
    const sizes: number[] = [];
    tf.tidy(
      () => void model.decode({ tokens: tokensOf(rows.map((row) => row.slice(0, 40))), lengths }, { cache }),
    );
    for (let n = 0; n < 95; n++) {
      sizes.push(cache.bytes);
      tf.tidy(() => {
        const states = model.decode(
          { tokens: tokensOf(rows.map((row, b) => [row[lengths[b]! + n]!])) },
          { cache },
        );
        for (const b of [0, 1]) {
          const wanted = rowsOf(whole, b, lengths[b]! + n, 1);
          expect(distance(rowsOf(states, b, 0, 1), wanted), `${n}`).toBeLessThan(TOLERANCE);
        }
      });
      // Begins anew in the middle of moving.
      if (n === 70) cache.keep([0, 1]);
    }
    expect([...cache.lengths]).toEqual([135, 98]);
    expect(cache.capacity).toBe(256);
    // Two layers of k and v, one head of 4, two examples: 64 rows, and with each step one more tensor of twice as many.
    const bytes = (capacity: number) => 4 * 2 * capacity * 4;
    expect(sizes.slice(0, 5)).toEqual([1, 2, 3, 4, 4].map((n) => 4 * bytes(64) + n * bytes(128)));
    whole.dispose();
    cache.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
  });

  it("takes a prompt that is longer than twice its rows, with or without rows on the way", () => {
    const model = new Transformer(decoder, 9);
    const rows = [text(4, 300)];
    const whole = model.decode({ tokens: tokensOf(rows) });
    for (const first of [5, 50]) {
      const cache = new KeyValueCache(model);
      for (const [from, end] of [
        [0, first],
        [first, first + 1],
        [first + 1, 300],
      ] as const) {
        const states = model.decode({ tokens: tokensOf([rows[0]!.slice(from, end)]) }, { cache });
        expect(distance(rowsOf(states, 0, 0, end - from), rowsOf(whole, 0, from, end - from))).toBeLessThan(
          TOLERANCE,
        );
      }
      expect(cache.capacity).toBe(512);
      cache.dispose();
    }
    model.dispose();
  });

  it.each([
    ["Marian", marian({ ...STACKS, encoderLayers: 1, decoderLayers: 2 })],
    ["T5", t5({ ...STACKS, encoderLayers: 1, decoderLayers: 2, headWidth: 5 })],
  ])("reads the memory once: %s", (_, config) => {
    const model = new Transformer(config, 6);
    const source = tokensOf([text(1, 7), text(2, 7)]);
    const memoryLengths = [7, 4];
    const memory = model.encode({ tokens: source, lengths: memoryLengths });
    const rows = [text(3, 6), text(4, 6)];
    const whole = model.decode({ tokens: tokensOf(rows) }, { memory, memoryLengths });
    const cache = new KeyValueCache(model, { examples: 2 });
    for (let t = 0; t < 6; t++) {
      const tokens = tokensOf(rows.map((row) => [row[t]!]));
      const states = model.decode({ tokens }, { cache, ...(t === 0 && { memory, memoryLengths }) });
      for (const b of [0, 1])
        expect(distance(rowsOf(states, b, 0, 1), rowsOf(whole, b, t, 1))).toBeLessThan(TOLERANCE);
    }
    cache.keep([1]);
    cache.dispose();
    model.dispose();
  });
});

describe("A step of a key and value cache", () => {
  const model = () => new Transformer(decoder, 1);
  const one = () => tf.zeros<tf.Rank.R2>([1, 1], "int32");
  beforeAll(() => tf.setBackend("heed"));

  /**
   * Bytes that JavaScript copies between arrays meanwhile, of which the heap of the backend is one. The layers run one by one:
   * somebody looks at attention.
   */
  function copied(run: () => void): number {
    let bytes = 0;
    const set = Float32Array.prototype.set;
    const spy = vi.spyOn(Float32Array.prototype, "set").mockImplementation(function (
      this: Float32Array,
      from,
      at,
    ) {
      bytes += 4 * from.length;
      set.call(this, from, at);
    });
    attentionCalls.during(() => {}, run);
    spy.mockRestore();
    return bytes;
  }

  it("copies the rows of its own token, however many there are", () => {
    const transformer = model();
    const step = (cache: KeyValueCache) =>
      tf.tidy(() => void transformer.decode({ tokens: one() }, { cache }));
    const bytes = [8, 800].map((tokens) => {
      const cache = new KeyValueCache(transformer, { capacity: 1000 });
      tf.tidy(
        () => void transformer.decode({ tokens: tf.zeros<tf.Rank.R2>([1, tokens], "int32") }, { cache }),
      );
      const own = copied(() => step(cache));
      cache.dispose();
      return own;
    });
    expect(bytes[1]).toBe(bytes[0]);
    // k and v of one head of 4 in two layers are among them.
    expect(bytes[0]).toBeGreaterThanOrEqual(2 * 2 * 4 * 4);
    transformer.dispose();
  });

  it("writes its rows and no others, where there are rows to add", () => {
    const [cache, rows] = [tf.zeros<tf.Rank.R4>([2, 500, 3, 5]), tf.ones<tf.Rank.R4>([2, 1, 3, 5])];
    const bytes = copied(() => appendRows(cache, rows, [7, 499], [1, 1]).dispose());
    expect(bytes).toBe(4 * rows.size);
  });

  it("takes no memory in a ring, over a thousand steps", () => {
    const ring = new Transformer({ ...decoder, decoderLayers: 1, window: 5 }, 1);
    const cache = new KeyValueCache(ring);
    const step = () => tf.tidy(() => void ring.decode({ tokens: one() }, { cache }));
    for (let n = 0; n < 7; n++) step();
    const [{ numTensors, numBytes }, { bytes }] = [tf.memory(), cache];
    for (let n = 0; n < 1000; n++) step();
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    expect(cache.bytes).toBe(bytes);
    cache.dispose();
    ring.dispose();
  });
});

describe("A key and value cache refuses", () => {
  let model: Transformer;
  beforeAll(async () => {
    await tf.setBackend("heed");
    model = new Transformer(decoder, 1);
  });
  const token = (rows: number) => ({ tokens: tf.zeros<tf.Rank.R2>([rows, 1], "int32") });

  it("more tokens than it was made for, before it writes any", () => {
    const cache = new KeyValueCache(model, { capacity: 2 });
    model.decode(token(1), { cache });
    model.decode(token(1), { cache });
    expect(() => model.decode(token(1), { cache })).toThrow(OptionError);
    expect(() => model.decode(token(1), { cache })).toThrow(
      "KeyValueCache: an example must end within the capacity of 2 rows, got 3; make the cache with a larger capacity, or without one",
    );
    expect([...cache.lengths]).toEqual([2]);
  });

  it("another number of examples, and parents that are none", () => {
    const cache = new KeyValueCache(model, { examples: 2 });
    expect(() => model.decode(token(3), { cache })).toThrow(ShapeError);
    expect(() => model.decode(token(2), { cache, parents: [0, 0] })).toThrow(
      "KeyValueCache: a parent must be −1 or a token of the step before, got 0; count in its example",
    );
    expect(() => cache.keep([2])).toThrow(
      "KeyValueCache.keep: examples must be some of 0 … 1, got 2; count from 0",
    );
  });

  it("a model without a decoder, and sizes that are none", () => {
    expect(() => new KeyValueCache({ config: { ...model.config, decoderLayers: 0 } })).toThrow(OptionError);
    expect(() => new KeyValueCache(model, { examples: 0 })).toThrow("examples must be an integer ≥ 1, got 0");
  });
});
