import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import type { HostArray } from "../../src/core/notation.ts";
import { compileProgram, type ProgramOptions } from "../../src/core/program.ts";
import { isAllowed } from "../../src/core/program-rows.ts";
import { RandomStream } from "../../src/core/random.ts";
import { referenceAttention, referenceAttentionGradients } from "../../src/kernels/reference.ts";
import {
  referenceAdditiveAttention,
  referenceAdditiveGradients,
} from "../../src/kernels/reference-additive.ts";
import { gradcheck } from "../../src/testing/gradcheck.ts";
import { headOf } from "./additive-cases.ts";
import { holes } from "./cases.ts";

const SIZES = { B: 2, T: 3, S: 5, A: 7, Dv: 11 };
const { B, T, S, A, Dv } = SIZES;

const normal = (seed: number, n: number) => new RandomStream(seed).fillNormal(new Float64Array(n));
const compile = (options: ProgramOptions<HostArray>) =>
  compileProgram<HostArray>("test", headOf(SIZES), { ...options, scale: 1 });

function inputs() {
  return {
    query: normal(1, B * T * A),
    key: normal(2, B * S * A),
    v: normal(3, A),
    value: normal(4, B * S * Dv),
  };
}

const cotangents = { dout: normal(5, B * T * Dv), dlse: normal(6, B * T), dweights: normal(7, B * T * S) };

function biasOf(shape: number[]): HostArray & { values: Float64Array } {
  return {
    shape,
    dtype: "float64",
    values: normal(
      8,
      shape.reduce((n, m) => n * m, 1),
    ),
  };
}

const OPTIONS: [string, ProgramOptions<HostArray>][] = [
  ["nothing", {}],
  ["allow with an empty row", { allow: holes(1, [T, S], true) }],
  ["a bias", { bias: biasOf([B, 1, T, S]) }],
  ["a bias for every query alike", { bias: biasOf([1, S]) }],
  ["causality from the bottom right", { causal: "bottomRight" }],
  ["a window", { window: { left: 1, right: 1 }, queryOffset: 2 }],
  ["lengths, one of them 0", { keyLengths: [0, 4], queryLengths: [3, 2] }],
  ["a soft-cap", { softCap: 1.5 }],
  ["a sink", { sink: 0.3 }],
  ["dropout", { dropout: { rate: 0.3, seed: 7 }, training: true }],
  ["uniform empty rows", { allow: holes(1, [T, S], true), onEmptyRow: "uniform", keyLengths: [4, 5] }],
  [
    "everything at once",
    {
      ...{ allow: holes(2, [B, 1, T, S], true), bias: biasOf([T, S]), causal: true, queryOffset: 2 },
      ...{ window: { left: 3 }, queryLengths: [2, 3], keyLengths: [5, 4], softCap: 2, sink: -0.5 },
      ...{ dropout: { rate: 0.2, seed: 11 }, training: true },
    },
  ],
];

