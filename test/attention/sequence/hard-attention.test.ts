import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { hardAttention, softAttention } from "../../../src/attention/sequence/index.ts";
import { gradcheckTensors } from "../../../src/testing/index.ts";
import { distance, onEveryBackend } from "../support.ts";
import { attentionOracle, type Heads, nested, normal } from "./oracle.ts";

const [B, T, S, H, HKV, D, DV] = [2, 3, 7, 4, 2, 5, 11];
const heads = () => ({ q: normal(1, B, H, T, D), k: normal(2, B, HKV, S, D), v: normal(3, B, HKV, S, DV) });

/** The first largest of a row, −1 where nothing is seen: through softmax, which keeps the order. */
function argmax(weights: Heads): number[][][] {
  return weights.map((all) =>
    all.map((rows) => rows.map((row) => (row.some((w) => w > 0) ? row.indexOf(Math.max(...row)) : -1))),
  );
}

function hardTests(): void {
  it("picks the key of the largest score and copies its value row, bit for bit", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const { output, index, weights } = hardAttention(q, k, v, { weights: true });
      const expected = argmax(attentionOracle(nested(q), nested(k), nested(v)).weights);
      expect(index.arraySync()).toEqual(expected);
      expect(index.dtype).toBe("int32");
      const values = nested(v);
      nested(output).forEach((all, b) => {
        all.forEach((rows, h) => {
          rows.forEach((row, t) => {
            expect(row).toEqual(values[b]![Math.floor(h / 2)]![expected[b]![h]![t]!]);
            const ones = Array.from({ length: S }, (_, s) => Number(s === expected[b]![h]![t]));
            expect(nested(weights)[b]![h]![t]).toEqual(ones);
          });
        });
      });
    });
  });

  it("picks among what is seen with every option of the program", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const bias = tf.mul(normal<tf.Tensor2D>(4, T, S), 3) as tf.Tensor2D;
      const allow = tf.greater(normal(5, B, H, T, S), -0.3);
      for (const options of [
        { causal: "bottomRight" },
        { window: { left: 1, right: 1 }, queryOffset: 2 },
        { keyLengths: [3, 0], queryLengths: [2, 3] },
        { allow },
        { bias, softCap: 0.5 },
        { bias, scale: -2 },
      ] as const) {
        const { index, output } = hardAttention(q, k, v, options);
        const { weights } = softAttention(q, k, v, { ...options, weights: true });
        const expected = argmax(nested(weights));
        expect(index.arraySync(), JSON.stringify(Object.keys(options))).toEqual(expected);
        nested(output)
          .flat(2)
          .forEach((row, n) => {
            const isEmpty = expected.flat(2)[n] === -1;
            expect(
              row.every((x) => x === 0),
              `row ${n}`,
            ).toBe(isEmpty);
          });
      }
    });
  });

  it("takes the first of equal scores", () => {
    tf.tidy(() => {
      const { q, v } = heads();
      expect(
        hardAttention(q, tf.zeros([B, HKV, S, D]), v)
          .index.dataSync()
          .every((n) => n === 0),
      ).toBe(true);
    });
  });

  it("is the limit of soft attention as its scale grows", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const soft = softAttention(q, k, v, { scale: 1e4 }).output;
      expect(distance(hardAttention(q, k, v).output.dataSync(), soft.dataSync())).toBeLessThanOrEqual(1e-6);
    });
  });

  it("passes the gradient to the chosen values, summed over a group's queries, and to nothing else", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const f = (value: tf.Tensor) =>
        hardAttention(q, k, value as tf.Tensor4D, { keyLengths: [5, 0] }).output;
      // Columns do not meet: one is enough, and the gradient of all of them follows exactly.
      gradcheckTensors(({ v: value }) => f(value!), { v: tf.slice(v, 0, [...v.shape.slice(0, 3), 1]) });
      const gradient = nested(tf.grad(f)(v));
      expect(gradient[1]!.flat(2).every((g) => g === 0)).toBe(true);
      const chosen = hardAttention(q, k, v, { keyLengths: [5, 0] }).index.arraySync() as number[][][];
      gradient[0]!.forEach((rows, g) => {
        rows.forEach((row, s) => {
          const times = chosen[0]!
            .slice(2 * g, 2 * g + 2)
            .flat()
            .filter((one) => one === s).length;
          expect(row).toEqual(new Array(DV).fill(times));
        });
      });
      const [variable, other] = [tf.variable(q), tf.variable(v)];
      const { grads } = tf.variableGrads(() => tf.sum(hardAttention(variable, k, other).output));
      expect(Object.keys(grads)).toEqual([other.name]);
      tf.dispose([variable, other]);
    });
  });

  it("chooses no key behind whose mask NaN stands, and lets NaN of hidden values reach nothing", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const spoil = (x: tf.Tensor4D) => {
        const hidden = tf.greaterEqual(tf.reshape(tf.range(0, S), [S, 1]), 4);
        return tf.where(hidden, Number.NaN, x) as tf.Tensor4D;
      };
      const bias = tf.reshape(tf.where(tf.greaterEqual(tf.range(0, S), 4), -Infinity, 0), [1, S]);
      for (const options of [{ keyLengths: [4, 4] }, { bias }]) {
        const [clean, dirty] = [
          hardAttention(q, k, v, options),
          hardAttention(q, spoil(k), spoil(v), options),
        ];
        expect(dirty.index.dataSync()).toEqual(clean.index.dataSync());
        expect(dirty.output.dataSync()).toEqual(clean.output.dataSync());
      }
      const empty = hardAttention(q, spoil(k), tf.fill([B, HKV, S, DV], Number.NaN), { keyLengths: [0, 0] });
      expect(empty.output.dataSync().every((x) => x === 0)).toBe(true);
      expect(empty.index.dataSync().every((n) => n === -1)).toBe(true);
    });
  });

  it("of no keys gives 0 and −1, and leaves no tensor behind", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const none = (x: tf.Tensor4D) => tf.slice(x, [0, 0, 0, 0], [B, HKV, 0, x.shape[3]]);
      const { output, index, weights } = hardAttention(q, none(k), none(v), { weights: true });
      expect([output.shape, weights.shape]).toEqual([
        [B, H, T, DV],
        [B, H, T, 0],
      ]);
      expect(output.dataSync().every((x) => x === 0) && index.dataSync().every((n) => n === -1)).toBe(true);
      const before = tf.memory().numTensors;
      hardAttention(q, k, v, { causal: "topLeft", weights: true });
      expect(tf.memory().numTensors).toBe(before + 3);
    });
  });

  it("refuses heads that do not divide, under its own name", () => {
    tf.tidy(() => {
      const { q } = heads();
      expect(() => hardAttention(q, normal(2, B, 3, S, D), normal(3, B, 3, S, DV))).toThrow(
        "hardAttention: query heads H=4 must be a multiple of key/value heads Hkv=3",
      );
    });
  });
}

onEveryBackend("hardAttention", hardTests);
