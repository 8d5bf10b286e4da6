/** One op on three kinds of backend: plain loops on cpu, TensorFlow.js ops on wasm, kernels on heed. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { type AttentionShapes, type HostArray, size } from "../../src/core/notation.ts";
import type { ProgramOptions } from "../../src/core/program.ts";
import { heapOf } from "../../src/host/heap.ts";
import { RowLayout, relayout } from "../../src/kernels/layout.ts";
import { referenceAttentionGradients } from "../../src/kernels/reference.ts";
import { type AttentionOptions, attention } from "../../src/ops/index.ts";
import {
  type Arrays,
  type Case,
  firstDifference,
  floats,
  holes,
  makeCase,
  normal,
  runReference,
  tolerances,
} from "../kernels/cases.ts";
import { useHeed } from "./both-ways.ts";

type HostOptions = ProgramOptions<HostArray>;
type Order = "bhtd" | "bthd";

const SHAPES: AttentionShapes = { B: 2, T: 5, S: 7, H: 6, Hkv: 3, D: 11, Dv: 13 };
const [B, T, S, H] = [SHAPES.B, SHAPES.T, SHAPES.S, SHAPES.H];

const BACKENDS: [string, () => Promise<unknown>][] = [
  ["cpu", () => tf.setBackend("cpu")],
  ["wasm", () => tf.setBackend("wasm")],
  ["heed", () => useHeed("relaxed")],
  ["heed, plain build", () => useHeed("plain")],
];

const OPTIONS: [string, HostOptions][] = [
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

function tensor({ shape, dtype, values }: HostArray): tf.Tensor {
  const data = dtype === "bool" ? Uint8Array.from(values) : Float32Array.from(values);
  return tf.tensor(data, [...shape], dtype as "bool");
}

const LETTERS = {
  q: ["H", "T", "D"],
  k: ["Hkv", "S", "D"],
  v: ["Hkv", "S", "Dv"],
  out: ["H", "T", "Dv"],
} as const;

/** Moves q, k, v or output between the orders of axes. */
function reorder(
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
function runOp(c: Case, options: HostOptions, layout: Order): Arrays {
  const { shapes } = c.program;
  return tf.tidy(() => {
    const place = (name: "q" | "k" | "v") => {
      const { shape, values } = reorder(c[name], name, shapes, ["bhtd", layout]);
      return tf.tensor(values, shape);
    };
    const { allow, bias, sink, ...rest } = options;
    const learned = {
      ...(bias && { bias: tensor(bias) }),
      ...(typeof sink === "object" && { sink: tensor(sink) }),
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
        ...given,
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

function expectReference(given: Case, options: HostOptions, layout: Order): void {
  // Of TensorFlow.js ops, the gradient of v is a product over all of dout, so that must be finite everywhere.
  const finite = given.dout.map((x) => (Number.isNaN(x) ? 0 : x));
  const c = tf.getBackend() === "wasm" ? { ...given, dout: finite } : given;
  const { dsink, ...expected } = runReference(c);
  const wanted = typeof options.sink === "object" ? { ...expected, dsink: dsink! } : expected;
  expect(firstDifference(runOp(c, options, layout), wanted, tolerances(c, runReference(c)))).toBe("");
}

function inputs(shapes = SHAPES): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const { B, H, Hkv, T, S, D, Dv } = shapes;
  return [
    tensor(floats(1, [B, H, T, D])),
    tensor(floats(2, [B, Hkv, S, D])),
    tensor(floats(3, [B, Hkv, S, Dv])),
  ] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
}

const read = (x: tf.Tensor) => Array.from(x.dataSync());
const largest = (x: ArrayLike<number>) => Math.max(...Array.from(x, Math.abs));
const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, e) => (Object.is(x, b[e]) || x === b[e] ? 0 : Math.abs(x - b[e]!))));

async function kernelsOf(f: () => tf.TensorContainer): Promise<string[]> {
  const { kernels } = await tf.profile(() => tf.tidy(() => f()) as tf.TensorContainer);
  return kernels.map(({ name }) => name).filter((name) => name.startsWith("HeedAttention"));
}

describe.each(BACKENDS)("attention on %s", (backend, use) => {
  beforeAll(async () => void (await use()));

  it.each(OPTIONS)(
    "equals the float64 reference with %s, in values and gradients, in both layouts",
    (_, options) => {
      const c = makeCase(SHAPES, options, 40);
      for (const layout of ["bhtd", "bthd"] as const) expectReference(c, options, layout);
    },
  );

  it.each([1, 6, 7])("equals the reference over several blocks of keys, T = %i", (T) => {
    const shapes = { B: 1, T, S: 101, H: 2, Hkv: 1, D: 17, Dv: 9 };
    for (const options of [{}, { causal: "bottomRight", keyLengths: [99] }] as HostOptions[]) {
      expectReference(makeCase(shapes, options, 50), options, "bthd");
    }
  });

  it("equals the reference on random option sets", () => {
    const maybe = <X>(x: fc.Arbitrary<X>) => fc.option(x, { nil: undefined });
    const sizes = fc.record({
      ...{
        B: fc.integer({ min: 1, max: 3 }),
        T: fc.integer({ min: 1, max: 9 }),
        S: fc.integer({ min: 1, max: 29 }),
      },
      ...{ groups: fc.integer({ min: 1, max: 3 }), Hkv: fc.integer({ min: 1, max: 2 }) },
      ...{ D: fc.integer({ min: 1, max: 19 }), Dv: fc.integer({ min: 1, max: 19 }) },
    });
    const program = fc.record({
      ...{
        causal: maybe(fc.constantFrom("topLeft" as const, "bottomRight" as const)),
        softCap: maybe(fc.constant(2)),
      },
      ...{
        padded: fc.boolean(),
        hidden: fc.boolean(),
        biased: fc.boolean(),
        sunk: fc.boolean(),
        seed: fc.nat(999),
      },
      layout: fc.constantFrom("bhtd" as const, "bthd" as const),
    });
    const property = fc.property(sizes, program, ({ groups, ...rest }, p) => {
      const shapes = { ...rest, H: groups * rest.Hkv };
      const { B, T, S, H } = shapes;
      const options: HostOptions = {
        ...(p.causal && { causal: p.causal }),
        ...(p.softCap && { softCap: p.softCap }),
        ...(p.padded && {
          keyLengths: Array.from({ length: B }, (_, b) => (p.seed + 7 * b) % (S + 1)),
          queryLengths: Array.from({ length: B }, (_, b) => (p.seed + 3 * b) % (T + 1)),
        }),
        ...(p.hidden && { allow: holes(p.seed, [B, 1, T, S]) }),
        ...(p.biased && { bias: floats(p.seed, [H, T, S].length === 3 ? [1, H, 1, S] : []) }),
        ...(p.sunk && { sink: floats(p.seed, [H]) }),
      };
      expectReference(makeCase(shapes, options, 2000 + p.seed), options, p.layout);
    });
    fc.assert(property, { numRuns: 25, seed: 5 });
  });

  it("has exact gradients through the weights, beside those through output and lse", () => {
    // Σ dweights·weights is the gradient of an attention with Dv more values: identity rows, that copy the weights out.
    for (const options of [
      {},
      { softCap: 1.5, bias: floats(31, [T, S]), keyLengths: [4, 7], causal: "bottomRight" },
      { sink: floats(32, [H]), allow: holes(33, [B, H, T, S], true), queryLengths: [5, 3] },
      { sink: floats(34, [H]), allow: holes(35, [T, S], true), onEmptyRow: "uniform" },
    ] as HostOptions[]) {
      for (const layout of ["bhtd", "bthd"] as const) expectWeightsGradients(options, layout);
    }
  });

  it("gives the same bits whether or not weights and lse are asked for", () => {
    tf.tidy(() => {
      const x = inputs();
      const plain = attention(...x, { causal: "topLeft" });
      expect(Object.keys(plain)).toEqual(["output"]);
      const all = attention(...x, { causal: "topLeft", weights: true, lse: true });
      expect(read(all.output)).toEqual(read(plain.output));
      expect([all.output.shape, all.weights.shape, all.lse.shape]).toEqual([
        [B, H, T, SHAPES.Dv],
        [B, H, T, S],
        [B, H, T],
      ]);
    });
  });

  it("takes one tensor as q, k and v, and variables", () => {
    tf.tidy(() => {
      const x = tensor(floats(4, [1, 2, 5, 7])) as tf.Tensor4D;
      const [dq, dk, dv] = tf.grads(
        (q, k, v) => attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D).output,
      )([x, tf.clone(x), tf.clone(x)]);
      const expected = read(tf.addN([dq!, dk!, dv!]));
      const one = tf.grad((y) => attention(y as tf.Tensor4D, y as tf.Tensor4D, y as tf.Tensor4D).output)(x);
      expect(far(read(one), expected)).toBeLessThanOrEqual(2e-6 * largest(expected));
      const variable = tf.variable(x);
      const loss = () => tf.sum(attention(variable, variable, variable).output) as tf.Scalar;
      const { grads } = tf.variableGrads(loss, [variable as tf.Variable]);
      expect(far(read(Object.values(grads)[0]!), expected)).toBeLessThanOrEqual(2e-6 * largest(expected));
      variable.dispose();
    });
  });

  it("differentiates through a mask that was made of its own input, without a gradient of the mask", () => {
    tf.tidy(() => {
      const [q, k, v] = inputs({ ...SHAPES, H: 3 });
      const f = (x: tf.Tensor, allow?: tf.Tensor) =>
        attention(q, k, x as tf.Tensor4D, {
          allow: allow ?? tf.reshape(tf.greater(tf.slice(x, [0, 0, 0, 0], [1, 1, 1, S]), 0), [1, S]),
        }).output;
      const allow = tf.reshape(tf.greater(tf.slice(v, [0, 0, 0, 0], [1, 1, 1, S]), 0), [1, S]);
      expect(read(tf.grad((x) => f(x))(v))).toEqual(read(tf.grad((x) => f(x, allow))(v)));
    });
  });

  it("takes integers for numbers", () => {
    tf.tidy(() => {
      const q = tf.tensor4d([1, 2], [1, 1, 1, 2], "int32");
      const k = tf.tensor4d([0, 0, 0, 0], [1, 1, 2, 2], "int32");
      expect(read(attention(q, k, tf.tensor4d([4, 8], [1, 1, 2, 1], "int32")).output)).toEqual([6]);
    });
  });

  // What the stock wasm backend's product over no keys gives is left to chance.
  it.skipIf(backend === "wasm")("gives nothing of nothing: no queries, no keys, no examples", () => {
    tf.tidy(() => {
      for (const empty of [{ T: 0 }, { S: 0 }, { B: 0 }]) {
        const shapes = { ...SHAPES, ...empty };
        const x = inputs(shapes);
        const { output, lse, weights } = attention(...x, { lse: true, weights: true });
        expect([output.size, lse.size, weights.size]).toEqual([
          size([shapes.B, H, shapes.T, SHAPES.Dv]),
          size([shapes.B, H, shapes.T]),
          size([shapes.B, H, shapes.T, shapes.S]),
        ]);
        expect(read(output).every((y) => y === 0)).toBe(true);
        expect(read(lse).every((y) => y === Number.NEGATIVE_INFINITY)).toBe(true);
      }
    });
  });

  it("leaves no tensor behind, forward, backward and when it fails half-way", () => {
    const x = inputs();
    const bias = tensor(floats(5, [1, H, T, S]));
    const sink = tensor(floats(6, [H])) as tf.Tensor1D;
    const allow = tensor(holes(7, [T, S], true));
    const round = () => {
      tf.tidy(() => {
        attention(...x, { bias, sink, allow, onEmptyRow: "uniform", weights: true, lse: true });
        const loss = (...y: tf.Tensor[]) => {
          const [q, k, v, b, s] = y as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor, tf.Tensor];
          const { output, weights } = attention(q, k, v, { bias: b, sink: s, allow, weights: true });
          return tf.add(tf.sum(output), tf.sum(tf.square(weights)));
        };
        tf.grads(loss)([...x, bias, sink]);
        expect(() => attention(...x, { allow, onEmptyRow: "error" })).toThrow(OptionError);
      });
    };
    const held = () => tf.memory().numTensors + tf.engine().backend.numDataIds();
    round();
    const before = held();
    for (let n = 0; n < 50; n++) round();
    expect(held()).toBe(before);
    tf.dispose([...x, bias, sink, allow]);
  });

  it("refuses gradients of gradients in a sentence of ours", () => {
    tf.tidy(() => {
      const [q, k, v] = inputs();
      const loss = (x: tf.Tensor) => tf.sum(tf.square(attention(x as tf.Tensor4D, k, v).output));
      const twice = () => tf.grad((x) => tf.sum(tf.square(tf.grad(loss)(x))))(q);
      expect(twice).toThrow(OptionError);
      expect(twice).toThrow(
        "attention: gradients of gradients are not available, got a request for one; compose that op of elementary ones of TensorFlow.js",
      );
    });
  });

  const refused: [
    string,
    typeof ShapeError | typeof OptionError,
    (x: ReturnType<typeof inputs>) => unknown,
    string,
  ][] = [
    [
      "another order of axes",
      OptionError,
      (x) => attention(...x, { layout: "thd" as "bhtd" }),
      'attention: layout must be "bhtd" or "bthd", got thd; choose one of them',
    ],
    [
      "positions where heads should be",
      ShapeError,
      (x) => attention(...x, { layout: "bthd" }),
      "attention: query heads H=5 must be a multiple of key/value heads Hkv=7, got 5 and 7; pass k and v with 1 or 5 heads",
    ],
    [
      "k and v of different lengths",
      ShapeError,
      ([q, k]) => attention(q, k, tf.zeros([2, 3, 6, 4])),
      "attention: k [B, Hkv, S, D] and v [B, Hkv, S, Dv] must have the same S, got shapes [2, 3, 7, 11] and [2, 3, 6, 4]; make their S equal",
    ],
    [
      "other widths, heads last",
      ShapeError,
      ([q]) => attention(q, tf.zeros([2, 4, 6, 3]), tf.zeros([2, 4, 6, 3]), { layout: "bthd" }),
      "attention: q [B, T, H, D] and k [B, S, Hkv, D] must have the same D, got shapes [2, 6, 5, 11] and [2, 4, 6, 3]; make their D equal",
    ],
    [
      "a mask of 0 and 1",
      OptionError,
      (x) => attention(...x, { allow: tf.ones([T, S]) }),
      "attention: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
    ],
    [
      "an empty row",
      OptionError,
      (x) => attention(...x, { keyLengths: [7, 0], onEmptyRow: "error" }),
      'attention: with onEmptyRow: "error" every query must see a key, got none for example 1, head 0, query 0; allow a key there, or use onEmptyRow: "zero" or "uniform"',
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    tf.tidy(() => {
      const x = inputs();
      expect(() => call(x)).toThrow(type);
      expect(() => call(x)).toThrow(expect.objectContaining({ message }));
    });
  });

  it("runs its kernels where there are some, and none for what is not asked", async () => {
    const x = inputs();
    const fused = backend !== "wasm";
    expect(await kernelsOf(() => attention(...x).output)).toEqual(fused ? ["HeedAttention"] : []);
    expect(await kernelsOf(() => attention(...x, { weights: true }).weights)).toEqual(
      fused ? ["HeedAttention", "HeedAttentionWeights"] : [],
    );
    const grad = () => tf.grad((q) => attention(q as tf.Tensor4D, x[1], x[2]).output)(x[0]);
    expect(await kernelsOf(grad)).toEqual(fused ? ["HeedAttention", "HeedAttentionGrad"] : []);
    tf.dispose(x);
  });

  function expectWeightsGradients(options: HostOptions, layout: Order): void {
    const { D, Dv, Hkv } = SHAPES;
    const wide = { ...SHAPES, Dv: Dv + S };
    const c = makeCase(SHAPES, { ...options, onEmptyRow: "zero" }, 60);
    const q = Float64Array.from(c.q, (x) => (Number.isNaN(x) ? 0 : x));
    const k = Float64Array.from(c.k, (x) => (Number.isNaN(x) ? 0 : x));
    const dweights = normal(61, B * H * T * S);
    const dout = Float64Array.from(c.dout, (x) => (Number.isNaN(x) ? 0 : x));
    const v = Float64Array.from(c.v, (x) => (Number.isNaN(x) ? 0 : x));
    // v and dout with S more columns.
    const widen = (x: Float64Array, more: (row: number, s: number) => number) =>
      Float64Array.from({ length: (x.length / Dv) * (Dv + S) }, (_, e) => {
        const [row, column] = [Math.floor(e / (Dv + S)), e % (Dv + S)];
        return column < Dv ? x[row * Dv + column]! : more(row, column - Dv);
      });
    const all = {
      q,
      k,
      v: widen(v, (row, s) => (row % S === s ? 1 : 0)),
    };
    const program = { ...c.program, shapes: wide, onEmptyRow: options.onEmptyRow ?? "zero" };
    const expected = referenceAttentionGradients(
      program,
      all,
      widen(dout, (row, s) => dweights[row * S + s]!),
      c.dlse,
    );
    const actual = tf.tidy(() => {
      const place = (x: Float64Array, name: "q" | "k" | "v" | "out") => {
        const moved = reorder(Float32Array.from(x), name, SHAPES, ["bhtd", layout]);
        return tf.tensor(moved.values, moved.shape);
      };
      const { allow, bias, sink, ...rest } = options;
      const names = ["bias", "sink"].filter((name) => typeof options[name as "bias"] === "object");
      const [DOUT, DLSE] = [place(dout, "out"), tf.tensor(c.dlse, [B, H, T])];
      const loss = (...x: tf.Tensor[]) => {
        const [q4, k4, v4, ...learned] = x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const given = Object.fromEntries(names.map((name, n) => [name, learned[n]]));
        const asked = {
          ...rest,
          ...(allow && { allow: tensor(allow) }),
          ...given,
          layout,
          weights: true,
          lse: true,
        };
        const result = attention(q4, k4, v4, asked as AttentionOptions & { weights: true; lse: true });
        const lse = tf.where(tf.isFinite(result.lse), result.lse, 0);
        const terms: [tf.Tensor, tf.Tensor][] = [
          [result.output, DOUT],
          [lse, DLSE],
          [result.weights, tf.tensor(dweights, [B, H, T, S])],
        ];
        return tf.addN(terms.map(([y, dy]) => tf.sum(tf.mul(y, dy))));
      };
      const learned = names.map((name) => tensor(options[name as "bias"]!));
      const grads = tf.grads(loss)([place(q, "q"), place(k, "k"), place(v, "v"), ...learned]);
      return grads.map((x) => x.dataSync() as Float32Array);
    });
    expect(actual.length).toBe(
      3 + ["bias", "sink"].filter((name) => typeof options[name as "bias"] === "object").length,
    );
    const back = (n: number, name: "q" | "k" | "v") =>
      reorder(actual[n]!, name, SHAPES, [layout, "bhtd"]).values;
    expect(far(back(0, "q"), expected.dq)).toBeLessThanOrEqual(1e-5 * largest(expected.dq));
    expect(far(back(1, "k"), expected.dk)).toBeLessThanOrEqual(1e-5 * largest(expected.dk));
    const own = expected.dv.filter((_, e) => e % (Dv + S) < Dv);
    expect(far(back(2, "v"), own)).toBeLessThanOrEqual(1e-5 * largest(own));
    expect(own.length).toBe(B * Hkv * S * Dv);
    expect(D).toBe(11);
    const learned = [expected.dbias && options.bias, typeof options.sink === "object"] as const;
    let n = 3;
    if (learned[0])
      expect(far(actual[n++]!, expected.dbias!)).toBeLessThanOrEqual(1e-5 * largest(expected.dbias!));
    if (learned[1])
      expect(far(actual[n]!, expected.dsink!)).toBeLessThanOrEqual(1e-5 * largest(expected.dsink!));
  }
});

