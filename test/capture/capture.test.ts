import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { attend, softAttention } from "../../src/attention/index.ts";
import { capture } from "../../src/capture/index.ts";
import { OptionError } from "../../src/core/errors.ts";
import { layerMap, readTrace, type TraceLayer, thumbnails, writeTrace } from "../../src/inspect/index.ts";
import { MultiHeadAttention } from "../../src/layers/index.ts";
import { attention } from "../../src/ops/index.ts";
import { onEveryBackend } from "../attention/support.ts";

const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, "float32", seed);
const [B, H, Hkv, T, S, D, Dv] = [2, 6, 3, 5, 7, 4, 11];
const make = () =>
  [random([B, H, T, D], 1), random([B, Hkv, S, D], 2), random([B, Hkv, S, Dv], 3)] as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];

/** All weights of a layer of a trace, after a trip through a file. */
function weightsOf(layer: TraceLayer): number[] {
  const map = layerMap(layer);
  return Array.from({ length: layer.H }, (_, h) => Array.from(map.rows(h, 0, layer.T).values)).flat();
}

/** Sums of D products in float32 and a softmax: 1e-5 is ten times their rounding. */
function expectClose(got: readonly number[], expected: tf.Tensor, example: number) {
  const one = tf.tidy(() => tf.gather(expected, [example]).dataSync());
  expect(got.length).toBe(one.length);
  for (const [e, value] of one.entries()) expect(Math.abs(got[e]! - value)).toBeLessThan(1e-5);
}

