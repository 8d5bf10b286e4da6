/** Calls of the op beside the float64 reference. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { learnedTensors } from "../../src/core/expression/modification.ts";
import type { ModifiedOptions } from "../../src/core/modified-program.ts";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import { RowLayout, relayout } from "../../src/kernels/layout.ts";
import { type AttentionOptions, attention } from "../../src/ops/index.ts";
import {
  type Arrays,
  type Case,
  firstDifference,
  floats,
  holes,
  runReference,
  tolerances,
} from "../kernels/cases.ts";
import { useBuild } from "../support/kernel-build.ts";

export type HostOptions = ModifiedOptions<HostArray>;
export type Order = "bhtd" | "bthd";

export const SHAPES: AttentionShapes = { B: 2, T: 5, S: 7, H: 6, Hkv: 3, D: 11, Dv: 13 };
export const [B, T, S, H] = [SHAPES.B, SHAPES.T, SHAPES.S, SHAPES.H];

export const BACKENDS: [string, () => Promise<unknown>][] = [
  ["cpu", () => tf.setBackend("cpu")],
  ["wasm", () => tf.setBackend("wasm")],
  ["heed", () => useBuild("relaxed")],
  ["heed, plain build", () => useBuild("plain")],
];

export const OPTIONS: [string, HostOptions][] = [
  ["nothing", {}],
  ["scale 0", { scale: 0 }],
  ["allow with an empty row", { allow: holes(20, [B, 1, T, S], true) }],
  ["a bias for every example", { bias: floats(21, [B, 1, T, S]) }],
  ["a bias of two axes and one for all keys", { bias: floats(22, [T, 1]) }],
  ["a bias of −∞", { bias: { ...floats(23, [1, S]), values: floats(23, [S]).values.fill(-Infinity, 2, 4) } }],
  ["causality from the top left", { causal: "topLeft" }],
  ["causality from the bottom right, with padding", { causal: "bottomRight", keyLengths: [3, 7] }],
  ["a window beyond the keys", { window: { left: 1, right: 0 }, queryOffset: 4 }],
  ["lengths, two of them 0", { keyLengths: [0, 5], queryLengths: [5, 0] }],
  ["a soft-cap", { softCap: 1.5 }],
  ["one sink", { sink: 0.3, keyLengths: [0, 5] }],
  ["a sink per head, padded queries", { sink: floats(24, [H]), causal: "topLeft", queryLengths: [2, 5] }],
  ["dropout", { dropout: { rate: 0.3, seed: 7 }, training: true }],
  ["uniform empty rows", { allow: holes(25, [1, H, T, S], true), onEmptyRow: "uniform", keyLengths: [6, 5] }],
  [
    "uniform empty rows, a sink and padded queries",
    { allow: holes(26, [T, S], true), onEmptyRow: "uniform", sink: floats(27, [H]), queryLengths: [4, 5] },
  ],
  [
    "everything at once",
    {
      ...{ scale: 0.4, allow: holes(28, [T, S], true), bias: floats(29, [1, H, T, S]) },
      ...{ causal: true, queryOffset: 3, window: { left: 4 }, softCap: 2, sink: floats(30, [H]) },
      ...{ queryLengths: [4, 5], keyLengths: [7, 6], dropout: { rate: 0.2, seed: 11 }, training: true },
    },
  ],
];

export function tensor({ shape, dtype, values }: HostArray): tf.Tensor {
  const kinds = { bool: Uint8Array, int32: Int32Array, float32: Float32Array };
  return tf.tensor(kinds[dtype as "bool"].from(values), [...shape], dtype as "bool");
}

const LETTERS = {
  q: ["H", "T", "D"],
  k: ["Hkv", "S", "D"],
  v: ["Hkv", "S", "Dv"],
  out: ["H", "T", "Dv"],
} as const;

/** Moves q, k, v or output between the orders of axes. */
export function reorder(
  x: Float32Array,
  name: keyof typeof LETTERS,
  shapes: AttentionShapes,
  [from, to]: [Order, Order],
): { shape: number[]; values: Float32Array } {
  const [heads, rows, width] = LETTERS[name].map((letter) => shapes[letter]) as [number, number, number];
  const layout = (order: Order) => new RowLayout(order, heads, rows);
  const values = relayout(layout(from), layout(to), x, { B: shapes.B, valid: () => rows, width });
  return { shape: to === "bhtd" ? [shapes.B, heads, rows, width] : [shapes.B, rows, heads, width], values };
}

