import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { capture } from "../../src/capture/index.ts";
import { layerMap } from "../../src/inspect/index.ts";
import { type Intervention, intervene } from "../../src/intervene/index.ts";
import { attention } from "../../src/ops/index.ts";
import { onEveryBackend } from "../attention/support.ts";
import { B, cube, D, Dv, expectClose, H, Hkv, inLayout, isIn, makeInputs, oracle, S, T } from "./support.ts";

const ROW = [0.5, 0, 0.25, 0, 0, -1, 2];
const rows = (n: number) => Array.from({ length: n }, (_, at) => ROW.map((w, s) => w + at - 0.1 * s));

/** One of each kind, for some and for all. */
const CASES: Record<string, Intervention[]> = {
  "no keys": [{ do: "knockOut", keys: [1, 4] }],
  "no key for two heads of one group": [{ do: "knockOut", heads: [0, 2], keys: 3 }],
  "no key for some queries of an example": [{ do: "knockOut", examples: 1, queries: [0, 3], keys: [0, 6] }],
  "no edges": [{ do: "knockOut", edges: [[0, 1], [4, 2]] }], // biome-ignore format: pairs
  "no heads": [{ do: "knockOut", heads: [1, 5] }],
  "no queries": [{ do: "knockOut", queries: 2 }],
  "keys lost": [{ do: "knockOut", keys: [1, 4], weight: "lost" }],
  "keys lost to a whole group": [{ do: "knockOut", heads: [3, 4, 5], keys: [1, 4], weight: "lost" }],
  "keys lost to a head": [{ do: "knockOut", heads: 4, keys: [1, 4], weight: "lost" }],
  "edges lost": [{ do: "knockOut", edges: [[1, 1], [4, 0]], weight: "lost" }], // biome-ignore format: pairs
  "all of one example scaled": [{ do: "scale", examples: 0, by: -0.5 }],
  "keys scaled": [{ do: "scale", keys: 2, by: 3 }],
  "keys of an example scaled": [{ do: "scale", examples: 1, keys: 2, by: 3 }],
  "rows scaled": [{ do: "scale", heads: 3, queries: [1, 2], by: 0.25 }],
  "cells scaled": [{ do: "scale", queries: [1, 2], keys: [0, 5], by: 0.25 }],
  "one row pinned for all": [{ do: "pin", weights: ROW }],
  "one row pinned for some": [{ do: "pin", heads: [1, 4], queries: [0, 4], weights: ROW }],
  "a row for each query pinned": [{ do: "pin", queries: [2, 0], weights: rows(2) }],
  "a row for each head and query pinned": [
    { do: "pin", examples: 1, heads: [2, 3], queries: [1, 4, 0], weights: [rows(3), rows(3).reverse()] },
  ],
  "heads swapped": [{ do: "swap", of: "heads", between: [1, 4] }],
  "queries swapped": [{ do: "swap", of: "queries", between: [0, 3], heads: [2, 3] }],
  "keys swapped": [{ do: "swap", of: "keys", between: [0, 6] }],
  "keys swapped in a head": [{ do: "swap", of: "keys", between: [0, 6], heads: 1 }],
  frozen: [{ do: "freeze" }],
  "some rows frozen": [{ do: "freeze", heads: [0, 3], queries: 1 }],
  "several in their order": [
    { do: "scale", keys: 1, by: 2 },
    { do: "pin", queries: 3, weights: ROW },
    { do: "scale", keys: 2, by: 3 },
    { do: "knockOut", keys: 4 },
    { do: "swap", of: "queries", between: [3, 0] },
  ],
  "several by rows": [
    { do: "scale", keys: 1, by: 2 },
    { do: "freeze", heads: 2 },
    { do: "pin", queries: 3, weights: ROW },
    { do: "knockOut", heads: 5 },
    { do: "swap", of: "queries", between: [3, 0] },
  ],
};
const bottomRight = (t: number, s: number) => s <= t + S - T;