onEveryBackend("capture", () => {
  const allow = () =>
    tf.tensor2d(
      Array.from({ length: T * S }, (_, n) => n % 3 !== 1),
      [T, S],
      "bool",
    );
  const keyMask = () =>
    tf.tensor4d(
      Array.from({ length: B * S }, (_, n) => n % 4 !== 2),
      [B, 1, 1, S],
      "bool",
    );
  it("keeps a small picture of each head where it is asked, which a file holds", () => {
    const [q, k, v] = make();
    const record = (thumbs: boolean) =>
      capture((q: tf.Tensor4D) => attention(q, k, v, { causal: "bottomRight" }), q, { thumbnails: thumbs });
    const [layer] = readTrace(writeTrace(record(true))).layers;
    expect(layer!.thumb!.shape).toEqual([H, T, S]);
    expect(layer!.thumb!.data).toEqual(thumbnails(layerMap(layer!)).data);
    expect(record(false).layers[0]!.thumb).toBeUndefined();
  });

  it.each([
    ["no mask", () => ({})],
    ["causal", () => ({ causal: "bottomRight" })],
    ["a window", () => ({ window: { left: 1, right: 2 }, queryOffset: 1 })],
    ["lengths", () => ({ queryLengths: [5, 3], keyLengths: [4, 6] })],
    ["causal with lengths", () => ({ causal: "bottomRight", queryLengths: [5, 3], keyLengths: [4, 6] })],
    ["allow", () => ({ allow: allow() })],
    ["a mask of keys", () => ({ allow: keyMask() })],
    ["bias", () => ({ bias: random([B, H, T, S], 9) })],
    ["a bias of heads and a mask of keys", () => ({ bias: random([1, H, 1, S], 9), allow: keyMask() })],
    ["allow and bias", () => ({ bias: random([1, 1, T, S], 9), allow: allow() })],
    ["soft-cap, scale and sink", () => ({ softCap: 2, scale: 0.7, sink: 0.5 })],
    ["rows that see nothing", () => ({ keyLengths: [0, 7] })],
    [
      "rows that see nothing, uniform",
      () => ({ queryLengths: [3, 5], causal: "topLeft", onEmptyRow: "uniform" }),
    ],
  ] as const)("keeps what the weights are made of: %s", (_, option) => {
    const [q, k, v] = make();
    const options = option() as object;
    const { weights } = attention(q, k, v, { ...options, weights: true });
    for (const example of [0, 1]) {
      const trace = capture(() => softAttention(q, k, v, options), undefined, { example });
      expect(trace.layers).toHaveLength(1);
      expectClose(weightsOf(trace.layers[0]!), weights, example);
      expectClose(weightsOf(readTrace(writeTrace(trace)).layers[0]!), weights, example);
    }
  });

  it("takes positions before heads as well", () => {
    const [q, k, v] = make();
    const [a, b, c] = [q, k, v].map((x) => tf.transpose(x, [0, 2, 1, 3]));
    const { weights } = attention(q, k, v, { weights: true });
    const run = (x: tf.Tensor4D) => attention(x, b as tf.Tensor4D, c as tf.Tensor4D, { layout: "bthd" });
    expectClose(weightsOf(capture(run, a as tf.Tensor4D).layers[0]!), weights, 0);
  });

  it("keeps a call of attend with a dot product as q, k and lse, and others as weights", () => {
    const [queries, keys, values] = [random([2, 3, 4], 1), random([2, 5, 4], 2), random([2, 5, 7], 3)] as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ];
    const inputs = { queries, keys, values, mask: { keyLengths: [3, 5] } };
    const soft = capture(() => attend(inputs), undefined).layers[0]!;
    expectClose(weightsOf(soft), attend({ ...inputs, weights: true }).weights, 0);
    const sparse = { ...inputs, normalize: "sparsemax" } as const;
    const dense = capture(() => attend(sparse), undefined).layers[0]!;
    expect([dense.q, dense.attn?.shape]).toEqual([undefined, [1, 3, 5]]);
    expectClose(weightsOf(dense), attend({ ...sparse, weights: true }).weights, 0);
    // Key 3 and 4 of example 0 are padding.
    expect(Array.from(layerMap(dense).row(0, 0).kinds)).toEqual([0, 0, 0, 1, 1]);
  });

  it("keeps the calls of a layer and of a model, in order, with the tokens that fit", () => {
    const input = tfl.input({ shape: [5, 8] });
    const layer = (n: number) => new MultiHeadAttention({ numHeads: 2, keyDim: 3, name: `mha${n}` });
    const first = layer(1).apply([input, input]) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: layer(2).apply([first, first]) as tfl.SymbolicTensor });
    const x = random([3, 5, 8], 4);
    const tokens = { words: ["a", "b", "c", "d", "e"] };
    const trace = capture(model, x, { tokens, name: "model" });
    expect(trace.layers.map(({ H, T, S, alignQ, alignK }) => [H, T, S, alignQ, alignK])).toEqual([
      [2, 5, 5, "words", "words"],
      [2, 5, 5, "words", "words"],
    ]);
    expect(trace.layers.map(({ name }) => name)).toEqual(["MultiHeadAttention 0", "MultiHeadAttention 1"]);
    const alone = capture(layer(3), [x, x]);
    expect(Object.keys(alone.tokens)).toEqual(["5 positions"]);
  });

  it("leaves no tensor behind, and observes nothing afterwards", () => {
    const [q, k, v] = make();
    const before = tf.memory().numTensors;
    capture(() => softAttention(q, k, v), undefined);
    expect(() =>
      capture(() => {
        throw new Error("own");
      }, undefined),
    ).toThrow("own");
    expect(tf.memory().numTensors).toBe(before);
    softAttention(q, k, v).output.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("captures a long head, and reads it back, without a buffer of T × S", () => {
    // Of 16,384 tokens the weights would be 1 GiB in float32; the trace keeps T·(2·4 + 1) numbers.
    const T = tf.getBackend() === "cpu" ? 2048 : 16_384;
    const long = random([1, 1, T, 4], 5) as tf.Tensor4D;
    const trace = capture(
      (x: tf.Tensor4D) => softAttention(x, x, x, { window: { left: 63, right: 0 } }),
      long,
    );
    expect(writeTrace(trace).length).toBeLessThan(T * 9 * 4 + T * 10 + 1000);
    const { values } = layerMap(trace.layers[0]!).row(0, T - 1);
    expect(values.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 5);
    expect(values.findIndex((x) => x > 0)).toBe(T - 64);
  });

  it("refuses targets without attention, promises, and examples that are not there", async () => {
    const [q, k, v] = make();
    expect(() => capture((x: tf.Tensor) => tf.neg(x), q)).toThrow(
      "capture: the target must call attention, a gate or a glimpse, got no call; capture what calls heed's attention, gates or glimpses, with heed's layers or functions",
    );
    const work = async () => softAttention(q, k, v);
    expect(() => capture(work, undefined)).toThrow(
      /^capture: the target must be done when it returns, got a promise/,
    );
    expect(() => capture(() => softAttention(q, k, v), undefined, { example: 2 })).toThrow(
      "capture: example must be an integer from 0 to 1, as softAttention has B=2, got 2",
    );
    expect(() => capture(() => 0, undefined, { example: -1 })).toThrow(OptionError);
  });
});

describe("a capture within a capture", () => {
  it("tells the inner one alone, and the outer one again after it", () => {
    const [q, k, v] = make();
    let inner = 0;
    const outer = capture(() => {
      inner = capture(() => softAttention(q, k, v), undefined).layers.length;
      return softAttention(q, k, v);
    }, undefined);
    expect([inner, outer.layers.length]).toEqual([1, 1]);
  });
});
