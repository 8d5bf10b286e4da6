import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  alibiBias,
  alibiKeyBias,
  alibiSlopes,
  fourierEncoding,
  learnedEncoding,
  sinusoidalEncoding,
  sinusoidalEncoding2d,
  t5Bias,
  t5Bucket,
} from "../../../src/attention/position/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import buckets from "../../fixtures/position/buckets.json" with { type: "json" };
import slopes from "../../fixtures/position/slopes.json" with { type: "json" };
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const x4 = (seed: number, ...shape: number[]) => tensor<tf.Tensor4D>(random(seed, shape));
const table2 = (seed: number, ...shape: number[]) => tensor<tf.Tensor2D>(random(seed, shape));

onEveryBackend("positional encodings", () => {
  it("are Fourier features of each axis: positions from −1 to 1, then sines, then cosines, up to the Nyquist frequency", () => {
    tf.tidy(() => {
      const [rows, columns, bands] = [5, 7, 3];
      const axis = (n: number, N: number) => {
        const x = (2 * n + 1) / N - 1;
        const frequencies = [1, (1 + N / 2) / 2, N / 2];
        const waves = (f: (n: number) => number) =>
          frequencies.map((frequency) => f(Math.PI * frequency * x));
        return [x, ...waves(Math.sin), ...waves(Math.cos)];
      };
      const expected = Array.from({ length: rows * columns }, (_, e) => [
        ...axis(Math.floor(e / columns), rows),
        ...axis(e % columns, columns),
      ]);
      const all = fourierEncoding([rows, columns], bands);
      expect(all.shape).toEqual([rows, columns, 14]);
      expect(distance(all.dataSync(), expected.flat())).toBeLessThanOrEqual(ROUNDING);
      // One band is that of frequency 1; an axis of one position stands in the middle.
      expect(distance(fourierEncoding([1], 2).dataSync(), [0, 0, 0, 1, 1])).toBeLessThanOrEqual(ROUNDING);
    });
    expect(() => fourierEncoding([], 2)).toThrow(
      "fourierEncoding: shape must be one integer ≥ 1 for each axis, got []; a sequence has one axis, an image two",
    );
    expect(() => fourierEncoding([3, 0], 2)).toThrow("got [3, 0];");
    expect(() => fourierEncoding([3], 0)).toThrow(
      "fourierEncoding: bands must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    );
  });

  it("are sinusoids of the paper's phases, from any offset, in odd widths too", () => {
    tf.tidy(() => {
      const [T, C, offset] = [5, 7, 11];
      const expected = Array.from({ length: T * C }, (_, e) => {
        const [t, c] = [Math.floor(e / C) + offset, e % C];
        const phase = t / 10000 ** ((2 * Math.floor(c / 2)) / C);
        return c % 2 === 0 ? Math.sin(phase) : Math.cos(phase);
      });
      expect(distance(sinusoidalEncoding(T, C, { offset }).dataSync(), expected)).toBeLessThanOrEqual(
        ROUNDING,
      );
      const all = sinusoidalEncoding(16, C);
      expect(tf.slice(all, [11, 0], [5, C]).dataSync()).toEqual(
        sinusoidalEncoding(T, C, { offset }).dataSync(),
      );
    });
  });

  it("are in two dimensions the encodings of row and column side by side", () => {
    tf.tidy(() => {
      const [rows, columns, C] = [3, 5, 8];
      const both = sinusoidalEncoding2d(rows, columns, C);
      for (const y of [0, 2]) {
        for (const x of [0, 4]) {
          const [own] = [tf.slice(both, [y, x, 0], [1, 1, C]).dataSync()];
          const expected = [y, x].flatMap((n) => [...sinusoidalEncoding(1, C / 2, { offset: n }).dataSync()]);
          expect([...own]).toEqual(expected);
        }
      }
    });
  });

  it("are rows of a learned table, whose gradient reaches the rows that were used", () => {
    tf.tidy(() => {
      const table = table2(1, 7, 3);
      expect(learnedEncoding({ table }, 3, { offset: 2 }).dataSync()).toEqual(table.dataSync().slice(6, 15));
      const used = tf.grad((t) => learnedEncoding({ table: t as tf.Tensor2D }, 3, { offset: 2 }))(table);
      expect([...tf.sum(used, 1).dataSync()]).toEqual([0, 0, 3, 3, 3, 0, 0]);
    });
  });

  it.each([
    [3, 3, 0],
    [3, 7, 4],
    [7, 5, -2],
    [1, 5, 4],
    [5, 1, 0],
  ])("give T5's bias by a loop over the pairs: T = %i, S = %i, offset %i", (T, S, queryOffset) => {
    tf.tidy(() => {
      const [N, H] = [8, 3];
      const table = table2(2, N, H);
      for (const bidirectional of [true, false]) {
        const options = { bidirectional, maxDistance: 9 };
        const expected = Array.from({ length: H * T * S }, (_, e) => {
          const [h, i, j] = [Math.floor(e / (T * S)), Math.floor(e / S) % T, e % S];
          const bucket = t5Bucket(j - i - queryOffset, { ...options, buckets: N });
          return table.dataSync()[bucket * H + h]!;
        });
        const bias = t5Bias({ table }, T, S, { ...options, queryOffset });
        expect(bias.shape).toEqual([1, H, T, S]);
        expect([...bias.dataSync()]).toEqual(expected);
        gradcheckTensors(
          ({ table }) => t5Bias({ table: table as tf.Tensor2D }, T, S, { ...options, queryOffset }),
          {
            table,
          },
        );
      }
    });
  });

  it("give ALiBi's bias by a loop over the pairs, and the same causal attention with one row of it", () => {
    tf.tidy(() => {
      const [B, H, T, S, D] = [2, 3, 5, 7, 4];
      const bias = alibiBias(H, T, S, { queryOffset: 2 });
      const expected = Array.from({ length: H * T * S }, (_, e) => {
        const [h, i, j] = [Math.floor(e / (T * S)), Math.floor(e / S) % T, e % S];
        return -alibiSlopes(H)[h]! * Math.abs(i + 2 - j);
      });
      expect(distance(bias.dataSync(), expected)).toBeLessThanOrEqual(ROUNDING * 8);
      const [q, k, v] = [x4(3, B, H, T, D), x4(4, B, H, S, D), x4(5, B, H, S, D)];
      const read = (bias: tf.Tensor) =>
        softAttention(q, k, v, { causal: "bottomRight", bias }).output.dataSync();
      expect(distance(read(bias), read(alibiKeyBias(H, S)))).toBeLessThanOrEqual(1e-6);
    });
  });

  it("decide whether a permuted sequence is another sequence", () => {
    tf.tidy(() => {
      const [T, C] = [7, 8];
      const order = [3, 0, 6, 1, 5, 2, 4];
      const x = tensor<tf.Tensor3D>(random(6, [2, T, C]));
      const attended = (x: tf.Tensor) => {
        const heads = tf.reshape(x, [2, 1, T, C]) as tf.Tensor4D;
        return tf.reshape(softAttention(heads, heads, heads).output, [2, T, C]);
      };
      const without = distance(
        attended(tf.gather(x, order, 1)).dataSync(),
        tf.gather(attended(x), order, 1).dataSync(),
      );
      // The same sums in another order.
      expect(without).toBeLessThanOrEqual(1e-6);
      const positions = sinusoidalEncoding(T, C);
      const placed = (x: tf.Tensor) => attended(tf.add(x, positions));
      const with_ = distance(
        placed(tf.gather(x, order, 1)).dataSync(),
        tf.gather(placed(x), order, 1).dataSync(),
      );
      expect(with_).toBeGreaterThan(0.1);
    });
  });

  it("leave no tensor behind", () => {
    tf.tidy(() => {
      const table = table2(7, 8, 3);
      const before = tf.memory().numTensors;
      sinusoidalEncoding(5, 3);
      sinusoidalEncoding2d(2, 3, 4);
      learnedEncoding({ table }, 2);
      t5Bias({ table }, 5, 5);
      alibiBias(3, 5, 5);
      alibiKeyBias(3, 5);
      expect(tf.memory().numTensors).toBe(before + 6);
    });
  });
});

it.each(buckets.map((fixture) => [JSON.stringify(fixture.options), fixture] as const))(
  "T5's buckets are PyTorch's, from −300 to 300: %s",
  (_, { options, first, ids }) => {
    expect(ids.map((_, n) => t5Bucket(first + n, options))).toEqual(ids);
  },
);

it.each(Object.entries(slopes))(
  "ALiBi's slopes of %s heads are those of the authors' code",
  (H, expected) => {
    alibiSlopes(Number(H)).forEach((slope, h) => {
      expect(Math.abs(slope / expected[h]! - 1)).toBeLessThanOrEqual(1e-14);
    });
    expect(alibiSlopes(Number(H)).length).toBe(Number(H));
  },
);

it.each([
  [
    () => sinusoidalEncoding(0, 4),
    "sinusoidalEncoding: T must be an integer ≥ 1, got 0; choose one in that range or leave it out",
  ],
  [
    () => sinusoidalEncoding(3, 4, { base: 0 }),
    "sinusoidalEncoding: base must be a positive number, got 0; choose one in that range or leave it out",
  ],
  [
    () => sinusoidalEncoding2d(2, 2, 6),
    "sinusoidalEncoding2d: C must be a multiple of 4, got 6; choose one in that range or leave it out",
  ],
  [
    () => learnedEncoding({ table: tf.zeros([4, 3]) }, 3, { offset: 2 }),
    "learnedEncoding: positions must be below the Tmax=4 rows of table [Tmax, C], got positions 2 to 4; train a longer table, or cut the sequence",
  ],
  [
    () => t5Bias({ table: tf.zeros([32, 2]) }, 3, 5),
    "t5Bias: relative positions must know where query 0 stands when T ≠ S, got T=3 and S=5; give queryOffset, the key position of the first query (0 aligns the first ones, S − T the last ones)",
  ],
  [
    () => t5Bias({ table: tf.zeros([5, 2]) }, 3, 3),
    "t5Bias: buckets must be an even integer ≥ 4 with two directions, got 5; choose one in that range or leave it out",
  ],
  [
    () => t5Bucket(1, { maxDistance: 8 }),
    "t5Bucket: maxDistance must be a number above the 8 exact distances, got 8; choose one in that range or leave it out",
  ],
  [
    () => alibiBias(0, 3, 3),
    "alibiBias: H must be an integer ≥ 1, got 0; choose one in that range or leave it out",
  ],
  [
    () => alibiBias(2, 3, 3, { queryOffset: 0.5 }),
    "alibiBias: queryOffset must be an integer, got 0.5; choose one in that range or leave it out",
  ],
])("positional encodings say what is wrong: %#", (call, message) => {
  expect(call).toThrow(expect.objectContaining({ message }));
});