describe("attention on heed", () => {
  beforeAll(async () => void (await useHeed("relaxed")));

  it("stays right when the heap grows between forward and backward", () => {
    tf.tidy(() => {
      const x = inputs();
      const plain = tf.grads(
        (q, k, v) => attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D).output,
      );
      const expected = plain(x).map(read);
      const { memory } = heapOf(tf.backend());
      const before = memory.buffer.byteLength;
      const grown = tf.grads((q, k, v) => {
        const { output } = attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D);
        tf.zeros([memory.buffer.byteLength / 4]);
        return output;
      });
      expect(grown(x).map(read)).toEqual(expected);
      expect(memory.buffer.byteLength).toBeGreaterThan(before);
    });
  });

  it("takes tensors that were made on the cpu backend, masks and sinks too", async () => {
    const options = { keyLengths: [7, 4] };
    const make = () => ({
      x: inputs(),
      more: {
        ...{
          allow: tensor(holes(8, [T, S])),
          bias: tensor(floats(9, [T, S])),
          sink: tensor(floats(10, [H])),
        },
        ...options,
      },
    });
    const here = make();
    const expected = read(attention(...here.x, here.more).output);
    await tf.setBackend("cpu");
    const there = make();
    await tf.setBackend("heed");
    const loss = (q: tf.Tensor) => attention(q as tf.Tensor4D, there.x[1], there.x[2], there.more).output;
    expect(read(attention(...there.x, there.more).output)).toEqual(expected);
    expect(read(tf.grad(loss)(there.x[0])).every(Number.isFinite)).toBe(true);
  });

  it("needs no more memory for longer sequences than their rows", () => {
    tf.tidy(() => {
      const N = 3001;
      const x = [1, 2, 3].map((seed) => tf.tensor4d(normal(seed, N * 3), [1, 1, N, 3])) as [
        tf.Tensor4D,
        tf.Tensor4D,
        tf.Tensor4D,
      ];
      const { memory } = heapOf(tf.backend());
      const before = memory.buffer.byteLength;
      tf.grads((q, k, v) => attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D).output)(x);
      // The scores would be 36 MB.
      expect(memory.buffer.byteLength - before).toBeLessThan(4 * N * N);
    });
  });
});