onEveryBackend("intervene", () => {
  for (const layout of ["bhtd", "bthd"] as const)
    it.each(Object.entries(CASES).filter((_, n) => layout === "bhtd" || n % 3 === 0))(
      `changes outputs and weights as the oracle does, ${layout}: %s`,
      (_, list) => {
        const [q, k, v] = makeInputs();
        const [a, b, c] = [q, k, v].map((x) => inLayout<tf.Tensor4D>(x, layout)) as [
          tf.Tensor4D,
          tf.Tensor4D,
          tf.Tensor4D,
        ];
        const options = { causal: "bottomRight", layout } as const;
        const expected = oracle({ q, k, v, visible: bottomRight }, list);
        const before = tf.memory().numTensors;
        const got = intervene(() => attention(a, b, c, options).output, JSON.parse(JSON.stringify(list)));
        expect(tf.memory().numTensors).toBe(before + 1);
        expectClose(inLayout(got, layout).dataSync(), expected.output);
        // Seen from outside the call has the weights that it was given.
        const trace = capture((q) => intervene(() => attention(q, b, c, options), list), a, { example: 1 });
        const map = layerMap(trace.layers[0]!);
        const weights = Array.from({ length: H }, (_, h) => [...map.rows(h, 0, T).values]).flat();
        expectClose(weights, expected.weights.slice(H * T * S));
      },
    );

  it.each(Object.entries(CASES))("has the gradients of the composed oracle: %s", (_, list) => {
    const inputs = makeInputs() as unknown as tf.Tensor4D[];
    const factor = tf.randomNormal([B, H, T, Dv], 0, 1, "float32", 7);
    const loss = (output: tf.Tensor) => tf.sum(tf.mul(factor, tf.tanh(output)));
    const got = tf.grads((q, k, v) =>
      loss(
        intervene(
          () =>
            attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { causal: "bottomRight" }).output,
          list,
        ),
      ),
    )(inputs);
    const expected = tf.grads((q, k, v) => loss(composed(q, k, v, list)))(inputs);
    for (const [n, gradient] of got.entries()) {
      // Sums of sixty such products.
      expectClose(gradient.dataSync(), expected[n]!.dataSync(), 1e-4);
    }
  });
});

/** The same of TensorFlow.js ops, everything [B, H, T, S]: what is linear in the weights as factors and sums. */
function composed(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, list: readonly Intervention[]): tf.Tensor {
  const repeated = (x: tf.Tensor) => tf.gather(x, [0, 0, 0, 1, 1, 1], 1);
  const inside = (one: Intervention) =>
    tf.tensor4d(
      cube((b, h, t, s) => Number(isIn(one, b, h, t, s))),
      [B, H, T, S],
      "bool",
    );
  const shared = list.filter((one) => one.do === "knockOut" && one.weight !== "lost");
  let allow: tf.Tensor = tf.tensor2d(
    Array.from({ length: T * S }, (_, e) => Number(bottomRight(Math.floor(e / S), e % S))),
    [T, S],
  );
  for (const one of shared) allow = tf.where(inside(one), 0, allow);
  const scores = tf.mul(tf.matMul(q, repeated(k), false, true), D ** -0.5);
  const exp = tf.mul(tf.exp(scores), allow);
  const total = tf.sum(exp, -1, true);
  let weights: tf.Tensor = tf.div(exp, tf.where(tf.greater(total, 0), total, 1));
  for (const one of list.filter((one) => one.do === "freeze")) {
    const constant = tf.customGrad(() => ({ value: tf.clone(weights), gradFunc: () => [] }))();
    weights = tf.where(inside(one), constant, weights);
  }
  for (const one of list) {
    const place = inside(one);
    if (one.do === "scale") weights = tf.where(place, tf.mul(weights, one.by), weights);
    if (one.do === "knockOut" && one.weight === "lost") weights = tf.where(place, 0, weights);
    if (one.do === "pin") {
      const pinned = oracle({ ...zeros() }, [one]).weights;
      weights = tf.where(place, tf.tensor4d(pinned, [B, H, T, S]), weights);
    }
    if (one.do === "swap") {
      const axis = { heads: 1, queries: 2, keys: 3 }[one.of];
      const [x, y] = one.between;
      const order = Array.from({ length: [H, T, S][axis - 1]! }, (_, at) =>
        at === x ? y : at === y ? x : at,
      );
      weights = tf.where(place, tf.gather(weights, order, axis), weights);
    }
  }
  return tf.matMul(weights, repeated(v));
}

const zeros = () => ({
  q: tf.zeros([B, H, T, D]),
  k: tf.zeros([B, Hkv, S, D]),
  v: tf.zeros([B, Hkv, S, Dv]),
});
