import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { paddingMask } from "../../../src/attention/mask/index.ts";
import { softmax } from "../../../src/attention/normalize/index.ts";
import { dotScore, scaledDotScore } from "../../../src/attention/score/index.ts";
import { type AttendMask, attend, softAttention } from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend, onPlainKernels } from "../support.ts";
import { B, DK, DQ, DV, inputs, matrix, S, SCORES, T } from "./scores.ts";

/** x with NaN in the vectors [b, n] that `hidden` names. */
function spoil(x: tf.Tensor3D, hidden: (b: number, n: number) => boolean): tf.Tensor3D {
  const [, N, D] = x.shape;
  const data = x
    .dataSync()
    .map((value, e) => (hidden(Math.floor(e / (N * D)), Math.floor(e / D) % N) ? Number.NaN : value));
  return tf.tensor3d(data, x.shape);
}

function attendTests(): void {
  it.each(SCORES)(
    "with the %s score exposes every stage, and each follows from the one before",
    (_, width, make) => {
      tf.tidy(() => {
        const x = inputs(width);
        const score = make();
        const mask: AttendMask = { keyLengths: [3, 5], causal: "bottomRight" };
        const { output, trace, weights } = attend({ ...x, score, mask, trace: true, weights: true });
        expect(Object.keys(trace)).toEqual(["encoded", "scores", "masked", "weights", "context", "output"]);
        expect(trace.encoded).toBe(x.values);
        const scores = score.score(x.queries, score.prepare(x.keys));
        expect(trace.scores.dataSync()).toEqual(scores.dataSync());
        // The last query stands at the last key that is no padding.
        const visible = (b: number, i: number, j: number) => j <= i + [3, 5][b]! - T;
        const masked = scores
          .dataSync()
          .map((value, e) =>
            visible(Math.floor(e / (T * S)), Math.floor(e / S) % T, e % S) ? value : -Infinity,
          );
        expect(trace.masked.dataSync()).toEqual(masked);
        expect(trace.weights.dataSync()).toEqual(softmax(trace.masked).dataSync());
        const context = tf.matMul(trace.weights, trace.encoded);
        expect(trace.context.dataSync()).toEqual(context.dataSync());
        expect(trace.output.dataSync()).toEqual(output.dataSync());
        expect(weights.dataSync()).toEqual(trace.weights.dataSync());
        expect(output.shape).toEqual([B, T, DV]);
      });
    },
  );

  it.each(SCORES)(
    "with the %s score lets NaN in hidden keys, values and queries reach nothing",
    (_, width, make) => {
      tf.tidy(() => {
        const x = inputs(width);
        const score = make();
        const mask: AttendMask = { keyLengths: [2, 4], queryLengths: [3, 1], causal: "bottomRight" };
        const hiddenKey = (b: number, j: number) => j >= [2, 4][b]!;
        const dirty = {
          queries: spoil(x.queries, (b, i) => i >= [3, 1][b]!),
          keys: spoil(x.keys, hiddenKey),
          values: spoil(x.values, hiddenKey),
        };
        const f = (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) =>
          attend({ queries, keys, values, score, mask } as Parameters<typeof attend>[0]).output;
        expect(attend({ ...dirty, score, mask }).output.dataSync()).toEqual(
          attend({ ...x, score, mask }).output.dataSync(),
        );
        const read = ({ queries, keys, values }: typeof x) =>
          score.name === "location"
            ? tf.grads((q: tf.Tensor, v: tf.Tensor) => f(q, keys, v))([queries, values])
            : tf.grads(f)([queries, keys, values]);
        const [clean, spoiled] = [read(x), read(dirty)];
        clean.forEach((gradient, n) => {
          expect(gradient.dataSync().some((value) => value !== 0)).toBe(true);
          expect(spoiled[n]!.dataSync()).toEqual(gradient.dataSync());
        });
      });
    },
  );

  it.each(SCORES)(
    "with the %s score hides by a bias of −∞ as by allow, NaN and gradients included",
    (_, width, make) => {
      tf.tidy(() => {
        const x = inputs(width);
        const score = make();
        const hidden = (j: number) => j === 1 || j === 4;
        const bias = tf.tensor2d(
          Array.from({ length: T * S }, (_, e) => (hidden(e % S) ? -Infinity : e / 7)),
          [T, S],
        );
        const dirty = {
          ...x,
          keys: spoil(x.keys, (_, j) => hidden(j)),
          values: spoil(x.values, (_, j) => hidden(j)),
        };
        const f = (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) =>
          attend({ queries, keys, values, score, mask: { bias } } as Parameters<typeof attend>[0]).output;
        const read = ({ queries, keys, values }: typeof x) => [
          f(queries, keys, values),
          ...(score.name === "location"
            ? tf.grads((q: tf.Tensor, v: tf.Tensor) => f(q, keys, v))([queries, values])
            : tf.grads(f)([queries, keys, values])),
        ];
        const clean = read(x).map((t) => [...t.dataSync()]);
        expect(clean.flat().some(Number.isNaN)).toBe(false);
        expect(read(dirty).map((t) => [...t.dataSync()])).toEqual(clean);
      });
    },
  );

  it.each(SCORES)(
    "with the %s score gives with a mask that hides nothing what it gives without one, NaN and infinities included",
    (_, width, make) => {
      tf.tidy(() => {
        const score = make();
        for (const which of ["queries", "keys", "values"] as const) {
          const x = inputs(width);
          const spoiled = x[which].dataSync().slice();
          [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].forEach((value, n) => {
            spoiled[2 + 15 * n] = value;
          });
          const dirty = {
            ...x,
            [which]: tf.tensor3d(spoiled, x[which].shape),
            score,
            weights: true,
          } as const;
          const plain = attend(dirty);
          for (const mask of [
            tf.ones([T, S], "bool"),
            { bias: tf.zeros([1, T, S]) },
            { keyLengths: [S, S] },
          ]) {
            const masked = attend({ ...dirty, mask });
            expect([...masked.output.dataSync()]).toEqual([...plain.output.dataSync()]);
            expect([...masked.weights.dataSync()]).toEqual([...plain.weights.dataSync()]);
          }
        }
      });
    },
  );

  it.each(SCORES)(
    "with the %s score takes prepared keys, one step at a time, like all steps at once",
    (_, width, make) => {
      tf.tidy(() => {
        const x = inputs(width);
        const score = make();
        const mask = paddingMask([3, 5], S);
        const prepared = score.prepare(x.keys);
        const all = attend({ ...x, score, mask }).output;
        for (let t = 0; t < T; t++) {
          const queries = tf.slice(x.queries, [0, t, 0], [B, 1, DQ]);
          const one = attend({ ...x, queries, score, prepared, mask, finite: true }).output;
          const expected = tf.slice(all, [0, t, 0], [B, 1, DV]).dataSync();
          expect(distance(one.dataSync(), expected)).toBeLessThanOrEqual(2e-6);
        }
      });
    },
  );

  it("is softAttention of one head when the score is the scaled dot product", () => {
    tf.tidy(() => {
      const x = inputs(DQ);
      const bias = matrix(12, T, S);
      const options = { causal: "topLeft", keyLengths: [3, 0], softCap: 2, bias } as const;
      const { output, weights } = attend({ ...x, mask: options, weights: true });
      const [q, k, v] = [x.queries, x.keys, x.values].map((t) => tf.expandDims<tf.Tensor4D>(t, 1));
      const expected = softAttention(q!, k!, v!, { ...options, weights: true });
      expect(distance(output.dataSync(), expected.output.dataSync())).toBeLessThanOrEqual(1e-6);
      expect(distance(weights.dataSync(), expected.weights.dataSync())).toBeLessThanOrEqual(1e-6);
    });
  });

  it("means the same by a bool tensor, lengths and a tensor of lengths", () => {
    tf.tidy(() => {
      const x = { ...inputs(DQ), weights: true } as const;
      const masks = [
        paddingMask([3, 5], S),
        { allow: paddingMask([3, 5], S) },
        { keyLengths: [3, 5] },
        { keyLengths: tf.tensor1d([3, 5], "int32") },
      ];
      const outputs = masks.map((mask) => attend({ ...x, mask }).output.dataSync());
      for (const output of outputs) expect(output).toEqual(outputs[0]);
      expect(outputs[0]).not.toEqual(attend(x).output.dataSync());
    });
  });

  it("drops weights in training only, and returns them undropped", () => {
    tf.tidy(() => {
      const x = { ...inputs(DQ), weights: true, dropout: { rate: 0.5, seed: 3 } } as const;
      const [still, dropped, again] = [false, true, true].map((training) => attend({ ...x, training }));
      expect(dropped!.output.dataSync()).not.toEqual(still!.output.dataSync());
      expect(dropped!.output.dataSync()).toEqual(again!.output.dataSync());
      expect(dropped!.weights.dataSync()).toEqual(still!.weights.dataSync());
    });
  });

  it("normalises with any function of the masked scores", () => {
    tf.tidy(() => {
      const x = inputs(DQ);
      const { weights } = attend({
        ...x,
        mask: { keyLengths: [2, 5] },
        normalize: (s) => tf.sigmoid(s),
        weights: true,
      });
      const scores = scaledDotScore().score(x.queries, x.keys);
      const visible = weights.dataSync().filter((w) => w !== 0).length;
      expect(visible).toBe(T * (2 + 5));
      expect(weights.dataSync()[0]).toBeCloseTo(1 / (1 + Math.exp(-scores.dataSync()[0]!)), 6);
    });
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const x = inputs(DQ);
      const before = tf.memory().numTensors;
      attend({ ...x, mask: { keyLengths: [2, 5], causal: "topLeft" } });
      expect(tf.memory().numTensors).toBe(before + 1);
    });
  });

  it("spends nothing on masks when there is none, where attention is composed", async () => {
    const x = { ...inputs(DQ), trace: true };
    const namesOf = async (mask?: AttendMask) =>
      (await tf.profile(() => attend({ ...x, mask }).output)).kernels.map(({ name }) => name);
    const masking = /Select|Logical|IsFinite|IsNan/;
    expect((await namesOf({ keyLengths: [2, 5] })).some((name) => masking.test(name))).toBe(true);
    expect((await namesOf()).filter((name) => masking.test(name))).toEqual([]);
  });

  it("looks for NaN once in a source that is asked many times, where attention is composed", async () => {
    const x = { ...inputs(DQ), trace: true };
    const products = async () => {
      const { kernels } = await tf.profile(() => attend({ ...x, mask: { keyLengths: [2, 5] } }).output);
      return kernels.filter(({ name }) => name === "Multiply").length;
    };
    const [first, second] = [await products(), await products()];
    expect(first - second).toBe(3); // one for each of queries, keys and values
  });

  const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
    [
      "keys of rank 2",
      ShapeError,
      () => attend({ ...inputs(), keys: tf.zeros([2, 5]) as unknown as tf.Tensor3D }),
      "attend: keys [B, S, Dk] must have rank 3, got shape [2, 5]; reshape it first",
    ],
    [
      "another number of values",
      ShapeError,
      () => attend({ ...inputs(DQ), values: tf.zeros([2, 4, 3]) }),
      "attend: keys [B, S, Dk] and values [B, S, Dv] must have the same S, got shapes [2, 5, 7] and [2, 4, 3]; make their S equal",
    ],
    [
      "another batch",
      ShapeError,
      () => attend({ ...inputs(DQ), queries: tf.zeros([1, 4, 7]) }),
      "attend: queries [B, T, Dq] and keys [B, S, Dk] must have the same B, got shapes [1, 4, 7] and [2, 5, 7]; make their B equal",
    ],
    [
      "a mask of another shape",
      ShapeError,
      () => attend({ ...inputs(DQ), mask: tf.ones([2, 5, 3], "bool") }),
      "attend: allow must have shape [B, T, S] = [2, 3, 5], where any length may be 1, got [2, 5, 3]; reshape it so that every axis is named",
    ],
    [
      "queries and keys of different widths",
      ShapeError,
      () => attend({ ...inputs(DK), score: dotScore() }),
      "dotScore: queries [B, T, D] and keys [B, S, D] must have the same width D, got shapes [2, 3, 7] and [2, 5, 11]; use generalScore or additiveScore, which take different widths",
    ],
    [
      "prepared keys of another width",
      ShapeError,
      () => attend({ ...inputs(DQ), prepared: tf.zeros([2, 5, 3]) }),
      "scaledDotScore: queries [B, T, D] and keys [B, S, D] must have the same width D, got shapes [2, 3, 7] and [2, 5, 3]; use generalScore or additiveScore, which take different widths",
    ],
    [
      "prepared keys of another rank",
      ShapeError,
      () => attend({ ...inputs(DQ), prepared: tf.zeros([2, 5]) as unknown as tf.Tensor3D }),
      "attend: prepared [B, S, *] must have rank 3, got shape [2, 5]; reshape it first",
    ],
    [
      "prepared keys of another source",
      ShapeError,
      () => attend({ ...inputs(DQ), prepared: tf.zeros([2, 4, 7]) }),
      "attend: keys [B, S, Dk] and prepared [B, S, *] must have the same S, got shapes [2, 5, 7] and [2, 4, 7]; make their S equal",
    ],
    [
      "a mask of 0 and 1",
      OptionError,
      () => attend({ ...inputs(DQ), mask: tf.ones([3, 5]) }),
      "attend: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
}

onEveryBackend("attend", attendTests);
onPlainKernels("attend", attendTests);
