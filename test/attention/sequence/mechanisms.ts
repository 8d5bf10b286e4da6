/** Every sequence mechanism as a function of named tensors, for the tests that all of them must pass. */
import * as tf from "@tensorflow/tfjs-core";
import { generalScore } from "../../../src/attention/score/index.ts";
import * as sequence from "../../../src/attention/sequence/index.ts";
import type { AttentionOptions } from "../../../src/ops/index.ts";
import { random, tensor } from "../support.ts";

export interface Sizes {
  readonly [letter: string]: number;
  readonly B: number;
  readonly T: number;
  readonly S: number;
}

/** Three sets of sizes in which T, S, D and Dv are different primes; H is a multiple of Hkv. */
export const SIZES: readonly Sizes[] = [
  {
    B: 2,
    T: 3,
    S: 5,
    H: 2,
    Hkv: 1,
    D: 2,
    Dv: 7,
    C: 3,
    Ck: 2,
    Cout: 5,
    R: 3,
    Rq: 2,
    Dr: 2,
    A: 3,
    Hk: 2,
    Hv: 3,
  },
  {
    B: 1,
    T: 5,
    S: 2,
    H: 3,
    Hkv: 3,
    D: 3,
    Dv: 1,
    C: 2,
    Ck: 3,
    Cout: 1,
    R: 2,
    Rq: 3,
    Dr: 4,
    A: 2,
    Hk: 1,
    Hv: 2,
  },
  {
    B: 2,
    T: 2,
    S: 3,
    H: 2,
    Hkv: 2,
    D: 5,
    Dv: 1,
    C: 7,
    Ck: 1,
    Cout: 3,
    R: 1,
    Rq: 1,
    Dr: 2,
    A: 5,
    Hk: 3,
    Hv: 1,
  },
];

export type Tensors = Record<string, tf.Tensor>;
type Options = Pick<AttentionOptions, "keyLengths" | "queryLengths" | "weights">;
type Result = { output: tf.Tensor; weights?: tf.Tensor };

export interface Mechanism {
  readonly name: string;
  /** Shapes by name, in letters: inputs first, parameters after them. */
  readonly shapes: Record<string, string>;
  /** The axis of positions of each tensor that has one: of queries, of keys, or of one sequence that is both. */
  readonly queries?: Record<string, number>;
  readonly keys?: Record<string, number>;
  readonly both?: Record<string, number>;
  /** Runs; `T` is 1 where there is one query an example. */
  run(x: Record<string, never>, options: Options): Result;
  /** The attention kernels and products of one call, without gradients. */
  readonly kernels: readonly string[];
  /** Whether it leaves the plain loops of `cpu` for what stores less. @default false */
  readonly composedOnCpu?: boolean;
  /** What an empty row gives: 0, or what a named bias says. @default 0 */
  readonly emptyRow?: string;
  /** Size of the parameters, which keeps scores near 1. @default 0.5 */
  readonly spread?: number;
}

/** The latents with their norms, and the keys of positions between them. */
const LATENTS = ["HeedLinear", "HeedRmsNorm", "HeedLinear", "HeedLinear", "HeedRmsNorm"];
const LINEAR = ["HeedLinear", "HeedLinear", "HeedLinear", "HeedAttention", "HeedLinear"];
const HEADS = { q: "B H T D", k: "B Hkv S D", v: "B Hkv S Dv" };
const ROWS = { queries: { q: 2 }, keys: { k: 2, v: 2 } };
const BIASED = { bq: "H D", bk: "Hkv D", bv: "Hkv Dv", bo: "Cout" };

/** Rotates the first half against the second by position: enough of a position code for the tests. */
export function rotate(heads: tf.Tensor4D, start: number): tf.Tensor4D {
  return tf.tidy(() => {
    const [a, b] = tf.split(heads, 2, 3) as [tf.Tensor, tf.Tensor];
    const N = heads.shape[1];
    const angle = tf.mul(tf.reshape(tf.range(start, start + N), [1, N, 1, 1]), 0.7);
    const [c, s] = [tf.cos(angle), tf.sin(angle)];
    const turned = [tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(a, s), tf.mul(b, c))];
    return tf.concat(turned, 3) as tf.Tensor4D;
  });
}

