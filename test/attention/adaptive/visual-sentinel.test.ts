import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  sentinelGate,
  type VisualSentinelOptions,
  visualSentinel,
} from "../../../src/attention/adaptive/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { expectFixture } from "./fixture.ts";

type Tensors = Record<string, tf.Tensor>;
const make = ([B, T, S, Dq, C, A]: readonly number[], size = 1): Tensors => {
  const shapes = { h: [B, T, Dq], v: [B, S, C], s: [B, T, C], wv: [C, A], wg: [Dq, A], ws: [C, A], wh: [A] };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], n) => [
      name,
      tf.mul(tensor(random(n + 1, shape as number[])), size),
    ]),
  );
};
const run = ({ h, v, s, ...parameters }: Tensors, options: VisualSentinelOptions = {}) =>
  visualSentinel(
    h as tf.Tensor3D,
    v as tf.Tensor3D,
    s as tf.Tensor3D,
    parameters as unknown as Parameters<typeof visualSentinel>[3],
    { ...options, weights: true },
  );
const SIZES = [2, 3, 5, 7, 11, 13];

onEveryBackend("visualSentinel", () => {
  it("has the values and gradients of the paper's one larger softmax in PyTorch", () => {
    expectFixture<VisualSentinelOptions>("visual-sentinel", (x, options) => run(x, options));
  });

  it("the weights times 1 − β, and β, are one softmax over features and sentinel; the output is its mean", () => {
    tf.tidy(() => {
      const x = make(SIZES, 0.5);
      const { output, beta, weights } = run(x);
      const { h, v, s, wv, wg, ws, wh } = x as Record<string, tf.Tensor2D>;
      const rows = (a: tf.Tensor, w: tf.Tensor2D) => {
        const [B, N, D] = a.shape as [number, number, number];
        return tf.reshape(tf.matMul(tf.reshape(a, [B * N, D]), w), [B, N, 13]);
      };
      const query = rows(h!, wg!);
      const score = (key: tf.Tensor) =>
        tf.sum(tf.mul(tf.tanh(tf.add(tf.expandDims(query, 2), key)), wh!), -1);
      const scores = tf.concat(
        [score(tf.expandDims(rows(v!, wv!), 1)), score(tf.expandDims(rows(s!, ws!), 2))],
        2,
      );
      const all = tf.softmax(scores);
      const image = tf.mul(weights, tf.sub(1, beta));
      expect(distance(tf.concat([image, beta], 2).dataSync(), all.dataSync())).toBeLessThanOrEqual(1e-5);
      const mean = tf.add(tf.matMul(image, v!), tf.mul(beta, s!));
      expect(distance(output.dataSync(), mean.dataSync())).toBeLessThanOrEqual(1e-5);
      expect(distance(tf.sum(weights, -1).dataSync(), new Array(6).fill(1))).toBeLessThanOrEqual(1e-6);
    });
  });

  it.each([
    [[1, 2, 3, 5, 2, 3], {}],
    [[2, 1, 5, 2, 3, 1], {}],
    [[1, 3, 1, 1, 2, 5], {}],
    [[2, 1, 3, 2, 3, 5], { keyLengths: [2, 0] }],
  ])(
    "has gradients that agree with differences in every input and parameter, [B, T, S, Dq, C, A] = %j, %j",
    (sizes, mask) => {
      const x = make(sizes, 0.4);
      expect(() => gradcheckTensors((given) => run(given, mask).output, x, 64)).not.toThrow();
      const gradients = tf.grads(
        (...given: tf.Tensor[]) =>
          run(Object.fromEntries(Object.keys(x).map((name, n) => [name, given[n]!])), mask).output,
      )(Object.values(x));
      for (const gradient of gradients)
        expect(gradient.dataSync().some((d) => d !== 0) || sizes[2] === 1).toBe(true);
    },
  );

  it("falls back on the sentinel where no feature is seen, and lets NaN in hidden features reach nothing", () => {
    tf.tidy(() => {
      const x = make(SIZES, 0.5);
      const hidden = tf.concat([tf.slice(x.v!, 0, [2, 2, 11]), tf.fill([2, 3, 11], Number.NaN)], 1);
      const mask = { keyLengths: [0, 2] };
      const [clean, dirty] = [run(x, mask), run({ ...x, v: hidden }, mask)];
      expect(dirty.output.dataSync()).toEqual(clean.output.dataSync());
      expect([...clean.beta.dataSync().subarray(0, 3)]).toEqual([1, 1, 1]);
      expect(clean.output.dataSync().subarray(0, 33)).toEqual(x.s!.dataSync().subarray(0, 33));
      const names = Object.keys(x);
      const gradients = (given: Tensors) =>
        tf.grads(
          (...all: tf.Tensor[]) =>
            run(Object.fromEntries(names.map((name, n) => [name, all[n]!])), mask).output,
        )(names.map((name) => given[name]!));
      const [expected, got] = [gradients(x), gradients({ ...x, v: hidden })];
      names.forEach((name, n) => {
        expect(distance(got[n]!.dataSync(), expected[n]!.dataSync()), name).toBeLessThanOrEqual(1e-5);
      });
    });
  });

  it("reads the image in one kernel on heed", async () => {
    const { kernels } = await tf.profile(() => run(make(SIZES)).output);
    const names = kernels.map(({ name }) => name);
    expect(names.includes("HeedAdditiveAttention")).toBe(tf.getBackend() === "heed");
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const x = make(SIZES);
      const before = tf.memory().numTensors;
      run(x, { keyLengths: [2, 3] });
      expect(tf.memory().numTensors).toBe(before + 3);
    });
  });

  const refused: [string, () => unknown, string][] = [
    [
      "sentinels of another width",
      () => run({ ...make(SIZES), s: tf.zeros([2, 3, 10]) }),
      "visualSentinel: v [B, S, C] and s [B, T, C] must have the same C, got shapes [2, 5, 11] and [2, 3, 10]; make their C equal",
    ],
    [
      "sentinels for other queries",
      () => run({ ...make(SIZES), s: tf.zeros([2, 4, 11]) }),
      "visualSentinel: h [B, T, Dq] and s [B, T, C] must have the same T, got shapes [2, 3, 7] and [2, 4, 11]; make their T equal",
    ],
    [
      "features of rank 4",
      () => run({ ...make(SIZES), v: tf.zeros([2, 5, 5, 11]) }),
      "visualSentinel: v [B, S, C] must have rank 3, got shape [2, 5, 5, 11]; reshape it first",
    ],
    [
      "a parameter of another shape",
      () => run({ ...make(SIZES), wg: tf.zeros([7, 12]) }),
      "visualSentinel: wg [Dq, A] must have shape [7, 13] here, got [7, 12]; make it for these inputs and for wh [A]",
    ],
  ];
  it.each(refused)("refuses %s", (_, call, message) => {
    const attempt = () => tf.tidy(() => void call());
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});

