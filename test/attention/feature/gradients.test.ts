/** Every input and every parameter of every mechanism against central differences, and what a call leaves behind. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend, random, tensor } from "../support.ts";
import { call, type Flat, outputOf } from "./support.ts";

/** A parameter's shape, and its size where 0.3 would not do; `apart` keeps relus away from their corner. */
type Spec = number[] | { shape: number[]; scale?: number; apart?: number };

interface Mechanism {
  call: string;
  title?: string;
  inputs(shape: number[]): Record<string, Spec>;
  parameters(shape: number[]): Record<string, Spec>;
  options?: (shape: number[]) => object;
  shapes?: number[][];
}

/** [B, H, W, C], different primes, and a batch of one; what is a sequence takes [B, H, C]. */
const SHAPES = [
  [1, 5, 2, 3],
  [2, 3, 5, 7],
  [1, 2, 7, 5],
];

const image = ([B, H, W, C]: number[]): Record<string, Spec> => ({ x: [B!, H!, W!, C!] });
const sequence = ([B, H, , C]: number[]): Record<string, Spec> => ({ x: [B!, H!, C!] });
const [R, D, DV] = [3, 3, 2];
const bottleneck = (C: number): Record<string, Spec> => ({
  w1: { shape: [C, R], scale: 0.05 },
  b1: { shape: [R], apart: 3 },
  w2: [R, C],
  b2: [C],
});
const norm = (name: string, width: number): Record<string, Spec> => ({
  [`${name}.scale`]: [width],
  [`${name}.shift`]: [width],
});
const under = (name: string, specs: Record<string, Spec>) =>
  Object.fromEntries(Object.entries(specs).map(([key, spec]) => [`${name}.${key}`, spec]));
const filter = (size: number, I: number, O: number): Spec => ({ shape: [size, size, I, O], scale: 0.05 });
const map = (size: number): Record<string, Spec> => ({ w: filter(size, 2, 1), b: [1], ...norm("norm", 1) });
const embeddings = (C: number): Record<string, Spec> => ({
  wTheta: [C, D],
  bTheta: [D],
  wPhi: [C, D],
  bPhi: [D],
});
const values = (C: number): Record<string, Spec> => ({ wG: [C, DV], bG: [DV], wZ: [DV, C], bZ: [C] });