/** Values and gradients of the op, named and ordered as the reference's. */
export function runOp(c: Case, options: HostOptions, layout: Order): Arrays {
  const { shapes } = c.program;
  return tf.tidy(() => {
    const place = (name: "q" | "k" | "v") => {
      const { shape, values } = reorder(c[name], name, shapes, ["bhtd", layout]);
      return tf.tensor(values, shape);
    };
    const { allow, bias, sink, tensors = {}, ...rest } = options;
    const names = learnedTensors(c.program.modification);
    const all = Object.entries(tensors).map(([name, x]) => [name, tensor(x)] as const);
    const captured = (isLearned: boolean) =>
      Object.fromEntries(all.filter(([name]) => names.includes(name) === isLearned));
    const learned = {
      ...(bias && { bias: tensor(bias) }),
      ...(typeof sink === "object" && { sink: tensor(sink) }),
      ...Object.fromEntries(Object.entries(captured(true)).map(([name, x]) => [`tensors.${name}`, x])),
    };
    const fixed = {
      ...rest,
      layout,
      ...(allow && { allow: tensor(allow) }),
      ...(sink !== undefined && { sink }),
    };
    const call = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, given: Record<string, tf.Tensor>) =>
      attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
        ...(fixed as AttentionOptions),
        ...Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith("tensors."))),
        ...(all.length > 0 && {
          tensors: {
            ...captured(false),
            ...Object.fromEntries(names.map((name) => [name, given[`tensors.${name}`]!])),
          },
        }),
        weights: true,
        lse: true,
      });
    const [q, k, v] = [place("q"), place("k"), place("v")];
    const { output, weights, lse } = call(q, k, v, learned);
    const dout = reorder(c.dout, "out", shapes, ["bhtd", layout]);
    const loss = (...x: tf.Tensor[]) => {
      const given = Object.fromEntries(Object.keys(learned).map((name, n) => [name, x[3 + n]!]));
      const result = call(x[0]!, x[1]!, x[2]!, given);
      // By customGrad, so that dout may hold NaN where nobody looks.
      const weigh = (y: tf.Tensor, dy: Float32Array) =>
        tf.customGrad((z) => ({ value: tf.sum(z as tf.Tensor), gradFunc: () => tf.tensor(dy, y.shape) }))(y);
      return tf.add(weigh(result.output, dout.values), weigh(result.lse, c.dlse));
    };
    const gradients = tf
      .grads(loss)([q, k, v, ...Object.values(learned)])
      .map((x) => x.dataSync() as Float32Array);
    const heads = (x: tf.TypedArray, name: "q" | "k" | "v" | "out") =>
      reorder(x as Float32Array, name, shapes, [layout, "bhtd"]).values;
    return {
      output: heads(output.dataSync(), "out"),
      weights: weights.dataSync() as Float32Array,
      lse: lse.dataSync() as Float32Array,
      dq: heads(gradients[0]!, "q"),
      dk: heads(gradients[1]!, "k"),
      dv: heads(gradients[2]!, "v"),
      ...Object.fromEntries(Object.keys(learned).map((name, n) => [`d${name}`, gradients[3 + n]!])),
    };
  });
}

export function expectReference(given: Case, options: HostOptions, layout: Order): void {
  // Of TensorFlow.js ops, the gradient of v is a product over all of dout, so that must be finite everywhere.
  const finite = given.dout.map((x) => (Number.isNaN(x) ? 0 : x));
  const c = tf.getBackend() === "wasm" ? { ...given, dout: finite } : given;
  const all = runReference(c);
  const { dsink: _, ...others } = all;
  const wanted = typeof options.sink === "object" ? all : others;
  expect(firstDifference(runOp(c, options, layout), wanted, tolerances(c, all))).toBe("");
}

export function inputs(shapes = SHAPES): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const { B, H, Hkv, T, S, D, Dv } = shapes;
  return [
    tensor(floats(1, [B, H, T, D])),
    tensor(floats(2, [B, Hkv, S, D])),
    tensor(floats(3, [B, Hkv, S, Dv])),
  ] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
}

export const read = (x: tf.Tensor) => Array.from(x.dataSync());
export const largest = (x: ArrayLike<number>) => Math.max(...Array.from(x, Math.abs));
export const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, e) => (Object.is(x, b[e]) || x === b[e] ? 0 : Math.abs(x - b[e]!))));