export const MECHANISMS: readonly Mechanism[] = [
  {
    name: "multiHeadAttention",
    shapes: {
      query: "B T C",
      key: "B S Ck",
      value: "B S Dv",
      ...{ wq: "C H D", wk: "Ck Hkv D", wv: "Dv Hkv Dv", wo: "H Dv Cout" },
      ...BIASED,
    },
    queries: { query: 1 },
    keys: { key: 1, value: 1 },
    run: ({ query, key, value, ...parameters }, options) =>
      sequence.multiHeadAttention({ query, key, value }, parameters as never, options),
    kernels: LINEAR,
    emptyRow: "bo",
  },
  {
    name: "selfAttention",
    shapes: { x: "B T C", wq: "C H D", wk: "C Hkv D", wv: "C Hkv Dv", wo: "H Dv Cout", ...BIASED },
    both: { x: 1 },
    run: ({ x, ...parameters }, options) => sequence.selfAttention(x, parameters as never, options),
    kernels: LINEAR,
    emptyRow: "bo",
  },
  {
    name: "crossAttention",
    shapes: {
      x: "B T C",
      memory: "B S Ck",
      wq: "C H D",
      wk: "Ck Hkv D",
      wv: "Ck Hkv Dv",
      wo: "H Dv Cout",
      ...BIASED,
    },
    queries: { x: 1 },
    keys: { memory: 1 },
    run: ({ x, memory, ...parameters }, options) =>
      sequence.crossAttention(x, memory, parameters as never, options),
    kernels: LINEAR,
    emptyRow: "bo",
  },
  {
    name: "groupedQueryAttention",
    shapes: HEADS,
    ...ROWS,
    run: ({ q, k, v }, options) => sequence.groupedQueryAttention(q, k, v, options),
    kernels: ["HeedAttention"],
  },
  {
    name: "multiQueryAttention",
    shapes: { q: "B H T D", k: "B S D", v: "B S Dv" },
    queries: { q: 2 },
    keys: { k: 1, v: 1 },
    run: ({ q, k, v }, options) => sequence.multiQueryAttention(q, k, v, options),
    kernels: ["HeedAttention"],
  },
  {
    name: "localWindowAttention",
    shapes: HEADS,
    ...ROWS,
    run: ({ q, k, v }, options) =>
      sequence.localWindowAttention(q, k, v, { left: 1, right: 2, queryOffset: 0, ...options }),
    kernels: ["HeedAttention"],
  },
  {
    name: "softCapAttention",
    shapes: HEADS,
    ...ROWS,
    run: ({ q, k, v }, options) => sequence.softCapAttention(q, k, v, { softCap: 2, ...options }),
    kernels: ["HeedAttention"],
  },
  {
    name: "memoryEfficientAttention",
    shapes: HEADS,
    ...ROWS,
    run: ({ q, k, v }, options) =>
      sequence.memoryEfficientAttention(q, k, v, { ...options, queryChunkSize: 2, keyChunkSize: 3 }),
    kernels: ["HeedAttention"],
    composedOnCpu: true,
  },
  {
    name: "sinkAttention",
    shapes: { ...HEADS, sink: "H" },
    ...ROWS,
    run: ({ q, k, v, sink }, options) => sequence.sinkAttention(q, k, v, { sink }, options),
    kernels: ["HeedAttention"],
  },
  {
    name: "qkNormAttention",
    shapes: { ...HEADS, g: "H" },
    ...ROWS,
    run: ({ q, k, v, g }, options) => sequence.qkNormAttention(q, k, v, { g }, options),
    kernels: ["HeedAttention"],
  },
  {
    name: "qkLayerNormAttention",
    shapes: { ...HEADS, gammaQ: "D", gammaK: "D", betaQ: "D", betaK: "D" },
    ...ROWS,
    run: ({ q, k, v, ...parameters }, options) =>
      sequence.qkLayerNormAttention(q, k, v, parameters as never, { epsilon: 0.1, ...options }),
    kernels: ["HeedLayerNorm", "HeedLayerNorm", "HeedAttention"],
  },
  {
    name: "differentialAttention",
    shapes: {
      ...{ q1: "B H T D", q2: "B H T D", k1: "B Hkv S D", k2: "B Hkv S D", v: "B Hkv S Dv" },
      ...{ lambdaQ1: "D", lambdaK1: "D", lambdaQ2: "D", lambdaK2: "D", gamma: "Dv" },
    },
    queries: { q1: 2, q2: 2 },
    keys: { k1: 2, k2: 2, v: 2 },
    run: ({ q1, q2, k1, k2, v, ...parameters }, options) =>
      sequence.differentialAttention([q1, q2], [k1, k2], v, parameters as never, {
        epsilon: 0.3,
        ...options,
      }),
    kernels: ["HeedAttention", "HeedAttention", "HeedRmsNorm"],
  },
  {
    name: "talkingHeadsAttention",
    shapes: { q: "B Hk T D", k: "B Hk S D", v: "B Hv S Dv", pl: "Hk H", pw: "H Hv", bw: "Hv" },
    ...ROWS,
    run: ({ q, k, v, ...parameters }, options) =>
      sequence.talkingHeadsAttention(q, k, v, parameters as never, options),
    kernels: ["BatchMatMul", "BatchMatMul", "BatchMatMul", "BatchMatMul"],
  },
  {
    name: "multiHeadLatentAttention",
    shapes: {
      ...{ x: "B T C", wdkv: "C R", wuk: "R H D", wuv: "R H Dv", wdq: "C Rq", wuq: "Rq H D", wkr: "C Dr" },
      ...{ wqr: "Rq H Dr", wo: "H Dv Cout", gammaKv: "R", gammaQ: "Rq" },
    },
    both: { x: 1 },
    run: ({ x, ...parameters }, options) =>
      sequence.multiHeadLatentAttention(x, parameters as never, { rotate, epsilon: 0.3, ...options }),
    kernels: [...LATENTS, ...new Array(4).fill("HeedLinear"), "HeedAttention", "HeedLinear"],
  },
  {
    name: "multiHeadLatentAttention, absorbed",
    shapes: {
      ...{ x: "B T C", wdkv: "C R", wuk: "R H D", wuv: "R H Dv", wdq: "C Rq", wuq: "Rq H D", wkr: "C Dr" },
      ...{ wqr: "Rq H Dr", wo: "H Dv Cout", gammaKv: "R", gammaQ: "Rq" },
    },
    both: { x: 1 },
    run: ({ x, ...parameters }, options) => {
      const own = { rotate, epsilon: 0.3, absorbed: true, ...options };
      return sequence.multiHeadLatentAttention(x, parameters as never, own);
    },
    kernels: [
      ...LATENTS,
      ...new Array(2).fill("HeedLinear"),
      "BatchMatMul",
      "HeedAttention",
      "BatchMatMul",
      "HeedLinear",
    ],
  },
  {
    name: "patchAttention",
    shapes: {
      ...{ query: "B C", patches: "B S Ck", wq: "C D", wk: "Ck D", wv: "Ck Dv" },
      ...{ bq: "D", bk: "D", bv: "Dv" },
    },
    keys: { patches: 1 },
    run: ({ query, patches, ...parameters }, { queryLengths: _, ...options }) =>
      sequence.patchAttention(query, patches, parameters as never, options),
    kernels: ["HeedLinear", "HeedLinear", "HeedLinear", "HeedAttention"],
  },
  {
    name: "attentionPooling",
    shapes: { x: "B S C", query: "C" },
    keys: { x: 1 },
    run: ({ x, query }, { queryLengths: _, ...options }) => sequence.attentionPooling(x, { query }, options),
    kernels: ["HeedAttention"],
  },
  {
    name: "multiHeadPooling",
    shapes: {
      ...{ x: "B S Ck", seeds: "T C", wq: "C H D", wk: "Ck Hkv D", wv: "Ck Hkv Dv", wo: "H Dv Cout" },
      ...BIASED,
    },
    keys: { x: 1 },
    run: ({ x, ...parameters }, { queryLengths: _, ...options }) =>
      sequence.multiHeadPooling(x, parameters as never, options),
    kernels: LINEAR,
    emptyRow: "bo",
  },
  {
    name: "luongLocalAttention, local-m",
    shapes: { queries: "B T C", keys: "B S Ck", values: "B S Dv", w: "C Ck" },
    queries: { queries: 1 },
    keys: { keys: 1, values: 1 },
    run: ({ w, ...inputs }, { keyLengths, queryLengths, ...options }) =>
      sequence.luongLocalAttention(inputs as never, undefined, {
        ...{ radius: 2, score: generalScore({ w }), mask: { keyLengths, queryLengths } },
        ...options,
      }),
    kernels: ["BatchMatMul", "HeedAttention"],
  },
  ...[false, true].map(
    (renormalize): Mechanism => ({
      name: `luongLocalAttention, local-p${renormalize ? " renormalised" : ""}`,
      shapes: { queries: "B T C", keys: "B S Ck", values: "B S Dv", w: "C Ck", wp: "C A", vp: "A" },
      queries: { queries: 1 },
      keys: { keys: 1, values: 1 },
      run: ({ w, wp, vp, ...inputs }, { keyLengths, queryLengths, ...options }) =>
        sequence.luongLocalAttention(
          inputs as never,
          { wp, vp },
          {
            ...{ radius: 7, renormalize, score: generalScore({ w }), mask: { keyLengths, queryLengths } },
            ...options,
          },
        ),
      kernels: renormalize
        ? ["HeedLinear", "HeedLinear", "BatchMatMul", "HeedAttention"]
        : ["HeedLinear", "HeedLinear", "BatchMatMul", "BatchMatMul", "BatchMatMul"],
    }),
  ),
];

/** The tensors of a mechanism, normal numbers: inputs as they are, parameters spread less. */
export function tensorsOf({ shapes, queries, keys, both, spread = 0.5 }: Mechanism, sizes: Sizes): Tensors {
  const inputs = { ...queries, ...keys, ...both };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, letters], n) => {
      const { values, ...rest } = random(
        40 + n,
        letters.split(" ").map((letter) => sizes[letter]!),
      );
      const share = name in inputs ? 1 : spread;
      return [name, tensor({ ...rest, values: values.map((value) => value * share) })];
    }),
  );
}