const MECHANISMS: Mechanism[] = [
  { call: "sigmoidGate", inputs: image, parameters: () => ({}) },
  { call: "learnableGate", inputs: image, parameters: ([, , , C]) => ({ w: [C!] }) },
  { call: "projectedGate", inputs: image, parameters: ([, , , C]) => ({ w: [C!, C!], b: [C!] }) },
  { call: "elementMlpGate", inputs: sequence, parameters: () => ({ w1: [D], b1: [D], w2: [D], b2: [1] }) },
  {
    call: "contextualGate",
    title: "a context an example",
    inputs: (s) => ({ ...sequence(s), context: [s[0]!, D] }),
    parameters: ([, , , C]) => ({ wx: [C!, C!], wc: [D, C!], b: [C!] }),
  },
  {
    call: "contextualGate",
    title: "a context a position",
    inputs: (s) => ({ ...sequence(s), context: [s[0]!, s[1]!, D] }),
    parameters: ([, , , C]) => ({ wc: [D, C!] }),
  },
  {
    call: "gatedPooling",
    title: "with hidden positions",
    inputs: ([B, H, , C]) => ({ x: [B!, H!, C!], gate: { shape: [B!, H!, 1], apart: 0 } }),
    parameters: () => ({}),
    options: ([B, H]) => ({
      allow: tf.tensor2d(
        Array.from({ length: B! * H! }, (_, e) => (e % 3 === 1 ? 0 : 1)),
        [B!, H!],
        "bool",
      ),
    }),
  },
  { call: "squeezeExcitation", inputs: image, parameters: ([, , , C]) => bottleneck(C!) },
  { call: "efficientChannelAttention", inputs: image, parameters: () => ({ w: [3] }) },
  { call: "channelAttention", inputs: image, parameters: ([, , , C]) => bottleneck(C!) },
  { call: "spatialAttention", inputs: image, parameters: () => map(3) },
  {
    call: "cbam",
    inputs: image,
    // Small weights and images leave the gates alike, so that the largest channel of a pixel stays the largest.
    shapes: [
      [1, 5, 2, 3],
      [1, 3, 5, 2],
      [1, 2, 3, 5],
    ],
    parameters: ([, , , C]) => ({
      ...under("channel", {
        ...bottleneck(C!),
        b1: { shape: [R], scale: 0.01, apart: 0.3 },
        w2: { shape: [R, C!], scale: 0.01 },
        b2: { shape: [C!], scale: 0.01 },
      }),
      ...under("spatial", map(5)),
    }),
  },
  {
    call: "bam",
    inputs: image,
    parameters: ([, , , C]) => ({
      ...under("channel", { ...bottleneck(C!), ...norm("norm", C!) }),
      ...under("spatial.reduce", { w: filter(1, C!, R), b: { shape: [R], apart: 1.5 } }),
      ...under("spatial.context.0", { w: filter(3, R, R), b: { shape: [R], apart: 2 } }),
      ...under("spatial.project", { w: filter(1, R, 1), b: [1], ...norm("norm", 1) }),
    }),
    options: () => ({ dilation: 2 }),
  },
  ...(["add", "scale"] as const).map((fusion) => ({
    call: "globalContext",
    title: fusion,
    inputs: image,
    parameters: ([, , , C]: number[]) => ({
      ...bottleneck(C!),
      wk: [C!],
      w1: [C!, R],
      gamma: { shape: [R], scale: 0.05 },
      beta: { shape: [R], apart: 1 },
    }),
    options: () => ({ fusion, epsilon: 0.5 }),
  })),
  {
    call: "selectiveKernel",
    inputs: image,
    parameters: ([, , , C]) => ({
      ...under("branches.0", { w: filter(3, C!, 2), b: { shape: [2], apart: 3 } }),
      ...under("branches.1", { w: filter(3, C!, 2), b: { shape: [2], apart: 3 } }),
      w1: { shape: [2, R], scale: 0.05 },
      b1: { shape: [R], apart: 3 },
      w2: [R, 4],
    }),
  },
  {
    call: "coordinateAttention",
    inputs: image,
    parameters: ([, , , C]) => ({
      // hswish has corners at −3 and 3.
      ...{ w1: { shape: [C!, R], scale: 0.1 }, b1: [R], ...norm("norm", R) },
      ...{ wh: [R, C!], bh: [C!], ww: [R, C!], bw: [C!] },
    }),
  },
  {
    call: "tripletAttention",
    inputs: image,
    parameters: () => ({ ...under("hw", map(3)), ...under("hc", map(3)), ...under("wc", map(3)) }),
  },
  {
    call: "nonLocal",
    title: "embedded Gaussian",
    inputs: image,
    parameters: ([, , , C]) => ({ ...embeddings(C!), ...values(C!), ...norm("norm", C!) }),
  },
  {
    call: "nonLocal",
    title: "Gaussian",
    inputs: image,
    parameters: ([, , , C]) => values(C!),
    options: () => ({ kind: "gaussian", scale: 0.3 }),
  },
  {
    call: "nonLocal",
    title: "dot",
    inputs: image,
    parameters: ([, , , C]) => ({ ...embeddings(C!), ...values(C!) }),
    options: () => ({ kind: "dot" }),
  },
  {
    call: "nonLocal",
    title: "concatenation",
    inputs: ([B, H, W, C]) => ({ x: { shape: [B!, H!, W!, C!], scale: 0.1 } }),
    // The sums of queries and keys stay on one side of the relu's corner.
    parameters: ([, , , C]) => ({
      ...{
        ...embeddings(C!),
        bTheta: { shape: [D], scale: 0.05, apart: 3 },
        wTheta: { shape: [C!, D], scale: 0.1 },
      },
      ...{
        ...values(C!),
        wPhi: { shape: [C!, D], scale: 0.1 },
        wF: { shape: [2 * D], scale: 0.05, apart: 1 },
      },
    }),
    options: () => ({ kind: "concatenation" }),
  },
  {
    call: "externalAttention",
    inputs: image,
    parameters: ([, , , C]) => ({ wq: [C!, D], mk: [11, D], mv: [11, DV], wo: [DV, 5], bo: [5] }),
  },
  ...(["width", "height"] as const).map((axis) => ({
    call: "axialAttention",
    title: axis,
    inputs: image,
    parameters: ([, , , C]: number[]) => ({
      ...{ wq: [C!, 2 * D], bq: [2 * D], wk: [C!, 2 * D], wv: [C!, 2 * DV], bv: [2 * DV] },
      ...{ wo: [2 * DV, 5], bo: [5] },
    }),
    options: () => ({ axis, heads: 2, causal: axis === "height" }),
  })),
  {
    call: "crissCrossAttention",
    inputs: image,
    parameters: ([, , , C]) => ({ wq: [C!, D], bq: [D], wk: [C!, D], wv: [C!, C!], bv: [C!], gamma: [] }),
  },
];

