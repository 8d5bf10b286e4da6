import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { paddingMask } from "../../../src/attention/mask/index.ts";
import { softmax } from "../../../src/attention/normalize/index.ts";
import {
  additiveScore,
  concatScore,
  dotScore,
  generalScore,
  locationScore,
  type Score,
  scaledDotScore,
} from "../../../src/attention/score/index.ts";
import {
  type AttendMask,
  type AttendOptions,
  attend,
  softAttention,
} from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend, onPlainKernels, random, tensor } from "../support.ts";

const [B, T, S, DQ, DK, DV, A] = [2, 3, 5, 7, 11, 13, 17];

function inputs(width = DK) {
  return {
    queries: tensor<tf.Tensor3D>(random(1, [B, T, DQ])),
    keys: tensor<tf.Tensor3D>(random(2, [B, S, width])),
    values: tensor<tf.Tensor3D>(random(3, [B, S, DV])),
  };
}

const matrix = (seed: number, ...shape: number[]) => tensor<tf.Tensor2D>(random(seed, shape));
const vector = (seed: number, n: number) => tensor<tf.Tensor1D>(random(seed, [n]));

const SCORES: [string, number, () => Score][] = [
  ["dot", DQ, () => dotScore()],
  ["scaledDot", DQ, () => scaledDotScore()],
  ["general", DK, () => generalScore({ w: matrix(4, DQ, DK) })],
  [
    "additive",
    DK,
    () => additiveScore({ w1: matrix(5, DK, A), w2: matrix(6, DQ, A), v: vector(7, A), b: vector(8, A) }),
  ],
  ["concat", DK, () => concatScore({ w: matrix(9, DQ + DK, A), v: vector(10, A) })],
  ["location", DK, () => locationScore({ w: matrix(11, DQ, S + 2) })],
];

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

  it.each(["dot", "scaledDot", "general"])("goes through one kernel with the %s score", async (name) => {
    const [, width, make] = SCORES.find(([score]) => score === name)!;
    const x = { ...inputs(width), score: make(), mask: { keyLengths: [2, 5] }, weights: true } as const;
    const kernelsOf = async (options: object) => {
      const { kernels } = await tf.profile(() => attend({ ...x, ...options }).output);
      return kernels.map((kernel) => kernel.name).filter((kernel) => /Attention|BatchMatMul/.test(kernel));
    };
    const projection = name === "general" ? ["BatchMatMul"] : [];
    expect(await kernelsOf({ finite: true })).toEqual([
      ...projection,
      "HeedAttention",
      "HeedAttentionWeights",
    ]);
    expect(await kernelsOf({ finite: true, weights: false })).toEqual([...projection, "HeedAttention"]);
    expect(await kernelsOf({ trace: true })).not.toContain("HeedAttention");
    expect(await kernelsOf({ normalize: tf.sigmoid })).not.toContain("HeedAttention");
  });

  it.each(["dot", "scaledDot", "general"])("gives what the composed path gives with the %s score", (name) => {
    tf.tidy(() => {
      const [, width, make] = SCORES.find(([score]) => score === name)!;
      const x = inputs(width);
      const score = make();
      const mask: AttendMask = { keyLengths: [0, 4], bias: matrix(12, T, S), softCap: 2 };
      const f = (trace: boolean) => (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) => {
        const given = { queries, keys, values, score, mask, trace, weights: true };
        const { output, weights } = attend(given as unknown as { weights: true } & AttendOptions);
        // Both lie on the way to the result, so both gradients count.
        return tf.add(tf.sum(tf.square(output)), tf.sum(tf.mul(weights, matrix(13, T, S))));
      };
      const given = [x.queries, x.keys, x.values];
      const [fused, composed] = [false, true].map((trace) => tf.valueAndGrads(f(trace))(given));
      expect(distance(fused!.value.dataSync(), composed!.value.dataSync())).toBeLessThanOrEqual(1e-4);
      fused!.grads.forEach((gradient, n) => {
        const expected = composed!.grads[n]!.dataSync();
        const size = Math.max(1, ...expected.map(Math.abs));
        expect(distance(gradient.dataSync(), expected), `input ${n}`).toBeLessThanOrEqual(4e-6 * size);
      });
    });
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

describe("attend with a score that is v·tanh(query + key)", () => {
  beforeAll(async () => void (await tf.setBackend("heed")));

  const additive = SCORES.filter(([name]) => name === "additive" || name === "concat");
  const mask: AttendMask = { keyLengths: [3, 5], causal: "bottomRight", softCap: 2 };
  const f =
    (options: Partial<Parameters<typeof attend>[0]>) =>
    (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor): tf.Tensor =>
      attend({ queries, keys, values, mask, ...options } as Parameters<typeof attend>[0]).output;

  /** Output and gradients, and how often the fused kernels and tanh of every pair ran for them. */
  async function runs(options: Partial<Parameters<typeof attend>[0]>) {
    const { queries, keys, values } = inputs();
    const results: Float32Array[] = [];
    const { kernels } = await tf.profile(() => {
      const { value, grads } = tf.valueAndGrads((...x: tf.Tensor[]) => {
        const output = f(options)(x[0]!, x[1]!, x[2]!);
        return tf.sum(tf.mul(output, tf.reshape(tf.range(0, output.size), output.shape)));
      })([queries, keys, values]);
      results.push(...[value, ...grads].map((t) => t.dataSync() as Float32Array));
      return value;
    });
    const count = (name: string) => kernels.filter((kernel) => kernel.name === name).length;
    const counts = [count("HeedAdditiveAttention"), count("HeedAdditiveAttentionGrad")];
    const wide = kernels.some(({ outputShapes }) => outputShapes.some((shape) => shape.length === 4));
    return { results, counts, wide };
  }

  it.each(additive)(
    "%s: is one kernel forward and one backward, and nothing of T · S · A",
    async (_, __, make) => {
      const { counts, wide } = await runs({ score: make(), weights: true });
      expect(counts).toEqual([1, 1]);
      expect(wide).toBe(false);
    },
  );

  it.each(additive)(
    "%s: is composed where every stage is asked for or the normaliser is another",
    async (_, __, make) => {
      const trace = await runs({ score: make(), trace: true });
      const sigmoid = await runs({ score: make(), normalize: (s) => tf.sigmoid(s) });
      expect([trace.counts, sigmoid.counts]).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect(trace.wide).toBe(true);
      expect((await runs({ score: make(), normalize: softmax })).counts).toEqual([1, 1]);
    },
  );

  it.each(additive)(
    "%s: the kernel gives what the composed stages give, gradients included",
    async (_, __, make) => {
      const options: Partial<Parameters<typeof attend>[0]>[] = [
        {},
        { dropout: { rate: 0.4, seed: 2 }, training: true },
        { mask: { bias: matrix(21, T, S), onEmptyRow: "uniform", queryLengths: [0, 2] } },
        { finite: true },
      ];
      for (const own of options) {
        const [fused, composed] = [
          await runs({ score: make(), ...own }),
          await runs({ score: make(), ...own, trace: true }),
        ];
        expect([fused.counts[0], composed.counts[0]]).toEqual([1, 0]);
        // Losses are weighed by up to 78, scores sum 17 tanh of 2⁻²² each.
        fused.results.forEach((result, n) => {
          const size = Math.max(1, ...composed.results[n]!.map(Math.abs));
          expect(distance(result, composed.results[n]!) / size).toBeLessThanOrEqual(17 * 2 ** -20);
        });
      }
    },
  );

  it.each(additive)(
    "%s: prepared keys of another width are refused before anything is read",
    (_, __, make) => {
      tf.tidy(() => {
        const x = inputs();
        const prepared = tf.zeros<tf.Rank.R3>([B, S, A + 2]);
        expect(() => attend({ ...x, score: make(), prepared })).toThrow(ShapeError);
      });
    },
  );

  it.each(additive)("%s: parameters get the gradients of the composed stages", (name) => {
    const x = inputs();
    const parameters = name === "concat" ? [matrix(9, DQ + DK, A)] : [matrix(5, DK, A), matrix(6, DQ, A)];
    const loss =
      (trace: boolean) =>
      (v: tf.Tensor, ...w: tf.Tensor[]) => {
        const score =
          name === "concat"
            ? concatScore({ w: w[0] as tf.Tensor2D, v: v as tf.Tensor1D })
            : additiveScore({ w1: w[0] as tf.Tensor2D, w2: w[1] as tf.Tensor2D, v: v as tf.Tensor1D });
        return tf.sum(tf.square(attend({ ...x, score, mask, trace }).output));
      };
    const [fused, composed] = [false, true].map((trace) =>
      tf.grads(loss(trace))([vector(7, A), ...parameters]),
    );
    fused!.forEach((gradient, n) => {
      const expected = composed![n]!.dataSync();
      const size = Math.max(1, ...expected.map(Math.abs));
      expect(distance(gradient.dataSync(), expected) / size).toBeLessThanOrEqual(17 * 2 ** -20);
      expect(expected.some((g) => g !== 0)).toBe(true);
    });
  });
});
