import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import { additiveScore, attend, sparsemax } from "../../src/attention/index.ts";
import { capture } from "../../src/capture/index.ts";
import { readTrace, writeTrace } from "../../src/inspect/index.ts";
import { MultiHeadAttention } from "../../src/layers/index.ts";
import { attention } from "../../src/ops/index.ts";
import { drawTrace } from "../../src/views/index.ts";
import { onEveryBackend } from "../attention/support.ts";

const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, "float32", seed);
const [B, H, Hkv, T, S, D, Dv] = [2, 6, 3, 5, 7, 4, 11];
const BAND = Array.from({ length: T * S }, (_, e) => (e % S) - Math.floor(e / S) <= S - T);

const self = (x: tf.Tensor3D) => attend({ queries: x, keys: x, values: x }).output;

/** The gradients of y by what is added to weights of these shapes, for example b. */
function oracle(shapes: number[][], b: number, y: (...nudges: tf.Tensor[]) => tf.Tensor): number[][] {
  return tf.tidy(() =>
    tf
      .grads(y)(shapes.map((shape) => tf.zeros(shape)))
      .map((gradient) => Array.from(tf.gather(gradient, [b]).dataSync())),
  );
}

/** Some fifty products of numbers below 10 in float32: 1e-4 is ten times their rounding. */
function expectClose(got: ArrayLike<number>, expected: readonly number[]) {
  expect(got.length).toBe(expected.length);
  for (const [e, value] of expected.entries()) expect(Math.abs(got[e]! - value), `${e}`).toBeLessThan(1e-4);
}

