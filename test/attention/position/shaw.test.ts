import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type ShawOptions, shawAttention } from "../../../src/attention/position/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import fixtures from "../../fixtures/position/shaw.json" with { type: "json" };
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { expectFixture } from "./fixtures.ts";

const make = <X extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<X>(random(seed, shape));
const inputs = ([B, H, Hkv, T, S, D, Dv, c]: readonly number[]) => ({
  q: make(1, B!, H!, T!, D!),
  k: make(2, B!, Hkv!, S!, D!),
  v: make(3, B!, Hkv!, S!, Dv!),
  wK: make(4, 2 * c! + 1, D!),
  wV: make(5, 2 * c! + 1, Dv!),
});
const call = (x: Record<string, tf.Tensor>, options: ShawOptions) => {
  const { q, k, v, wK, wV } = x as Record<string, tf.Tensor4D> & { wK: tf.Tensor2D; wV: tf.Tensor2D };
  return shawAttention(q!, k!, v!, { wK, wV }, options).output;
};

onEveryBackend("shawAttention", () => {
  it.each(fixtures.map((fixture) => [JSON.stringify(fixture.options), fixture] as const))(
    "is PyTorch's with its gradients: %s",
    (_, { options, q, k, v, wK, wV, dy, output, gradients }) => {
      const f = (...[q, k, v, wK, wV]: tf.Tensor[]) =>
        call({ q, k, v, wK, wV } as Record<string, tf.Tensor>, options);
      expectFixture(f, { q, k, v, wK, wV }, { dy, output, gradients });
    },
  );

  it.each([
    [[1, 2, 2, 5, 5, 2, 3, 1], { causal: true }],
    [[1, 2, 1, 3, 5, 2, 3, 2], { queryOffset: 2, keyLengths: [4] }],
    [[2, 1, 1, 5, 3, 3, 2, 3], { queryOffset: -1, window: { left: 1, right: 1 } }],
  ] as [number[], ShawOptions][])("passes gradcheck for inputs and tables: %j %j", (sizes, options) => {
    const x = inputs(sizes);
    gradcheckTensors((x) => call(x, options), x, 64);
    const grads = tf.grads((...t: tf.Tensor[]) => {
      const names = Object.keys(x);
      return call(Object.fromEntries(names.map((name, n) => [name, t[n]!])), options);
    })(Object.values(x));
    for (const gradient of grads) expect(gradient.dataSync().some((value) => value !== 0)).toBe(true);
  });

  it("is plain attention where the tables are 0, weights and empty rows included", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs([2, 4, 2, 5, 5, 3, 7, 2]) as Record<string, tf.Tensor4D>;
      const options = { keyLengths: [0, 3], causal: true, weights: true } as const;
      const zeros = { wK: tf.zeros<tf.Rank.R2>([5, 3]), wV: tf.zeros<tf.Rank.R2>([5, 7]) };
      const got = shawAttention(q!, k!, v!, zeros, options);
      const expected = softAttention(q!, k!, v!, options);
      expect(distance(got.output.dataSync(), expected.output.dataSync())).toBeLessThanOrEqual(1e-6);
      expect(distance(got.weights.dataSync(), expected.weights.dataSync())).toBeLessThanOrEqual(1e-6);
      expect(got.output.dataSync().slice(0, 4 * 5 * 7)).toEqual(new Float32Array(4 * 5 * 7));
    });
  });

  it("lets NaN in hidden keys and values reach nothing", () => {
    tf.tidy(() => {
      const x = inputs([1, 2, 2, 3, 5, 2, 3, 1]);
      const options = { keyLengths: [3], queryOffset: 0 };
      const spoil = (t: tf.Tensor) => {
        const [, H, S, D] = t.shape as [number, number, number, number];
        const seen = tf.slice(t, [0, 0, 0, 0], [1, H, 3, D]);
        return tf.concat([seen, tf.fill([1, H, S - 3, D], Number.NaN)], 2);
      };
      const dirty = { ...x, k: spoil(x.k), v: spoil(x.v) };
      expect(call(dirty, options).dataSync()).toEqual(call(x, options).dataSync());
    });
  });

  it("gives another output where the sequence is permuted, by the tables alone", () => {
    tf.tidy(() => {
      const x = inputs([1, 1, 1, 5, 5, 2, 3, 1]);
      const order = [4, 2, 0, 3, 1];
      const permuted = {
        ...x,
        ...Object.fromEntries(["q", "k", "v"].map((name) => [name, tf.gather(x[name as "q"], order, 2)])),
      };
      const moved = distance(call(permuted, {}).dataSync(), tf.gather(call(x, {}), order, 2).dataSync());
      expect(moved).toBeGreaterThan(0.1);
    });
  });

  it("leaves no tensor behind, and says what is wrong", () => {
    tf.tidy(() => {
      const x = inputs([1, 2, 2, 3, 5, 2, 3, 1]);
      const before = tf.memory().numTensors;
      call(x, { queryOffset: 1 });
      expect(tf.memory().numTensors).toBe(before + 1);
      const message = (text: string) => expect.objectContaining({ message: text });
      expect(() => call(x, {})).toThrow(/shawAttention: relative positions must know where query 0 stands/);
      expect(() => call({ ...x, wK: tf.zeros([4, 2]), wV: tf.zeros([4, 3]) }, { queryOffset: 0 })).toThrow(
        message(
          "shawAttention: 2c+1 must be an odd integer, got 4; choose one in that range or leave it out",
        ),
      );
      expect(() => call({ ...x, wV: tf.zeros([3, 2]) }, { queryOffset: 0 })).toThrow(
        message(
          "shawAttention: wV [2c+1, Dv] must have shape [3, 3] here, got [3, 2]; build the score for these widths",
        ),
      );
    });
  });
});
