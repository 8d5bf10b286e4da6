import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  applyRope,
  type RopeScaling,
  rope,
  rope2d,
  ropeFrequencies,
  ropeTable,
} from "../../../src/attention/position/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import fixtures from "../../fixtures/position/rope.json" with { type: "json" };
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { expectFixture } from "./fixtures.ts";

const x4 = (seed: number, ...shape: number[]) => tensor<tf.Tensor4D>(random(seed, shape));
const KINDS = ["half", "interleaved"] as const;

onEveryBackend("rotary embedding", () => {
  it.each(fixtures.rotations.map((fixture) => [JSON.stringify(fixture.options), fixture] as const))(
    "is PyTorch's with its gradients: %s",
    (_, { options, x, dy, y, dx }) => {
      const f = (x: tf.Tensor) => rope(x as tf.Tensor4D, options as Parameters<typeof rope>[1]);
      expectFixture(f, { x }, { dy, output: y, gradients: { x: dx } });
    },
  );

  it.each(KINDS)("gives scores that depend on the distance of two %s positions alone, to 1e-5", (pairs) => {
    tf.tidy(() => {
      const [q, k] = [x4(1, 1, 1, 1, 16), x4(2, 1, 1, 1, 16)];
      const score = (s: number, t: number) => {
        const [a, b] = [rope(q, { offset: s, pairs }), rope(k, { offset: t, pairs })];
        return tf.sum(tf.mul(a, b)).dataSync()[0]!;
      };
      for (const distance of [0, 1, 7, 100]) {
        const expected = score(distance, 0);
        // Angles are made in float64 and 16 products of size near 1 are rounded: √16·2⁻²⁴ twice, well below 1e-5.
        for (const start of [1, 5, 300, 5000]) {
          expect(Math.abs(score(start + distance, start) - expected)).toBeLessThanOrEqual(1e-5);
        }
      }
      expect(Math.abs(score(3, 0) - score(0, 3))).toBeGreaterThan(1e-2);
    });
  });

  it("has half and interleaved pairs that are equal after a permutation of the channels", () => {
    tf.tidy(() => {
      const [R, D] = [6, 7];
      const x = x4(3, 2, 3, 5, D);
      const interleaved = Array.from({ length: D }, (_, c) =>
        c < R ? (c % 2) * (R / 2) + Math.floor(c / 2) : c,
      );
      const permuted = tf.gather(x, interleaved, 3);
      const half = tf.gather(rope(x, { width: R }), interleaved, 3);
      expect(rope(permuted, { width: R, pairs: "interleaved" }).dataSync()).toEqual(half.dataSync());
    });
  });

  it.each(KINDS)("gives a cache of rotated %s keys what all positions at once give", (pairs) => {
    tf.tidy(() => {
      const x = x4(4, 2, 3, 7, 8);
      const all = rope(x, { pairs, offset: 2 });
      const steps = Array.from({ length: 7 }, (_, t) =>
        rope(tf.slice(x, [0, 0, t, 0], [2, 3, 1, 8]), { pairs, offset: 2 + t }),
      );
      expect(tf.concat(steps, 2).dataSync()).toEqual(all.dataSync());
    });
  });

  it.each(KINDS)("takes heads after positions, with %s pairs and fewer channels than there are", (pairs) => {
    tf.tidy(() => {
      const x = x4(5, 2, 3, 5, 10);
      const options = { pairs, width: 4, offset: 3 };
      const swapped = rope(tf.transpose(x, [0, 2, 1, 3]), { ...options, layout: "bthd" });
      expect(tf.transpose(swapped, [0, 2, 1, 3]).dataSync()).toEqual(rope(x, options).dataSync());
      const kept = tf.slice(rope(x, options), [0, 0, 0, 4]);
      expect(kept.dataSync()).toEqual(tf.slice(x, [0, 0, 0, 4]).dataSync());
    });
  });

  it("keeps the length of every vector, but for YaRN's magnitude", () => {
    tf.tidy(() => {
      const x = x4(6, 1, 2, 3, 8);
      const lengths = (y: tf.Tensor) => tf.sum(tf.square(y), -1).dataSync();
      expect(distance(lengths(rope(x)), lengths(x))).toBeLessThanOrEqual(8 * 8 * ROUNDING * 8);
      const scaling: RopeScaling = { type: "yarn", factor: Math.E ** 10, original: 16 };
      const longer = lengths(rope(x, { scaling })).map((n) => n / 4);
      expect(distance(longer, lengths(x))).toBeLessThanOrEqual(8 * 8 * ROUNDING * 8);
    });
  });

  it("passes gradcheck at three shapes, in both layouts, and in two dimensions", () => {
    for (const [B, H, T, D] of [
      [2, 3, 5, 4],
      [1, 2, 3, 6],
      [3, 1, 2, 2],
    ] as const) {
      for (const pairs of KINDS) {
        gradcheckTensors(({ x }) => rope(x as tf.Tensor4D, { pairs, offset: 3 }), { x: x4(7, B, H, T, D) });
        gradcheckTensors(({ x }) => rope(x as tf.Tensor4D, { pairs, layout: "bthd", width: 2 }), {
          x: x4(8, B, T, H, D),
        });
      }
    }
    gradcheckTensors(({ x }) => rope2d(x as tf.Tensor4D, { rows: 2, columns: 3 }), { x: x4(9, 1, 2, 6, 4) });
  });

  it("depends in two dimensions on the distances of rows and of columns alone", () => {
    tf.tidy(() => {
      const [rows, columns, D] = [5, 7, 8];
      const vector = (seed: number) => tf.mul(x4(seed, 1, 1, 1, D), tf.ones([1, 1, rows * columns, 1]));
      for (const pairs of KINDS) {
        const [q, k] = [10, 11].map((seed) =>
          rope2d(vector(seed) as tf.Tensor4D, { rows, columns, pairs }),
        ) as [tf.Tensor4D, tf.Tensor4D];
        const scores = tf.matMul(q, k, false, true).dataSync();
        const at = (y: number, x: number, v: number, u: number) =>
          scores[(y * columns + x) * rows * columns + v * columns + u]!;
        expect(Math.abs(at(0, 0, 1, 2) - at(3, 4, 4, 6))).toBeLessThanOrEqual(1e-5);
        expect(Math.abs(at(2, 1, 0, 5) - at(4, 2, 2, 6))).toBeLessThanOrEqual(1e-5);
        expect(Math.abs(at(0, 0, 1, 2) - at(0, 0, 2, 1))).toBeGreaterThan(1e-2);
      }
    });
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const x = x4(12, 1, 2, 6, 8);
      const table = ropeTable(6, 4);
      const before = tf.memory().numTensors;
      rope(x, { width: 4 });
      applyRope(x, table, { pairs: "interleaved" });
      rope2d(x, { rows: 2, columns: 3 });
      expect(tf.memory().numTensors).toBe(before + 3);
    });
  });
});

