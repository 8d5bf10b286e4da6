import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import {
  entmax,
  hardmax,
  NORMALIZERS,
  type NormalizerName,
  sigmoidWeights,
  softmax,
  softmaxPlusOne,
  sparsemax,
} from "../../../src/attention/normalize/index.ts";
import { attend } from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import type { Normalize } from "../../../src/ops/attention/composed.ts";
import { maskScores } from "../../../src/ops/attention/mask.ts";
import { gradcheck, gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { referenceEntmax, referenceSoftmaxPlusOne } from "./reference.ts";

interface Numbers {
  shape: number[];
  values: number[];
}
interface Case {
  name: string;
  alpha: number | Numbers;
  scores: Numbers;
  cotangents: Numbers;
  weights: Numbers;
  dscores: Numbers;
  dalpha?: Numbers;
}
const fixture = new URL("../../fixtures/normalize/entmax.json", import.meta.url);
const CASES: [string, Case][] = JSON.parse(readFileSync(fixture, "utf8")).cases.map((one: Case) => [
  one.name,
  one,
]);
const read = ({ shape, values }: Numbers) => tf.tensor(values, shape);

/** Every normaliser, and whether its rows sum to 1 and whether it has a gradient. */
const ALL: [string, Normalize, { sums: boolean; differentiable: boolean }][] = [
  ["softmax", softmax, { sums: true, differentiable: true }],
  ["sparsemax", sparsemax, { sums: true, differentiable: true }],
  ["entmax15", (s) => entmax(s), { sums: true, differentiable: true }],
  ["entmax(1.25)", (s) => entmax(s, 1.25), { sums: true, differentiable: true }],
  ["entmax(3)", (s) => entmax(s, 3), { sums: true, differentiable: true }],
  ["sigmoid", (s) => sigmoidWeights(s), { sums: false, differentiable: true }],
  ["softmaxPlusOne", softmaxPlusOne, { sums: false, differentiable: true }],
  ["hardmax", hardmax, { sums: true, differentiable: false }],
];
/** α = 3 changes its support within a step of the difference; its gradient is held to float64 loops instead. */
const SMOOTH = ALL.filter(([name, , { differentiable }]) => differentiable && name !== "entmax(3)");

/** A bound on float32's error of weights found from scores of this size: the roundings of a row's few passes. */
const CLOSE = 32 * ROUNDING;

describe("the float64 references of the normalisers", () => {
  it.each([1.25, 1.5, 2, 3])("of entmax with α = %s has a gradient that agrees with differences", (alpha) => {
    const { values } = random(1, [7]);
    const cotangents = random(2, [7]).values;
    const { weights, gradient } = referenceEntmax(values, alpha, cotangents);
    expect(weights.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    const f = ({ x }: Record<string, Float64Array>) =>
      referenceEntmax(x!, alpha, cotangents).weights.reduce((sum, p, s) => sum + p * cotangents[s]!, 0);
    expect(gradcheck(f, { x: values }, { x: gradient }, 1e-5).error).toBeLessThanOrEqual(1e-5);
  });
});

onEveryBackend("normalisers", () => {
  it.each(CASES)("%s has the values and gradients of the entmax package", (_, one) => {
    tf.tidy(() => {
      const [x, dy] = [read(one.scores), read(one.cotangents)];
      const alpha = typeof one.alpha === "number" ? one.alpha : read(one.alpha);
      const weights = entmax(x, alpha);
      expect(weights.shape).toEqual(one.weights.shape);
      expect(distance(weights.dataSync(), one.weights.values)).toBeLessThanOrEqual(1e-5);
      // Zeros are exact, but where the weight is a rounding.
      weights.dataSync().forEach((p, e) => {
        if (one.weights.values[e] === 0) expect(p).toBeLessThanOrEqual(ROUNDING);
      });
      if (typeof alpha === "number") {
        const dx = tf.grad((t) => entmax(t, alpha))(x, dy);
        expect(distance(dx.dataSync(), one.dscores.values)).toBeLessThanOrEqual(1e-4);
        return;
      }
      const [dx, dalpha] = tf.grads((t: tf.Tensor, a: tf.Tensor) => entmax(t, a))([x, alpha], dy);
      expect(distance(dx!.dataSync(), one.dscores.values)).toBeLessThanOrEqual(1e-4);
      expect(dalpha!.shape).toEqual(one.dalpha!.shape);
      const size = Math.max(1, ...one.dalpha!.values.map(Math.abs));
      expect(distance(dalpha!.dataSync(), one.dalpha!.values)).toBeLessThanOrEqual(1e-4 * size);
    });
  });

  it.each([1.25, 1.5, 2, 3])("entmax with α = %s equals its float64 loops, gradients too", (alpha) => {
    tf.tidy(() => {
      const [scores, cotangents] = [random(3, [5, 13]), random(4, [5, 13])];
      const actual = entmax(tensor(scores), alpha).dataSync();
      const gradient = tf
        .grad((t) => entmax(t, alpha))(tensor(scores), tensor(cotangents))
        .dataSync();
      for (let row = 0; row < 5; row++) {
        const part = (x: Float64Array) => x.subarray(row * 13, row * 13 + 13);
        const expected = referenceEntmax(part(scores.values), alpha, part(cotangents.values));
        const of = (x: ArrayLike<number>) => Array.from(x).slice(row * 13, row * 13 + 13);
        expect(distance(of(actual), expected.weights)).toBeLessThanOrEqual(CLOSE);
        expect(distance(of(gradient), expected.gradient)).toBeLessThanOrEqual(8 * CLOSE);
      }
    });
  });

  it("softmaxPlusOne equals its float64 loops, and its rows sum to less than 1", () => {
    tf.tidy(() => {
      const scores = random(5, [7, 11]);
      const weights = softmaxPlusOne(tensor(scores));
      const expected = referenceSoftmaxPlusOne(scores.values, 11);
      expect(distance(weights.dataSync(), expected)).toBeLessThanOrEqual(CLOSE);
      for (const sum of tf.sum(weights, -1).dataSync()) expect(sum).toBeLessThan(1);
      expect(tf.sum(softmaxPlusOne(tf.fill([1, 3], -20))).dataSync()[0]).toBeLessThan(1e-8);
    });
  });

  it("cases worked by hand come out", () => {
    tf.tidy(() => {
      // τ = (0.5 + 0.25 − 1)/2 = −0.125, and −1 is below it.
      const sparse = sparsemax(tf.tensor1d([0.5, 0.25, -1])).dataSync();
      expect([...sparse]).toEqual([0.625, 0.375, 0]);
      // σ(0 − ln 2) = 1/3 and σ(ln 4 − ln 2) = 2/3.
      const free = sigmoidWeights(tf.tensor1d([0, Math.log(4)])).dataSync();
      expect(distance(free, [1 / 3, 2 / 3])).toBeLessThanOrEqual(4 * ROUNDING);
      // 1 / (1 + 1 + 2) and 2 / 4
      const quiet = softmaxPlusOne(tf.tensor1d([0, Math.log(2)])).dataSync();
      expect(distance(quiet, [0.25, 0.5])).toBeLessThanOrEqual(4 * ROUNDING);
      expect([...hardmax(tf.tensor1d([-1, 5, 2, 5])).dataSync()]).toEqual([0, 1, 0, 0]);
    });
  });

  it("entmax is softmax at α = 1 and sparsemax at α = 2, bit for bit, and near them it is near", () => {
    tf.tidy(() => {
      const scores = tensor(random(6, [3, 7]));
      expect(entmax(scores, 1).dataSync()).toEqual(softmax(scores).dataSync());
      expect(entmax(scores, 2).dataSync()).toEqual(sparsemax(scores).dataSync());
      // The weights change with α by less than 2 a unit here.
      const near = (alpha: number) => entmax(scores, alpha).dataSync();
      expect(distance(near(1.001), near(1))).toBeLessThanOrEqual(2e-3);
      expect(distance(near(1.999), near(2))).toBeLessThanOrEqual(2e-3);
      expect(distance(near(1.5001), near(1.5))).toBeLessThanOrEqual(2e-4);
    });
  });

  it("a tensor α counts from 1.001 to 2, with the gradient 0 beyond", () => {
    tf.tidy(() => {
      const scores = tensor(random(6, [3, 7]));
      const alpha = tf.tensor2d([0.5, 2, 7], [3, 1]);
      const weights = entmax(scores, alpha).dataSync();
      const row = (of: tf.Tensor, n: number) => of.dataSync().slice(7 * n, 7 * n + 7);
      // What wasm's log1p rounds at 1 is divided by α − 1.
      const near = ROUNDING / 0.001;
      expect(distance(weights.slice(0, 7), row(entmax(scores, 1.001), 0))).toBeLessThanOrEqual(near);
      expect(
        distance(weights.slice(7), [...row(sparsemax(scores), 1), ...row(sparsemax(scores), 2)]),
      ).toBeLessThanOrEqual(CLOSE);
      const dalpha = tf
        .grad((a) => tf.sum(tf.square(entmax(scores, a))))(alpha)
        .dataSync();
      expect([Math.abs(dalpha[0]!), Math.abs(dalpha[2]!)]).toEqual([0, 0]);
      expect(dalpha[1]).not.toBe(0);
    });
  });

  it("α-entmax is sparser the larger α is, and has exact zeros above 1", () => {
    tf.tidy(() => {
      const scores = tf.mul(tensor(random(7, [1, 101])), 2);
      const zeros = [1, 1.25, 1.5, 1.75, 2, 3].map(
        (alpha) =>
          entmax(scores, alpha)
            .dataSync()
            .filter((p) => p === 0).length,
      );
      expect(zeros[0]).toBe(0);
      expect(zeros[1]).toBeGreaterThan(0);
      expect(zeros).toEqual([...zeros].sort((a, b) => a - b));
    });
  });

  it.each(ALL)("%s gives a hidden key the weight 0 and the gradient 0, and an empty row zeros", (_, f) => {
    tf.tidy(() => {
      const scores = tensor(random(8, [2, 3, 5]));
      const allow = tf.tensor2d([0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1], [3, 5], "bool");
      const weigh = (x: tf.Tensor) => f(maskScores(x, tf.broadcastTo(allow, [2, 3, 5])));
      const weights = weigh(scores).dataSync();
      const gradient = tf
        .grad(weigh)(scores, tensor(random(9, [2, 3, 5])))
        .dataSync();
      const seen = allow.dataSync();
      weights.forEach((w, e) => {
        if (!seen[e % 15]) expect([w, Math.abs(gradient[e]!)]).toEqual([0, 0]);
        else expect(w).toBeGreaterThanOrEqual(0);
      });
      expect([...weights, ...gradient].every(Number.isFinite)).toBe(true);
    });
  });

  it.each(ALL)("%s has sane rows for scores of ±10⁴ and for many keys", (_, f, { sums }) => {
    tf.tidy(() => {
      const steep = f(tf.tensor2d([1e4, 0, -1e4, -1e4, -1e4, -1e4], [2, 3])).dataSync();
      expect(steep.every(Number.isFinite)).toBe(true);
      expect(steep[0]).toBeCloseTo(1, 6);
      expect(steep[2]).toBe(0);
      const weights = f(tensor(random(10, [3, 1031])));
      expect(weights.dataSync().every((w) => w >= 0 && w <= 1)).toBe(true);
      if (!sums) return;
      expect(steep[3]! + steep[4]! + steep[5]!).toBeCloseTo(1, 6);
      expect(distance(tf.sum(weights, -1).dataSync(), [1, 1, 1])).toBeLessThanOrEqual(1e-6);
    });
  });

  it.each(ALL)("%s of no keys, and of none but one, is well defined", (_, f, { sums }) => {
    tf.tidy(() => {
      expect(f(tf.zeros([2, 3, 0])).shape).toEqual([2, 3, 0]);
      const one = f(tf.tensor2d([[3], [-2]])).dataSync();
      if (sums) expect(distance(one, [1, 1])).toBeLessThanOrEqual(ROUNDING);
      else expect(one.every((w) => w > 0 && w < 1)).toBe(true);
    });
  });

  it.each(ALL.filter(([name]) => name !== "hardmax"))("%s shows a visible NaN as NaN", (_, f) => {
    const weights = tf.tidy(() => f(tf.tensor2d([[1, Number.NaN, 2]])).dataSync());
    expect(weights.some(Number.isNaN)).toBe(true);
  });

  it.each(SMOOTH)("%s has gradients that agree with differences", (_, f) => {
    // Spread so that no weight enters or leaves the support within two steps of the difference.
    for (const [seed, shape] of [
      [3, [2, 3]],
      [4, [1, 5]],
      [5, [3, 1, 2]],
    ] as const) {
      const scores = tf.mul(tensor(random(seed, shape)), 0.05);
      expect(() => gradcheckTensors(({ x }) => f(x!), { x: scores })).not.toThrow();
      const allow = tf.broadcastTo(tf.notEqual(tf.range(0, shape.at(-1)!), 1), [...shape]);
      const masked = ({ x }: Record<string, tf.Tensor>) => f(maskScores(x!, allow));
      expect(() => gradcheckTensors(masked, { x: scores })).not.toThrow();
    }
  });

  it("the gradients of α and of the sigmoid's bias agree with differences and are not 0", () => {
    tf.tidy(() => {
      const scores = tf.mul(tensor(random(11, [2, 3, 5])), 0.2);
      const alpha = tf.tensor([1.3, 1.6], [2, 1, 1]);
      // (α − 1)⁻² of 11 multiplies what 26 halvings leave.
      const check = gradcheckTensors(({ x, a }) => entmax(x!, a!), { x: scores, a: alpha }, 200);
      expect(Math.abs(check.analytic)).toBeGreaterThan(0);
      const bias = tf.tensor([-1, 0.5, 2], [3, 1]);
      gradcheckTensors(({ x, b }) => sigmoidWeights(x!, { bias: b! }), { x: scores, b: bias });
      const [dalpha] = tf.grads((a: tf.Tensor) => tf.sum(tf.square(entmax(scores, a))))([alpha]);
      expect(dalpha!.dataSync().every((d) => d !== 0)).toBe(true);
    });
  });

  it.each(Object.keys(NORMALIZERS) as NormalizerName[])("attend takes %s by name as by function", (name) => {
    tf.tidy(() => {
      const [B, T, S] = [2, 3, 5];
      const x = {
        queries: tensor<tf.Tensor3D>(random(1, [B, T, 7])),
        keys: tensor<tf.Tensor3D>(random(2, [B, S, 7])),
        values: tensor<tf.Tensor3D>(random(3, [B, S, 11])),
        mask: { keyLengths: [2, 5], allow: tf.tensor2d([1, 0, 1], [3, 1], "bool") },
        weights: true,
      } as const;
      const named = attend({ ...x, normalize: name });
      // The trace goes step by step.
      const traced = attend({ ...x, normalize: NORMALIZERS[name], trace: true });
      expect(distance(named.weights.dataSync(), traced.weights.dataSync())).toBeLessThanOrEqual(CLOSE);
      expect(distance(named.output.dataSync(), traced.output.dataSync())).toBeLessThanOrEqual(8 * CLOSE);
      const shares = traced.weights.dataSync();
      shares.forEach((w, e) => {
        const [b, i, j] = [Math.floor(e / 15), Math.floor(e / 5) % 3, e % 5];
        if (i === 1 || j >= [2, 5][b]!) expect(w).toBe(0);
      });
      expect(traced.output.dataSync().some((o) => o !== 0)).toBe(true);
    });
  });

  it("attend runs softmaxPlusOne as one kernel with a sink of 0", async () => {
    const x = {
      queries: tensor<tf.Tensor3D>(random(1, [2, 3, 7])),
      keys: tensor<tf.Tensor3D>(random(2, [2, 5, 7])),
      values: tensor<tf.Tensor3D>(random(3, [2, 5, 11])),
    };
    const { kernels } = await tf.profile(() => attend({ ...x, normalize: "softmaxPlusOne" }).output);
    expect(kernels.map(({ name }) => name)).toContain("HeedAttention");
    expect(kernels.map(({ name }) => name)).not.toContain("BatchMatMul");
  });

  it.each(ALL)("%s leaves no tensor behind", (_, f) => {
    const scores = tensor(random(12, [3, 5]));
    const before = tf.memory().numTensors;
    const weights = f(scores);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([scores, weights]);
  });

  const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
    [
      "α below 1",
      OptionError,
      () => entmax(tf.zeros([2, 3]), 0.9),
      "entmax: alpha must be a number ≥ 1, got 0.9; choose one in that range or leave it out",
    ],
    [
      "an α for other rows",
      ShapeError,
      () => entmax(tf.zeros([2, 3, 5, 7]), tf.ones([2, 1, 1])),
      "entmax: alpha must have shape [..., 1] = [2, 3, 5, 1], where any length may be 1, got [2, 1, 1]; reshape it so that every axis is named",
    ],
    [
      "a bias of the sigmoid for other scores",
      ShapeError,
      () => sigmoidWeights(tf.zeros([2, 3]), { bias: tf.ones([2, 1, 1]) }),
      "sigmoidWeights: bias must have shape [..., S] = [2, 3], where any length may be 1, got [2, 1, 1]; reshape it so that every axis is named",
    ],
    [
      "a normaliser of no known name",
      OptionError,
      () =>
        attend({
          ...{ queries: tf.zeros([1, 2, 3]), keys: tf.zeros([1, 2, 3]), values: tf.zeros([1, 2, 3]) },
          normalize: "entmax" as NormalizerName,
        }),
      'attend: normalize must be a function or "softmax" or "sparsemax" or "entmax15" or "sigmoid" or "softmaxPlusOne" or "hardmax", got entmax; choose one of them',
    ],
  ];
  it.each(refused)("refuses %s", (_, error, call, message) => {
    const attempt = () => tf.tidy(() => void call());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