onEveryBackend("capture with gradientOf", () => {
  it.each(["bhtd", "bthd"] as const)(
    "is the gradient by the weights of grouped heads, 0 where hidden: %s",
    (layout) => {
      const order = layout === "bthd" ? [0, 2, 1, 3] : [0, 1, 2, 3];
      const [q, k, v] = [random([B, H, T, D], 1), random([B, Hkv, S, D], 2), random([B, Hkv, S, Dv], 3)];
      const c = random([B, H, T, Dv], 4);
      const repeated = (x: tf.Tensor) => tf.gather(x, [0, 0, 1, 1, 2, 2], 1);
      const band = tf.tensor2d(BAND, [T, S], "bool");
      const [expected] = oracle([[B, H, T, S]], 1, (nudge) => {
        const scores = tf.mul(tf.matMul(q, repeated(k), false, true), D ** -0.5);
        const hidden = tf.where(band, scores, tf.fill([T, S], -1e9));
        const weights = tf.where(band, tf.add(tf.softmax(hidden), nudge!), tf.zerosLike(nudge!));
        return tf.sum(tf.mul(c, tf.tanh(tf.matMul(weights, repeated(v)))));
      });
      const swap = <X extends tf.Tensor>(x: tf.Tensor) => tf.transpose(x, order) as X;
      const [ks, vs, cs] = [swap<tf.Tensor4D>(k), swap<tf.Tensor4D>(v), swap(c)];
      const before = tf.memory().numTensors;
      const trace = capture(
        (q: tf.Tensor4D) => attention(q, ks, vs, { causal: "bottomRight", layout }).output,
        swap<tf.Tensor4D>(q),
        { example: 1, gradientOf: (output) => tf.sum(tf.mul(cs, tf.tanh(output))) },
      );
      const [layer] = readTrace(writeTrace(trace)).layers;
      expect(layer!.grad!.shape).toEqual([H, T, S]);
      expectClose(layer!.grad!.slice(), expected!);
      expect(BAND.every((seen, e) => seen || layer!.grad!.slice()[e] === 0)).toBe(true);
      // The swapped q, which the caller made.
      expect(tf.memory().numTensors - before).toBe(1);
    },
  );

  it("goes through later layers, gives calls that the number does not need zeros, and draws the view through gradients", () => {
    const [w, v] = [random([4, 4], 1), random([1, T, 4], 2) as tf.Tensor3D];
    const mix = (x: tf.Tensor) =>
      tf.reshape(tf.matMul(tf.reshape(x, [T, 4]), w as tf.Tensor2D), [1, T, 4]) as tf.Tensor3D;
    const score = (x: tf.Tensor) => tf.mul(tf.matMul(x, x, false, true), 4 ** -0.5);
    const expected = oracle(
      [
        [1, T, T],
        [1, T, T],
      ],
      0,
      (first, second) => {
        const x = tf.add(v, tf.matMul(tf.add(tf.softmax(score(v)), first!), v));
        const y = mix(x);
        return tf.sum(tf.slice(tf.matMul(tf.add(tf.softmax(score(y)), second!), y), [0, 0, 1], [1, 1, 1]));
      },
    );
    const trace = capture(
      (v: tf.Tensor3D) => {
        const y = mix(tf.add(v, self(v)));
        return { seen: self(y), aside: self(y) };
      },
      v,
      { gradientOf: ({ seen }) => tf.slice(seen, [0, 0, 1], [1, 1, 1]) },
    );
    const grads = trace.layers.map(({ grad }) => grad!.slice());
    expectClose(grads[0]!, expected[0]!);
    expectClose(grads[1]!, expected[1]!);
    expect(grads[2]!.every((gradient) => gradient === 0)).toBe(true);
    const stack = { ...trace, layers: trace.layers.slice(0, 2) };
    expect(drawTrace(stack, { view: "rollout", through: "gradient" })).toContain("gradient relevance");
  });

  it.each([
    [
      "an additive score",
      () => ({
        score: additiveScore({
          w1: random([4, 5], 7) as tf.Tensor2D,
          w2: random([4, 5], 6) as tf.Tensor2D,
          v: random([5], 8) as tf.Tensor1D,
        }),
      }),
    ],
    ["another normaliser", () => ({ score: undefined, normalize: sparsemax })],
  ])("takes calls with %s too, and no NaN from hidden keys", (_, make) => {
    const queries = random([B, T, 4], 1) as tf.Tensor3D;
    const keys = random([B, S, 4], 2) as tf.Tensor3D;
    const values = random([B, S, Dv], 3) as tf.Tensor3D;
    const dirty = tf.tidy(() => {
      const hidden = tf.tensor3d(
        Array.from({ length: B * S }, (_, e) => (e < S && e >= 4 ? Number.NaN : 0)),
        [B, S, 1],
      );
      return tf.add(values, hidden) as tf.Tensor3D;
    });
    const { score, ...more } = make();
    const trace = capture(
      (queries: tf.Tensor3D) =>
        attend({
          queries,
          keys,
          values: dirty,
          mask: { keyLengths: [4, 7] },
          ...more,
          ...(score && { score }),
        }).output,
      queries,
      { gradientOf: (output) => tf.sum(tf.slice(output, [0, 0, 0], [1, T, Dv])) },
    );
    const row = tf.tidy(() => tf.sum(values, -1).dataSync());
    expectClose(
      trace.layers[0]!.grad!.slice(),
      Array.from({ length: T * S }, (_, e) => (e % S < 4 ? row[e % S]! : 0)),
    );
  });

  it("goes through the layers of a model as through a function that applies it, and leaves nothing behind", () => {
    const input = tfl.input({ shape: [T, 4] });
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3 });
    const dense = tfl.layers.dense({ units: 3, activation: "softmax" });
    const read = layer.apply([input, input]) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: dense.apply(read) as tfl.SymbolicTensor });
    const x = random([B, T, 4], 5);
    const score = (output: unknown) => tf.slice(output as tf.Tensor3D, [1, 2, 1], [1, 1, 1]);
    const before = tf.memory().numTensors;
    const options = { example: 1, gradientOf: score };
    const [ofModel] = capture<tf.Tensor, unknown>(model, x, options).layers;
    const [ofCall] = capture((x: tf.Tensor) => model.apply(x), x, options).layers;
    expect(tf.memory().numTensors).toBe(before);
    expect(ofModel!.grad!.slice().some((gradient) => gradient !== 0)).toBe(true);
    expectClose(ofModel!.grad!.slice(), Array.from(ofCall!.grad!.slice()));
  });

  it("refuses what is not one number, a target that changes, and a gradient that overflows", () => {
    const v = random([1, T, 4], 2) as tf.Tensor3D;
    expect(() => capture(self, v, { gradientOf: (output) => output })).toThrow(
      `capture: gradientOf must be one number, got shape [1, ${T}, 4]; take one element, such as a class's score`,
    );
    expect(() => capture(self, v, { gradientOf: () => 1 as unknown as tf.Tensor })).toThrow("got number");
    let runs = 0;
    const more = (v: tf.Tensor3D) => (runs++ === 0 ? self(v) : self(self(v)));
    expect(() => capture(more, v, { gradientOf: (output) => tf.sum(output) })).toThrow(
      "capture: the target must call the same attention each time it runs, got a call 1 more; capture what depends on its input alone",
    );
    runs = 0;
    const fewer = (v: tf.Tensor3D) => (runs++ === 0 ? self(self(v)) : self(v));
    expect(() => capture(fewer, v, { gradientOf: (output) => tf.sum(output) })).toThrow("got 1 calls of 2");
    expect(() => capture(self, v, { gradientOf: (output) => tf.mul(tf.sum(output), Infinity) })).toThrow(
      /^capture: grad\.0 of \w+ 0, head 0, query 0, key 0, must be finite, got /,
    );
  });
});