it.each(fixtures.frequencies.map((fixture) => [JSON.stringify(fixture.options), fixture] as const))(
  "RoPE's frequencies are those of transformers: %s",
  (_, { options, width, values }) => {
    const { frequencies } = ropeFrequencies(width, options as Parameters<typeof ropeFrequencies>[1]);
    frequencies.forEach((theta, i) => {
      expect(Math.abs(theta / values[i]! - 1)).toBeLessThanOrEqual(1e-12);
    });
  },
);

it("NTK-aware scaling divides the slowest frequency by the factor and keeps the fastest", () => {
  const [plain, scaled] = [ropeFrequencies(16), ropeFrequencies(16, { scaling: { type: "ntk", factor: 4 } })];
  expect(scaled.frequencies[0]).toBe(1);
  expect(plain.frequencies[7]! / scaled.frequencies[7]!).toBeCloseTo(4, 10);
});

it("RoPE refuses what it cannot rotate", () => {
  const x = tf.zeros<tf.Rank.R4>([1, 2, 3, 4]);
  const message = (f: () => unknown) => {
    try {
      f();
    } catch (error) {
      expect(error instanceof OptionError || error instanceof ShapeError).toBe(true);
      return (error as Error).message;
    }
    return "nothing thrown";
  };
  const odd =
    "rope: width must be an even integer from 2 to D = 4, got 3; choose one in that range or leave it out";
  expect(message(() => rope(x, { width: 3 }))).toBe(odd);
  expect(message(() => rope(tf.zeros([1, 2, 3, 5])))).toMatch(/rope: width must be an even integer.*got 5/);
  expect(message(() => rope(x, { width: 6 }))).toMatch(/from 2 to D = 4, got 6/);
  expect(message(() => rope(x, { offset: -1 }))).toMatch(/ropeTable: offset must be an integer ≥ 0, got -1/);
  expect(message(() => rope(x, { pairs: "both" as "half" }))).toBe(
    'rope: pairs must be "half" or "interleaved", got both; choose one of them',
  );
  expect(message(() => rope(tf.zeros([2, 3, 4]) as unknown as tf.Tensor4D))).toBe(
    "rope: x [B, H, T, D] must have rank 4, got shape [2, 3, 4]; reshape it first",
  );
  expect(message(() => applyRope(x, ropeTable(4, 2)))).toMatch(
    /rope: cos \[T, R\/2\] must have shape \[3, 1\] here, got \[4, 1\]/,
  );
  expect(message(() => rope(x, { scaling: { type: "linear", factor: 0.5 } }))).toMatch(
    /scaling.factor must be a number ≥ 1, got 0.5/,
  );
  expect(
    message(() => rope(x, { scaling: { type: "dynamic", factor: 2 } as unknown as RopeScaling })),
  ).toMatch(/scaling.type must be "linear" or "ntk" or "yarn" or "llama3", got dynamic/);
  expect(message(() => rope(x, { scaling: { type: "llama3", factor: 2, slow: 4, fast: 4 } }))).toMatch(
    /scaling.fast must be above scaling.slow = 4, got 4/,
  );
  expect(message(() => rope2d(x, { rows: 2, columns: 2 }))).toMatch(
    /x must have T = rows·columns = 4 patches, got T = 3/,
  );
  expect(message(() => rope2d(tf.zeros([1, 1, 4, 6]), { rows: 2, columns: 2 }))).toMatch(
    /D must be a multiple of 4, got 6/,
  );
});
