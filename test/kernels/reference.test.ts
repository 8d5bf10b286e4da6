import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import { compileProgram, type ProgramOptions } from "../../src/core/program.ts";
import { RandomStream } from "../../src/core/random.ts";
import { referenceAttention, referenceAttentionGradients } from "../../src/kernels/reference.ts";
import { gradcheck } from "../../src/testing/gradcheck.ts";

const SHAPES: AttentionShapes = { B: 2, T: 5, S: 7, H: 6, Hkv: 3, D: 11, Dv: 13 };

function random(seed: number, shape: readonly number[]): HostArray & { values: Float64Array } {
  const size = shape.reduce((n, m) => n * m, 1);
  return { shape, dtype: "float64", values: new RandomStream(seed).fillNormal(new Float64Array(size)) };
}

function inputs({ B, T, S, H, Hkv, D, Dv }: AttentionShapes) {
  return {
    q: random(1, [B, H, T, D]).values,
    k: random(2, [B, Hkv, S, D]).values,
    v: random(3, [B, Hkv, S, Dv]).values,
  };
}

function allow(shape: number[], hidden: (...index: number[]) => boolean): HostArray {
  const [H, T, S] = shape as [number, number, number];
  const values = Uint8Array.from({ length: H * T * S }, (_, e) =>
    hidden(Math.floor(e / (T * S)), Math.floor(e / S) % T, e % S) ? 0 : 1,
  );
  return { shape: [1, H, T, S], dtype: "bool", values };
}

/** Every option, alone and together; row 2 of the allow mask is empty. */
function everyOption(): [string, ProgramOptions<HostArray>][] {
  const { B, T, S, H } = SHAPES;
  const holes = allow([H, T, S], (h, i, j) => i === 2 || (h + i * j) % 3 === 1);
  const bias = random(4, [1, H, T, S]);
  return [
    ["nothing", {}],
    ["a scale", { scale: 0.7 }],
    ["allow with an empty row", { allow: holes }],
    ["a bias", { bias }],
    ["a bias for every example alike", { bias: random(5, [T, S]) }],
    ["causality from the top left", { causal: "topLeft" }],
    ["causality from the bottom right", { causal: "bottomRight" }],
    ["a window", { window: { left: 1, right: 2 }, queryOffset: 1 }],
    ["lengths, one of them 0", { keyLengths: [0, 5], queryLengths: [5, 3] }],
    ["a soft-cap", { softCap: 1.5 }],
    ["one sink", { sink: 0.3 }],
    ["a sink per head", { sink: random(6, [H]) }],
    ["dropout", { dropout: { rate: 0.3, seed: 7 }, training: true }],
    ["uniform empty rows", { allow: holes, onEmptyRow: "uniform", keyLengths: [6, 5] }],
    ["uniform empty rows beside sinks", { allow: holes, onEmptyRow: "uniform", sink: random(6, [H]) }],
    [
      "everything at once",
      {
        scale: 0.4,
        allow: holes,
        bias: random(8, [B, 1, T, S]),
        causal: true,
        queryOffset: 3,
        window: { left: 4 },
        queryLengths: [4, 5],
        keyLengths: [7, 6],
        softCap: 2,
        sink: random(9, [H]),
        dropout: { rate: 0.2, seed: 11 },
        training: true,
      },
    ],
  ];
}