onEveryBackend("capture with valueNorms", () => {
  it.each(["bhtd", "bthd"] as const)("keeps the length of each value of its example: %s", (layout) => {
    const swap = <X extends tf.Tensor>(x: tf.Tensor) =>
      tf.transpose(x, layout === "bthd" ? [0, 2, 1, 3] : [0, 1, 2, 3]) as X;
    const v = random([B, Hkv, S, Dv], 3);
    const [q, k, values] = [random([B, H, T, D], 1), random([B, Hkv, S, D], 2), v].map((x) =>
      swap<tf.Tensor4D>(x),
    );
    const before = tf.memory().numTensors;
    const trace = capture((q: tf.Tensor4D) => attention(q, k!, values!, { layout }).output, q!, {
      ...{ example: 1, valueNorms: true },
    });
    expect(tf.memory().numTensors).toBe(before);
    const [layer] = readTrace(writeTrace(trace)).layers;
    expect(layer!.vnorm!.shape).toEqual([Hkv, S]);
    expectClose(layer!.vnorm!.slice(), Array.from(tf.tidy(() => tf.norm(tf.gather(v, 1), 2, -1).dataSync())));
  });

  it("tells how heads are grouped where a call is kept as weights", () => {
    const [q, k, v] = [
      random([1, H, T, D], 1),
      random([1, Hkv, S, D], 2),
      random([1, Hkv, S, Dv], 3),
    ] as tf.Tensor4D[];
    const trace = capture((q: tf.Tensor4D) => attention(q, k!, v!, { onEmptyRow: "uniform" }).output, q!, {
      valueNorms: true,
    });
    expect(trace.layers[0]!.k).toBeUndefined();
    expect(trace.layers[0]!.Hkv).toBe(Hkv);
    expect(readTrace(writeTrace(trace)).layers[0]!.Hkv).toBe(Hkv);
  });

  it("gives keys that no query sees 0, and refuses a visible value that is not finite", () => {
    const x = random([1, S, 4], 1) as tf.Tensor3D;
    const lengths = Array.from({ length: S }, (_, s) => (s < 5 ? s : Number.NaN));
    const values = tf.tensor3d(lengths, [1, S, 1]);
    const run = (n: number) =>
      capture(
        (x: tf.Tensor3D) => attend({ queries: x, keys: x, values, mask: { keyLengths: [n] } }).output,
        x,
        {
          valueNorms: true,
        },
      );
    expect([...run(5).layers[0]!.vnorm!.slice()]).toEqual([0, 1, 2, 3, 4, 0, 0]);
    expect(() => run(6)).toThrow(
      "capture: vnorm.0 of attend 0, head 0, key 5, must be finite, got NaN; look for an overflow or NaN in the values",
    );
  });
});
