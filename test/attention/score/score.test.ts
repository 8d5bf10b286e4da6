import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import {
  additiveScore,
  concatScore,
  cosineScore,
  dotScore,
  generalScore,
  l2Score,
  locationScore,
  type Score,
  scaledDotScore,
} from "../../../src/attention/score/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import type { HostArray } from "../../../src/core/notation.ts";
import {
  type ReferenceScore,
  referenceAdditive,
  referenceConcat,
  referenceCosine,
  referenceDot,
  referenceGeneral,
  referenceL2,
  referenceLocation,
  type ScoreSizes,
} from "../../../src/kernels/reference-scores.ts";
import { gradcheck, gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";

type Tensors = Record<string, tf.Tensor>;

interface Subject {
  name: string;
  equalWidths?: boolean;
  parameters: (sizes: ScoreSizes) => Record<string, HostArray & { values: Float64Array }>;
  reference: (sizes: ScoreSizes) => ReferenceScore;
  score: (parameters: Tensors) => Score;
}

const A = 13;
const LONGEST = 17;

const SUBJECTS: Subject[] = [
  {
    name: "dot",
    equalWidths: true,
    parameters: () => ({}),
    reference: () => referenceDot(),
    score: () => dotScore(),
  },
  {
    name: "scaledDot",
    equalWidths: true,
    parameters: () => ({}),
    reference: ({ Dq }) => referenceDot(1 / Math.sqrt(Dq)),
    score: () => scaledDotScore(),
  },
  {
    name: "cosine",
    equalWidths: true,
    parameters: () => ({}),
    reference: () => referenceCosine(3),
    score: () => cosineScore({ scale: 3 }),
  },
  {
    name: "l2",
    equalWidths: true,
    parameters: () => ({}),
    reference: ({ Dq }) => referenceL2(1 / Math.sqrt(Dq)),
    score: () => l2Score(),
  },
  {
    name: "general",
    parameters: ({ Dq, Dk }) => ({ w: random(3, [Dq, Dk]) }),
    reference: referenceGeneral,
    score: ({ w }) => generalScore({ w: w as tf.Tensor2D }),
  },
  {
    name: "additive",
    parameters: ({ Dq, Dk }) => ({
      w1: random(4, [Dk, A]),
      w2: random(5, [Dq, A]),
      v: random(6, [A]),
      b: random(7, [A]),
    }),
    reference: referenceAdditive,
    score: (p) => additiveScore(p as unknown as Parameters<typeof additiveScore>[0]),
  },
  {
    name: "concat",
    parameters: ({ Dq, Dk }) => ({ w: random(8, [Dq + Dk, A]), v: random(9, [A]) }),
    reference: referenceConcat,
    score: (p) => concatScore(p as unknown as Parameters<typeof concatScore>[0]),
  },
  {
    name: "location",
    parameters: ({ Dq }) => ({ w: random(10, [Dq, LONGEST]) }),
    reference: () => referenceLocation(LONGEST),
    score: ({ w }) => locationScore({ w: w as tf.Tensor2D }),
  },
];

const SIZES: ScoreSizes[] = [
  { B: 2, T: 3, S: 5, Dq: 7, Dk: 11 },
  { B: 1, T: 1, S: 17, Dq: 3, Dk: 2 },
  { B: 3, T: 5, S: 1, Dq: 1, Dk: 7 },
];

function sized({ equalWidths }: Subject, sizes: ScoreSizes): ScoreSizes {
  return equalWidths ? { ...sizes, Dk: sizes.Dq } : sizes;
}

/** "B=2 T=3 S=5 Dq=7 Dk=11" */
function lettered(sizes: ScoreSizes): string {
  return Object.entries(sizes)
    .map(([letter, n]) => `${letter}=${n}`)
    .join(" ");
}

function inputs(subject: Subject, sizes: ScoreSizes): Record<string, HostArray & { values: Float64Array }> {
  const { B, T, S, Dq, Dk } = sizes;
  return { queries: random(1, [B, T, Dq]), keys: random(2, [B, S, Dk]), ...subject.parameters(sizes) };
}

const valuesOf = (arrays: Record<string, HostArray & { values: Float64Array }>) =>
  Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));