describe("referenceAttention", () => {
  it("gives a case worked by hand", () => {
    // q = (1, 0), scale 1: scores 0 and ln 3, so weights ¼ and ¾ and output ¼·4 + ¾·8 = 7; lse = ln 4.
    const shapes = { B: 1, T: 1, S: 2, H: 1, Hkv: 1, D: 2, Dv: 1 };
    const program = compileProgram<HostArray>("test", shapes, { scale: 1 });
    const { output, weights, lse } = referenceAttention(program, {
      q: [1, 0],
      k: [0, 5, Math.log(3), 6],
      v: [4, 8],
    });
    expect(weights[0]).toBeCloseTo(0.25, 14);
    expect(weights[1]).toBeCloseTo(0.75, 14);
    expect(output[0]).toBeCloseTo(7, 13);
    expect(lse[0]).toBeCloseTo(Math.log(4), 14);
  });

  it("gives a row without keys 0 output, 0 weights, lse −∞ and 0 gradients", () => {
    const program = compileProgram<HostArray>("test", SHAPES, { keyLengths: [0, 7] });
    const x = inputs(SHAPES);
    const { output, weights, lse } = referenceAttention(program, x);
    const half = (a: Float64Array) => a.subarray(0, a.length / 2);
    expect(half(output).every((n) => n === 0)).toBe(true);
    expect(half(weights).every((n) => n === 0)).toBe(true);
    expect(half(lse).every((n) => n === -Infinity)).toBe(true);
    const dout = new Float64Array(output.length).fill(1);
    const { dq, dk, dv } = referenceAttentionGradients(
      program,
      x,
      dout,
      new Float64Array(lse.length).fill(1),
    );
    for (const d of [dq, dk, dv]) {
      expect(half(d).every((n) => n === 0)).toBe(true);
      expect(d.some((n) => n !== 0)).toBe(true);
    }
  });

  it("reads nothing that is hidden, NaN included", () => {
    const { B, Hkv, S, D, Dv } = SHAPES;
    const program = compileProgram<HostArray>("test", SHAPES, { keyLengths: [6, 4] });
    const clean = inputs(SHAPES);
    const dirty = inputs(SHAPES);
    for (let row = 0; row < B * Hkv * S; row++) {
      if (row % S < [6, 4][Math.floor(row / (Hkv * S))]!) continue;
      dirty.k.fill(Number.NaN, row * D, (row + 1) * D);
      dirty.v.fill(Number.NaN, row * Dv, (row + 1) * Dv);
    }
    expect(dirty.k.some(Number.isNaN)).toBe(true);
    expect(referenceAttention(program, dirty)).toEqual(referenceAttention(program, clean));
    const dout = new Float64Array((clean.q.length / D) * Dv).fill(1);
    expect(referenceAttentionGradients(program, dirty, dout)).toEqual(
      referenceAttentionGradients(program, clean, dout),
    );
  });

  it("reads nothing behind a bias of −∞, NaN included", () => {
    const { B, Hkv, T, S, D, Dv } = SHAPES;
    const values = random(4, [T, S]).values.map((b, e) => (e % S === 3 ? -Infinity : b));
    const program = compileProgram<HostArray>("test", SHAPES, {
      bias: { shape: [T, S], dtype: "float64", values },
    });
    const [clean, dirty] = [inputs(SHAPES), inputs(SHAPES)];
    for (let row = 3; row < B * Hkv * S; row += S) {
      dirty.k.fill(Number.NaN, row * D, (row + 1) * D);
      dirty.v.fill(Number.NaN, row * Dv, (row + 1) * Dv);
    }
    expect(dirty.k.some(Number.isNaN)).toBe(true);
    expect(referenceAttention(program, dirty)).toEqual(referenceAttention(program, clean));
    const dout = new Float64Array((clean.q.length / D) * Dv).fill(1);
    const gradients = referenceAttentionGradients(program, dirty, dout);
    expect(gradients).toEqual(referenceAttentionGradients(program, clean, dout));
    expect(gradients.dq.some(Number.isNaN)).toBe(false);
  });

  it("lets query head h read key/value head ⌊h·Hkv/H⌋", () => {
    const shapes = { B: 1, T: 1, S: 1, H: 4, Hkv: 2, D: 1, Dv: 1 };
    const program = compileProgram<HostArray>("test", shapes);
    const { output } = referenceAttention(program, { q: [1, 1, 1, 1], k: [1, 1], v: [10, 20] });
    expect([...output]).toEqual([10, 10, 20, 20]);
  });

  it("leaves the sink's share out of the weights", () => {
    const shapes = { B: 1, T: 1, S: 2, H: 1, Hkv: 1, D: 1, Dv: 1 };
    const program = compileProgram<HostArray>("test", shapes, { sink: Math.log(2) });
    const { weights, lse } = referenceAttention(program, { q: [0], k: [1, 1], v: [1, 1] });
    expect([...weights]).toEqual([0.25, 0.25]); // e⁰ / (e⁰ + e⁰ + 2)
    expect(lse[0]).toBeCloseTo(Math.log(4), 14);
  });

  it("caps after the scale and before the bias", () => {
    const shapes = { B: 1, T: 1, S: 1, H: 1, Hkv: 1, D: 1, Dv: 1 };
    const bias = { shape: [1, 1], dtype: "float64", values: [5] };
    const program = compileProgram<HostArray>("test", shapes, { scale: 2, softCap: 3, bias });
    expect(referenceAttention(program, { q: [4], k: [1], v: [1] }).lse[0]).toBeCloseTo(
      3 * Math.tanh(8 / 3) + 5,
      14,
    );
  });

  it("treats a bias of −Infinity as a hidden key", () => {
    const shapes = { B: 1, T: 2, S: 2, H: 1, Hkv: 1, D: 1, Dv: 1 };
    const bias = { shape: [2, 2], dtype: "float64", values: [0, -Infinity, -Infinity, -Infinity] };
    const program = compileProgram<HostArray>("test", shapes, { bias });
    const { weights, lse } = referenceAttention(program, { q: [1, 1], k: [1, 1], v: [3, Number.NaN] });
    expect([...weights]).toEqual([1, 0, 0, 0]);
    expect([...lse]).toEqual([1, -Infinity]);
  });

  it("gives empty rows equal weights on request, over the keys that are not padding", () => {
    const shapes = { B: 1, T: 2, S: 3, H: 1, Hkv: 1, D: 1, Dv: 1 };
    const nothing = { shape: [1, 1], dtype: "bool", values: [0] };
    const options = { allow: nothing, onEmptyRow: "uniform", keyLengths: [2], queryLengths: [1] } as const;
    const program = compileProgram<HostArray>("test", shapes, options);
    const { weights } = referenceAttention(program, { q: [1, 1], k: [1, 1, 1], v: [1, 1, 1] });
    expect([...weights]).toEqual([0.5, 0.5, 0, 0, 0, 0]);
  });

  it("refuses empty rows on request", () => {
    const program = compileProgram<HostArray>("attention", SHAPES, {
      keyLengths: [3, 0],
      onEmptyRow: "error",
    });
    expect(() => referenceAttention(program, inputs(SHAPES))).toThrow(OptionError);
    expect(() => referenceAttention(program, inputs(SHAPES))).toThrow(
      'attention: with onEmptyRow: "error" every query must see a key, got none for example 1, head 0, query 0; ' +
        'allow a key there, or use onEmptyRow: "zero" or "uniform"',
    );
  });

  it.each(everyOption())("has gradients that equal central differences to 1e-6 with %s", (_, options) => {
    // The program reads bias and sink where the options hold them, so those very arrays are moved.
    const sink = typeof options.sink === "object" ? (options.sink.values as Float64Array) : undefined;
    const bias = options.bias?.values as Float64Array | undefined;
    const x = { ...inputs(SHAPES), ...(bias ? { bias } : {}), ...(sink ? { sink } : {}) };
    const program = compileProgram("test", SHAPES, options);
    const forward = referenceAttention(program, x);
    const dout = random(20, [forward.output.length]).values;
    const dlse = random(21, [forward.lse.length]).values;
    const loss = () => {
      const { output, lse } = referenceAttention(program, x);
      const outputs = output.reduce((sum, o, e) => sum + o * dout[e]!, 0);
      return lse.reduce((sum, l, e) => (l === -Infinity ? sum : sum + l * dlse[e]!), outputs);
    };
    const { dq, dk, dv, dbias, dsink } = referenceAttentionGradients(program, x, dout, dlse);
    const analytic: Record<string, Float64Array> = { q: dq, k: dk, v: dv };
    if (dbias) analytic.bias = dbias;
    if (sink && dsink) analytic.sink = dsink;
    expect(gradcheck(loss, x, analytic).error).toBeLessThanOrEqual(1e-6);
  });

  it.each([
    { B: 1, T: 1, S: 3, H: 2, Hkv: 1, D: 5, Dv: 7 },
    { B: 3, T: 7, S: 2, H: 1, Hkv: 1, D: 1, Dv: 5 },
  ])("has such gradients at B=$B T=$T S=$S H=$H Hkv=$Hkv D=$D Dv=$Dv too, masked and unmasked", (shapes) => {
    const x = inputs(shapes);
    const dout = random(23, [shapes.B * shapes.H * shapes.T * shapes.Dv]).values;
    for (const options of [
      {},
      { causal: "bottomRight", keyLengths: new Array<number>(shapes.B).fill(2) },
    ] as const) {
      const program = compileProgram<HostArray>("test", shapes, options);
      const loss = () => referenceAttention(program, x).output.reduce((sum, o, e) => sum + o * dout[e]!, 0);
      const { dq, dk, dv } = referenceAttentionGradients(program, x, dout);
      expect(gradcheck(loss, { ...x }, { q: dq, k: dk, v: dv }).error).toBeLessThanOrEqual(1e-6);
    }
  });

  it("gives one sink for all heads the sum of the heads' gradients", () => {
    const x = inputs(SHAPES);
    const H = SHAPES.H;
    const perHead: HostArray = { shape: [H], dtype: "float64", values: new Float64Array(H).fill(0.3) };
    const dout = random(22, [SHAPES.B * H * SHAPES.T * SHAPES.Dv]).values;
    const gradient = (sink: number | HostArray) =>
      referenceAttentionGradients(compileProgram("test", SHAPES, { sink }), x, dout).dsink!;
    expect(gradient(0.3)[0]).toBeCloseTo(
      gradient(perHead).reduce((a, b) => a + b),
      12,
    );
  });
});
