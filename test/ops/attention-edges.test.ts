/** What the attention program decides where libraries differ, on every path: scores of ±∞ and NaN, padding, sinks. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { attention } from "../../src/ops/index.ts";
import { BACKENDS, read } from "./attention-support.ts";

/** [1, 1, n, 1] */
const column = (...values: number[]) => tf.tensor4d(values, [1, 1, values.length, 1]);

describe.each(BACKENDS)("attention on %s", (_, use) => {
  beforeAll(async () => void (await use()));

  it("aligns bottomRight by each example's lengths: padding changes nothing", () => {
    tf.tidy(() => {
      const [queries, keys] = [3, 5];
      const lengths = { queryLengths: [2, 3], keyLengths: [5, 2] };
      const x = (seed: number, n: number) =>
        tf.randomNormal([2, 1, n, 3], 0, 1, "float32", seed) as tf.Tensor4D;
      const [q, k, v] = [x(1, queries), x(2, keys), x(3, keys)];
      const options = { causal: "bottomRight", weights: true } as const;
      const { output, weights } = attention(q, k, v, { ...options, ...lengths });
      // Example 0: offset 5 − 2; example 1: offset 2 − 3, so its first query sees nothing.
      const seen = (read(weights) as number[]).map((w) => (w > 0 ? 1 : 0));
      expect(seen).toEqual([
        ...[1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        ...[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0],
      ]);
      for (const b of [0, 1]) {
        const [T, S] = [lengths.queryLengths[b]!, lengths.keyLengths[b]!];
        const own = (y: tf.Tensor, n: number) => tf.slice(y, [b, 0, 0, 0], [1, 1, n, 3]) as tf.Tensor4D;
        const alone = attention(own(q, T), own(k, S), own(v, S), options).output;
        const padded = own(output, T);
        const [a, c] = [read(alone), read(padded)];
        a.forEach((value, n) => void expect(Math.abs(value - c[n]!)).toBeLessThanOrEqual(8 * 2 ** -24));
      }
    });
  });

  it("gives a query beyond queryLengths the sink's logit as lse, 0 as output, and the sink the gradient of that lse", () => {
    tf.tidy(() => {
      const [q, k, v] = [column(1, 2), column(0.5, -1, 2), column(3, 4, 5)];
      const call = (sink: tf.Tensor) =>
        attention(q, k, v, { sink, queryLengths: [1], weights: true, lse: true });
      const sink = tf.tensor1d([0.75]);
      const { output, weights, lse } = call(sink);
      expect(read(output)[1]).toBe(0);
      expect(Array.from(read(weights).slice(3))).toEqual([0, 0, 0]);
      expect(read(lse)[1]).toBe(0.75);
      const beyond = (s: tf.Tensor) => tf.slice(call(s).lse, [0, 0, 1], [1, 1, 1]);
      expect(Array.from(read(tf.grad(beyond)(sink)))).toEqual([1]);
    });
  });
});

describe.each(BACKENDS)("scores that are not finite on %s", (_, use) => {
  beforeAll(async () => void (await use()));

  const uniform = [1 / 2, 0, 1 / 2];
  const cases: [string, [q: number, k: number[]], bias: number[] | undefined][] = [
    ["scores that overflow float32", [1e20, [1e20, 1, 2e20]], undefined],
    ["a bias of +∞", [1, [0, 0, 0]], [Infinity, 3, Infinity]],
  ];
  it.each(cases)("share the row equally: %s", (_name, [query, keys], bias) => {
    tf.tidy(() => {
      const [q, k, v] = [column(query), column(...keys), column(3, 100, 5)];
      const options = bias && { bias: tf.tensor2d([bias]) };
      const all = attention(q, k, v, { ...options, weights: true, lse: true });
      expect(Array.from(read(all.weights))).toEqual(uniform);
      expect(Array.from(read(all.output))).toEqual([4]);
      expect(Array.from(read(all.lse))).toEqual([Infinity]);
      const gradient = tf.grad((x) => attention(q, k, x as tf.Tensor4D, { ...options }).output)(v);
      expect(Array.from(read(gradient))).toEqual(uniform);
    });
  });

  it("that are hidden take nothing", () => {
    tf.tidy(() => {
      const [q, k, v] = [column(1e20), column(1e20, 0, 1), column(3, 6, 5)];
      const { weights } = attention(q, k, v, { keyLengths: [2], weights: true });
      expect(Array.from(read(weights))).toEqual([1, 0, 0]);
      const allow = tf.tensor2d([[0, 1, 0]], [1, 3], "bool");
      expect(Array.from(read(attention(q, k, v, { allow, weights: true }).weights))).toEqual([0, 1, 0]);
    });
  });

  it("and are NaN make their own row NaN alone", () => {
    tf.tidy(() => {
      const { output } = attention(column(Number.NaN, 2), column(1, 1), column(3, 5));
      const [first, second] = read(output);
      expect(first).toBeNaN();
      expect(second).toBe(4);
    });
  });
});