onEveryBackend("sentinelGate", () => {
  it("is σ(W_x x + W_h h) ⊙ tanh(m), to float32's rounding", () => {
    tf.tidy(() => {
      const [x, h, m] = [random(1, [2, 3, 5]), random(2, [2, 3, 7]), random(3, [2, 3, 7])];
      const [wx, wh] = [random(4, [5, 7]), random(5, [7, 7])];
      const s = sentinelGate(tensor(x), tensor(h), tensor(m), {
        wx: tensor<tf.Tensor2D>(wx),
        wh: tensor<tf.Tensor2D>(wh),
      });
      const expected = Float64Array.from({ length: 42 }, (_, e) => {
        const [row, c] = [Math.floor(e / 7), e % 7];
        let sum = 0;
        for (let i = 0; i < 5; i++) sum += x.values[row * 5 + i]! * wx.values[i * 7 + c]!;
        for (let i = 0; i < 7; i++) sum += h.values[row * 7 + i]! * wh.values[i * 7 + c]!;
        return Math.tanh(m.values[e]!) / (1 + Math.exp(-sum));
      });
      expect(s.shape).toEqual([2, 3, 7]);
      expect(distance(s.dataSync(), expected)).toBeLessThanOrEqual(1e-6);
    });
  });

  it.each([[[2, 3, 2]], [[1, 2, 5]], [[3, 5, 1]]])(
    "has gradients that agree with differences, [B, E, C] = %j",
    ([B, E, C]) => {
      const small = (seed: number, ...shape: number[]) => tf.mul(tensor(random(seed, shape)), 0.5);
      const x = {
        x: small(1, B!, E!),
        h: small(2, B!, C!),
        m: small(3, B!, C!),
        wx: small(4, E!, C!),
        wh: small(5, C!, C!),
      };
      const f = ({ x, h, m, wx, wh }: Tensors) =>
        sentinelGate(x!, h!, m!, { wx: wx as tf.Tensor2D, wh: wh as tf.Tensor2D });
      expect(() => gradcheckTensors(f, x, 32)).not.toThrow();
    },
  );

  it("refuses a state and a cell of different shapes", () => {
    const attempt = () =>
      tf.tidy(
        () =>
          void sentinelGate(tf.ones([2, 5]), tf.ones([2, 3]), tf.ones([2, 4]), {
            wx: tf.ones([5, 3]),
            wh: tf.ones([3, 3]),
          }),
      );
    const message =
      "sentinelGate: h [..., C] and m [..., C] must have the same shape, got shapes [2, 3] and [2, 4]; make their shape equal";
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