describe("referenceAdditiveAttention", () => {
  it("gives a case worked by hand", () => {
    // A = 1, v = 2, q = 0: scores 2 tanh 0 = 0 and 2 tanh(artanh(½ ln 3)) = ln 3, so weights ¼ and ¾, output 7, lse ln 4.
    const program = compileProgram<HostArray>("test", headOf({ B: 1, T: 1, S: 2, A: 1, Dv: 1 }), {
      scale: 1,
    });
    const key = [0, Math.atanh(Math.log(3) / 2)];
    const { output, weights, lse } = referenceAdditiveAttention(program, {
      query: [0],
      key,
      v: [2],
      value: [4, 8],
    });
    expect(weights[0]).toBeCloseTo(0.25, 14);
    expect(weights[1]).toBeCloseTo(0.75, 14);
    expect(output[0]).toBeCloseTo(7, 13);
    expect(lse[0]).toBeCloseTo(Math.log(4), 14);
  });

  it.each(OPTIONS)("with %s is softmax attention over its own scores", (_, options) => {
    // The scores as queries, unit vectors as keys: their dot products are the scores again.
    const program = compile(options);
    const x = inputs();
    const scores = new Float64Array(B * T * S);
    for (let at = 0; at < scores.length; at++) {
      const [b, i, j] = [Math.floor(at / (T * S)), Math.floor(at / S) % T, at % S];
      if (!isAllowed(program, b, 0, i, j)) continue;
      for (let a = 0; a < A; a++) {
        scores[at]! += x.v[a]! * Math.tanh(x.query[(b * T + i) * A + a]! + x.key[(b * S + j) * A + a]!);
      }
    }
    const units = Float64Array.from({ length: B * S * S }, (_, e) =>
      Math.floor(e / S) % S === e % S ? 1 : 0,
    );
    const shapes = { ...headOf(SIZES), D: S };
    const other = compileProgram<HostArray>("test", shapes, { ...options, scale: 1 });
    const equal = { q: scores, k: units, v: x.value };
    expect(referenceAdditiveAttention(program, x)).toEqual(referenceAttention(other, equal));
    const { dvalue, dbias } = referenceAdditiveGradients(program, x, cotangents);
    if (program.onEmptyRow === "uniform") return;
    const expected = referenceAttentionGradients(other, equal, cotangents.dout, cotangents.dlse);
    expect(dvalue).toEqual(expected.dv);
    const plain = referenceAdditiveGradients(program, x, { ...cotangents, dweights: undefined });
    // Products with unit vectors add zeros in another order.
    for (const [e, d] of expected.dbias?.entries() ?? []) expect(plain.dbias![e]).toBeCloseTo(d, 12);
    expect(dbias === undefined).toBe(program.bias === undefined);
  });

  it.each(OPTIONS)("with %s has gradients that equal central differences to 1e-6", (_, options) => {
    const program = compile(options);
    const bias = program.bias?.array.values as Float64Array | undefined;
    const x = {
      ...inputs(),
      ...(bias && { bias }),
      ...(options.sink !== undefined && { sink: Float64Array.of(0) }),
    };
    const shifted = (sink: Float64Array | undefined) =>
      sink ? { ...program, sink: (options.sink as number) + sink[0]! } : program;
    const loss = ({ sink, ...arrays }: Record<string, Float64Array>) => {
      const y = arrays as typeof x;
      const { output, lse, weights } = referenceAdditiveAttention(shifted(sink), y);
      const sum = (a: Float64Array, b: Float64Array) =>
        a.reduce((total, n, e) => total + (Number.isFinite(n) ? n * b[e]! : 0), 0);
      return sum(output, cotangents.dout) + sum(lse, cotangents.dlse) + sum(weights, cotangents.dweights);
    };
    const { dquery, dkey, dv, dvalue, dbias, dsink } = referenceAdditiveGradients(program, x, cotangents);
    const analytic = {
      ...{ query: dquery, key: dkey, v: dv, value: dvalue },
      ...(dbias && { bias: dbias }),
      ...(dsink && { sink: dsink }),
    };
    expect(gradcheck(loss, x, analytic).error).toBeLessThanOrEqual(1e-6);
  });

  it("reads nothing that is hidden, NaN included", () => {
    const program = compile({ keyLengths: [3, 4], queryLengths: [2, 3] });
    const [clean, dirty] = [inputs(), inputs()];
    for (let row = 0; row < B * S; row++) {
      if (row % S < [3, 4][Math.floor(row / S)]!) continue;
      dirty.key.fill(Number.NaN, row * A, (row + 1) * A);
      dirty.value.fill(Number.NaN, row * Dv, (row + 1) * Dv);
    }
    dirty.query.fill(Number.NaN, 2 * A, 3 * A);
    expect(referenceAdditiveAttention(program, dirty)).toEqual(referenceAdditiveAttention(program, clean));
    expect(referenceAdditiveGradients(program, dirty, cotangents)).toEqual(
      referenceAdditiveGradients(program, clean, cotangents),
    );
  });

  it("throws for an empty row where the program says so", () => {
    const program = compile({ keyLengths: [5, 0], onEmptyRow: "error" });
    expect(() => referenceAdditiveAttention(program, inputs())).toThrow(OptionError);
  });
});