/** Numbers 0.15 apart in a random order, so that no step of a difference changes which is the largest. */
function distinct(seed: number, shape: number[]): tf.Tensor {
  const [examples, ...rest] = shape;
  const n = rest.reduce((a, b) => a * b, 1);
  const stream = new RandomStream(seed);
  const order = Array.from({ length: examples! }, () => {
    const ranks = Array.from({ length: n }, (_, e) => e);
    for (let e = n - 1; e > 0; e--) {
      const other = Math.floor(stream.uniform() * (e + 1));
      [ranks[e], ranks[other]] = [ranks[other]!, ranks[e]!];
    }
    return ranks.map((rank) => 0.15 * (rank - (n - 1) / 2));
  });
  return tf.tensor(order.flat(), shape);
}

const POOLS_MAXIMA = ["channelAttention", "spatialAttention", "cbam", "tripletAttention"];

function make({ call: name, inputs, parameters }: Mechanism, shape: number[]) {
  let seed = 1;
  const one = (spec: Spec): tf.Tensor => {
    const { shape, scale = 0.3, apart } = Array.isArray(spec) ? { shape: spec } : spec;
    const t = tf.mul(tensor(random(++seed, shape)), scale);
    if (apart === undefined) return t;
    if (apart === 0) return tf.add(tf.abs(t), 0.5);
    // Most units on, every third off: parameters behind those have no gradient from them, but from the others.
    const sides = Array.from({ length: t.size }, (_, e) => (e % 3 === 2 ? -apart : apart));
    return tf.add(t, tf.tensor(sides, shape));
  };
  const all = (specs: Record<string, Spec>): Flat =>
    Object.fromEntries(Object.entries(specs).map(([key, spec]) => [key, one(spec)]));
  const given = all(inputs(shape));
  if (POOLS_MAXIMA.includes(name)) given.x = distinct(7, given.x!.shape);
  else if (!("scale" in inputs(shape).x!)) given.x = tf.mul(given.x!, 3);
  return { inputs: given, parameters: all(parameters(shape)) };
}

const named = MECHANISMS.map((one) => [one.title ? `${one.call} (${one.title})` : one.call, one] as const);

onEveryBackend("gradients of features", () => {
  it.each(named)("%s agrees with central differences in every input and parameter", (_, one) => {
    // On cpu a call takes ten times as long: one shape there.
    const shapes = one.shapes ?? SHAPES;
    for (const shape of tf.getBackend() === "cpu" ? shapes.slice(0, 1) : shapes) {
      tf.tidy(() => {
        const { inputs, parameters } = make(one, shape);
        const f = outputOf(one.call, Object.keys(inputs), one.options?.(shape) ?? {});
        gradcheckTensors(f, { ...inputs, ...parameters }, 32);
      });
    }
  });

  it.each(named)("%s leaves its results and nothing else, and the given tensors alone", (_, one) => {
    tf.tidy(() => {
      const shape = SHAPES[1]!;
      const { inputs, parameters } = make(one, shape);
      const options = one.options?.(shape) ?? {};
      const before = tf.memory().numTensors;
      const results = call(one.call, inputs, parameters, options);
      const returned = Object.values(results).flatMap((r) =>
        r instanceof tf.Tensor ? [r] : Object.values(r),
      );
      expect(tf.memory().numTensors - before).toBe(returned.length);
      expect(results.output.dataSync().every(Number.isFinite)).toBe(true);
      for (const t of Object.values({ ...inputs, ...parameters })) expect(t.isDisposed).toBe(false);
    });
  });
});