function run({ score }: Subject, { queries, keys, ...parameters }: Tensors): tf.Tensor {
  const made = score(parameters);
  return made.score(queries as tf.Tensor3D, made.prepare(keys as tf.Tensor3D));
}

const all = SUBJECTS.flatMap((subject) =>
  SIZES.map(
    (sizes) => [subject.name, lettered(sized(subject, sizes)), subject, sized(subject, sizes)] as const,
  ),
);

describe("the float64 references", () => {
  it.each(all)(
    "of the %s score have gradients that equal central differences to 1e-6 with %s",
    (_, __, subject, sizes) => {
      const arrays = valuesOf(inputs(subject, sizes));
      const reference = subject.reference(sizes);
      const cotangents = random(20, [sizes.B * sizes.T * sizes.S]).values;
      const loss = (x: typeof arrays) =>
        reference.scores(sizes, x).reduce((sum, s, e) => sum + s * cotangents[e]!, 0);
      const analytic = reference.gradients(sizes, arrays, cotangents);
      expect(Object.keys(analytic).sort()).toEqual(Object.keys(arrays).sort());
      expect(gradcheck(loss, arrays, analytic).error).toBeLessThanOrEqual(1e-6);
    },
  );
});

onEveryBackend("scores", () => {
  it.each(all)("the %s score equals its naive loops to 1e-6 of its size with %s", (_, __, subject, sizes) => {
    tf.tidy(() => {
      const arrays = inputs(subject, sizes);
      const expected = subject.reference(sizes).scores(sizes, valuesOf(arrays));
      const tensors = Object.fromEntries(Object.entries(arrays).map(([name, a]) => [name, tensor(a)]));
      const actual = run(subject, tensors);
      expect(actual.shape).toEqual([sizes.B, sizes.T, sizes.S]);
      const size = Math.max(1, ...expected.map(Math.abs));
      expect(distance(actual.dataSync(), expected)).toBeLessThanOrEqual(1e-6 * size);
    });
  });

  it.each(all)(
    "every input and parameter of the %s score receives the reference's gradient with %s",
    (_, __, subject, sizes) => {
      tf.tidy(() => {
        const arrays = inputs(subject, sizes);
        const names = Object.keys(arrays);
        const cotangents = random(20, [sizes.B, sizes.T, sizes.S]);
        const expected = subject.reference(sizes).gradients(sizes, valuesOf(arrays), cotangents.values);
        const f = (...x: tf.Tensor[]) =>
          run(subject, Object.fromEntries(names.map((name, n) => [name, x[n]!])));
        const used = subject.name === "location" ? names.filter((name) => name !== "keys") : names;
        const g = (...x: tf.Tensor[]) =>
          f(...names.map((name) => (used.includes(name) ? x[used.indexOf(name)]! : tensor(arrays[name]!))));
        const actual = tf.grads(g)(
          used.map((name) => tensor(arrays[name]!)),
          tensor(cotangents),
        );
        used.forEach((name, n) => {
          const gradient = actual[n]!.dataSync();
          const size = Math.max(1, ...expected[name]!.map(Math.abs));
          expect(distance(gradient, expected[name]!), name).toBeLessThanOrEqual(2e-6 * size);
          expect(
            gradient.some((x) => x !== 0),
            name,
          ).toBe(true);
        });
      });
    },
  );

  it("the tensor gradients agree with differences of the tensors themselves", () => {
    const subject = SUBJECTS.find(({ name }) => name === "additive")!;
    tf.tidy(() => {
      const small = inputs(subject, { B: 1, T: 2, S: 3, Dq: 2, Dk: 5 });
      const tensors = Object.fromEntries(
        Object.entries(small).map(([name, a]) => [name, tf.mul(tensor(a), 0.3)]),
      );
      expect(() => gradcheckTensors((x) => run(subject, x), tensors)).not.toThrow();
    });
  });

  it("the general score with W = I is the dot score", () => {
    tf.tidy(() => {
      const queries = tensor<tf.Tensor3D>(random(1, [2, 3, 7]));
      const keys = tensor<tf.Tensor3D>(random(2, [2, 5, 7]));
      const general = generalScore({ w: tf.eye(7) });
      const scores = general.score(queries, general.prepare(keys)).dataSync();
      expect(distance(scores, dotScore().score(queries, keys).dataSync())).toBeLessThanOrEqual(1e-6 * 7);
    });
  });

  it("the concat score is the additive score with W₂ above W₁", () => {
    tf.tidy(() => {
      const queries = tensor<tf.Tensor3D>(random(1, [2, 3, 7]));
      const keys = tensor<tf.Tensor3D>(random(2, [2, 5, 11]));
      const w1 = tensor<tf.Tensor2D>(random(3, [11, A]));
      const w2 = tensor<tf.Tensor2D>(random(4, [7, A]));
      const v = tensor<tf.Tensor1D>(random(5, [A]));
      const concat = concatScore({ w: tf.concat([w2, w1]), v });
      const additive = additiveScore({ w1, w2, v });
      const scores = concat.score(queries, concat.prepare(keys)).dataSync();
      expect(scores).toEqual(additive.score(queries, additive.prepare(keys)).dataSync());
    });
  });

  it("the scaled dot score of unit-normal vectors has variance 1, and honours scale 0 and 1", () => {
    tf.tidy(() => {
      const D = 67;
      const queries = tensor<tf.Tensor3D>(random(1, [1, 101, D]));
      const keys = tensor<tf.Tensor3D>(random(2, [1, 103, D]));
      const scores = scaledDotScore().score(queries, keys).dataSync<"float32">();
      const variance = scores.reduce((sum, s) => sum + s * s, 0) / scores.length;
      // Over n queries and keys the mean of s² has variance 4/(nD) + 2/n²; 0.15 is five standard errors.
      expect(Math.abs(variance - 1)).toBeLessThan(0.15);
      expect(
        scaledDotScore({ scale: 0 })
          .score(queries, keys)
          .dataSync()
          .every((s) => s === 0),
      ).toBe(true);
      const unscaled = scaledDotScore({ scale: 1 }).score(queries, keys).dataSync();
      expect(unscaled).toEqual(dotScore().score(queries, keys).dataSync());
    });
  });

  it("the additive score multiplies W₁ with the keys once a source, in prepare", () => {
    tf.tidy(() => {
      const keys = tensor<tf.Tensor3D>(random(2, [2, 5, 11]));
      const queries = tensor<tf.Tensor3D>(random(1, [2, 3, 7]));
      const parameters = {
        w1: tensor(random(3, [11, A])),
        w2: tensor(random(4, [7, A])),
        v: tensor(random(5, [A])),
      };
      const score = additiveScore(parameters as unknown as Parameters<typeof additiveScore>[0]);
      const prepared = score.prepare(keys);
      expect(prepared.shape).toEqual([2, 5, A]);
      parameters.w1.dispose(); // no step needs it again
      expect(score.score(queries, prepared).shape).toEqual([2, 3, 5]);
    });
  });

  it("the concat score takes keys of each width that it prepared, in any order", () => {
    tf.tidy(() => {
      const score = concatScore({ w: tf.ones([18, 3]), v: tf.ones([3]) });
      const [narrow, wide] = [score.prepare(tf.ones([1, 2, 5])), score.prepare(tf.ones([1, 2, 11]))];
      expect(score.score(tf.ones([1, 3, 13]), narrow).shape).toEqual([1, 3, 2]);
      expect(score.score(tf.ones([1, 3, 7]), wide).shape).toEqual([1, 3, 2]);
    });
  });

  const wrong: [string, () => unknown, string][] = [
    [
      "dot products of different widths",
      () => dotScore().score(tf.zeros([2, 3, 7]), tf.zeros([2, 5, 11])),
      "dotScore: queries [B, T, D] and keys [B, S, D] must have the same width D, got shapes [2, 3, 7] and [2, 5, 11]; use generalScore or additiveScore, which take different widths",
    ],
    [
      "scaled dot products of different widths",
      () => scaledDotScore().score(tf.zeros([2, 3, 7]), tf.zeros([2, 5, 11])),
      "scaledDotScore: queries [B, T, D] and keys [B, S, D] must have the same width D, got shapes [2, 3, 7] and [2, 5, 11]; use generalScore or additiveScore, which take different widths",
    ],
    [
      "cosine scores of different widths",
      () => {
        const score = cosineScore();
        return score.score(tf.zeros([2, 3, 7]), score.prepare(tf.ones([2, 5, 11])));
      },
      "cosineScore: queries [B, T, D] and keys [B, S, D] must have the same width D, got shapes [2, 3, 7] and [2, 5, 11]; use generalScore or additiveScore, which take different widths",
    ],
    [
      "l2 scores of different widths",
      () => {
        const score = l2Score();
        return score.score(tf.zeros([2, 3, 7]), score.prepare(tf.ones([2, 5, 11])));
      },
      "l2Score: queries [B, T, D] and keys [B, S, D] must have the same width D, got shapes [2, 3, 7] and [2, 5, 11]; use generalScore or additiveScore, which take different widths",
    ],
    [
      "a scale of the cosine for other queries",
      () => {
        const score = cosineScore({ scale: tf.ones([2, 5, 1]) });
        return score.score(tf.zeros([2, 3, 7]), score.prepare(tf.ones([2, 5, 7])));
      },
      "cosineScore: scale must have shape [B, T, 1] = [2, 3, 1], where any length may be 1, got [2, 5, 1]; reshape it so that every axis is named",
    ],
    [
      "keys that W does not fit",
      () => generalScore({ w: tf.zeros([7, 13]) }).prepare(tf.zeros([2, 5, 11])),
      "generalScore: w [Dq, Dk] must have shape [7, 11] here, got [7, 13]; build the score for these widths",
    ],
    [
      "queries that W does not fit",
      () => generalScore({ w: tf.zeros([7, 11]) }).score(tf.zeros([2, 3, 5]), tf.zeros([2, 5, 7])),
      "generalScore: w [Dq, Dk] must have shape [5, 11] here, got [7, 11]; build the score for these widths",
    ],
    [
      "a bias of another width",
      () =>
        additiveScore({ w1: tf.zeros([11, 3]), w2: tf.zeros([7, 3]), v: tf.zeros([3]), b: tf.zeros([2]) }),
      "additiveScore: b [A] must have shape [3] here, got [2]; build the score for these widths",
    ],
    [
      "a W of concat with a row too many",
      () => {
        const score = concatScore({ w: tf.zeros([19, 3]), v: tf.zeros([3]) });
        return score.score(tf.zeros([2, 3, 7]), score.prepare(tf.zeros([2, 5, 11])));
      },
      "concatScore: w [Dq + Dk, A] must have shape [18, 3] here, got [19, 3]; build the score for these widths",
    ],
    [
      "keys that another concat score prepared for other widths",
      () => {
        const keys = concatScore({ w: tf.zeros([13, 3]), v: tf.zeros([3]) }).prepare(tf.zeros([2, 5, 6]));
        const score = concatScore({ w: tf.zeros([18, 3]), v: tf.zeros([3]) });
        score.prepare(tf.zeros([2, 5, 11]));
        return score.score(tf.zeros([2, 3, 7]), keys);
      },
      "concatScore: w [Dq + Dk, A] must have shape [13, 3] here, got [18, 3]; build the score for these widths",
    ],
    [
      "keys that were prepared with another number of hidden units",
      () =>
        concatScore({ w: tf.zeros([18, 3]), v: tf.zeros([3]) }).score(
          tf.zeros([2, 3, 7]),
          tf.zeros([2, 5, 4]),
        ),
      "concatScore: prepared [B, S, A] must have shape [2, 5, 3] here, got [2, 5, 4]; build the score for these widths",
    ],
    [
      "a source longer than the location score knows",
      () => locationScore({ w: tf.zeros([7, 4]) }).score(tf.zeros([2, 3, 7]), tf.zeros([2, 5, 7])),
      "locationScore: S=5 keys must not exceed the Smax=4 columns of w [Dq, Smax], got 1 more; build w for the longest source, or cut the source",
    ],
  ];
  it.each(wrong)("refuses %s", (_, call, message) => {
    const attempt = () => {
      tf.engine().startScope();
      try {
        call();
      } finally {
        tf.engine().endScope();
      }
    };
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
