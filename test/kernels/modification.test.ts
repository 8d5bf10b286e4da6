/** `scoreMod` and `maskMod` on the kernels, against the float64 reference: every classic, and with every option. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { ModifiedOptions } from "../../src/core/modified-program.ts";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import { attention, attentionBackward } from "../../src/kernels/attention.ts";
import { halfAttention } from "../../src/kernels/half-attention.ts";
import { init } from "../../src/kernels/init.ts";
import { attentionMemory } from "../../src/kernels/memory.ts";
import { probe } from "../../src/kernels/probe.ts";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import { gradcheck } from "../../src/testing/gradcheck.ts";
import { cases } from "./arbitrary.ts";
import { firstDifference, floats, makeCase, normal, runFused, runReference, tolerances } from "./cases.ts";
import { CLASSICS } from "./modification-cases.ts";

let engines: AttentionEngine[] = [];

function compare(shapes: AttentionShapes, options: ModifiedOptions<HostArray>, seed = 7, gain = 1): string[] {
  const one = makeCase(shapes, options, seed, gain);
  const expected = runReference(one);
  const tolerance = tolerances(one, expected);
  return engines.map((engine) => firstDifference(runFused(engine, one), expected, tolerance));
}

beforeAll(async () => {
  await init();
  engines = [new AttentionEngine("relaxed"), new AttentionEngine("plain")];
});

describe("Each classic equals the reference, forward and backward", () => {
  const shapes = { B: 2, H: 4, Hkv: 2, T: 53, S: 101, D: 7, Dv: 11 };
  for (const [name, of] of Object.entries(CLASSICS)) {
    it(name, () => {
      expect(compare(shapes, of(shapes))).toEqual(["", ""]);
      const few = { ...shapes, T: 3, S: 29 };
      expect(compare(few, of(few))).toEqual(["", ""]);
    });
  }
});

it("any classic composes with every other option", () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(...Object.keys(CLASSICS)), ([shapes, options, seed, gain], name) => {
      const failures = compare(shapes, { ...options, ...CLASSICS[name]!(shapes) }, seed, gain);
      expect([name, ...failures]).toEqual([name, "", ""]);
    }),
    { numRuns: 60 },
  );
});

it("the reference's gradients of captured tensors are those of finite differences", () => {
  const sizes = { B: 2, H: 2, T: 5, S: 7, D: 3 };
  const [q, k, v, dout] = [1, 2, 3, 4].map((seed) => Float64Array.from(normal(seed, 2 * 2 * 7 * 3))) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const queries = q.subarray(0, 2 * 2 * 5 * 3);
  const options = (x: Record<string, ArrayLike<number>>): ModifiedOptions<HostArray> => ({
    scoreMod: (score, { b, h, q, k }, { gain, shared, far }) =>
      score
        .mul(gain!.at().add(2))
        .add(shared!.at(0, q, k).exp())
        .sub(far!.at(h, b).abs().mul(q.sub(k).abs().add(1).log()))
        .max(score.min(0.3)),
    tensors: {
      gain: { shape: [], dtype: "float64", values: x.gain! },
      shared: { shape: [1, 1, 7], dtype: "float64", values: x.shared! },
      far: { shape: [2, 2], dtype: "float64", values: x.far! },
    },
  });
  const inputs = Object.fromEntries(
    Object.entries({ gain: 1, shared: 7, far: 4 }).map(([name, n]) => [
      name,
      Float64Array.from(normal(n, n)),
    ]),
  );
  const own = dout.subarray(0, queries.length);
  const { saved } = attention(queries, k, v, sizes, options(inputs));
  const { dtensors } = attentionBackward(own, saved);
  const loss = (x: Record<string, ArrayLike<number>>) =>
    attention(queries, k, v, sizes, options(x)).output.reduce((sum, y, e) => sum + y * own[e]!, 0);
  expect(gradcheck(loss, inputs, dtensors!).error).toBeLessThan(1e-7);
});

it("rows in any layout, halves, probes and memory know functions too", () => {
  const sizes = { B: 2, H: 4, Hkv: 2, T: 29, S: 29, D: 5, Dv: 3 };
  const lengths = { queryLengths: [11, 18], keyLengths: [17, 12] };
  const options = CLASSICS.mixed!(sizes);
  const layouts = [
    { ...sizes, layout: "bthd" as const },
    { ...sizes, layout: "thd" as const, ...lengths },
  ];
  for (const { layout, queryLengths, keyLengths, ...own } of layouts.map((x) => ({ ...lengths, ...x }))) {
    const rows = layout === "thd" ? 1 : 2;
    const x = [rows * 29 * 4 * 5, rows * 29 * 2 * 5, rows * 29 * 2 * 3, rows * 29 * 4 * 3];
    const [q, k, v, dout] = x.map((n, seed) => normal(seed, n)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const given = { ...options, layout, queryLengths, keyLengths, weights: true } as const;
    const single = attention(q, k, v, own, given);
    const [q64, k64, v64] = [q, k, v].map((y) => Float64Array.from(y)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const double = attention(q64, k64, v64, own, given);
    const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a, (y, e) => (y === b[e] ? 0 : Math.abs(y - b[e]!))).reduce((m, y) => Math.max(m, y), 0);
    expect(far(single.output, double.output)).toBeLessThan(2e-6);
    const [one, other] = [
      attentionBackward(dout, single.saved),
      attentionBackward(Float64Array.from(dout), double.saved),
    ];
    for (const name of ["dq", "dk", "dv"] as const) expect(far(one[name], other[name])).toBeLessThan(2e-5);
    expect(Object.keys(one.dtensors!)).toEqual(["far", "slopes", "bias"]);
    for (const [name, sums] of Object.entries(one.dtensors!)) {
      expect(far(sums, other.dtensors![name]!)).toBeLessThan(
        1e-4 * Math.max(1, ...other.dtensors![name]!.map(Math.abs)),
      );
    }
    if (layout === "thd") continue;
    const { max } = probe(single.saved, { max: true });
    const largest = Float32Array.from({ length: 2 * 4 * 29 }, (_, row) =>
      Math.max(...single.weights!.subarray(row * 29, (row + 1) * 29)),
    );
    expect(far(max.weight, largest)).toBeLessThan(1e-7);
    const halves = halfAttention(q, k, v, own, { ...given, half: "float16" });
    expect(far(halves.output, single.output)).toBe(0);
  }
  const memory = attentionMemory(sizes, options).backward;
  const plain = attentionMemory(sizes).backward;
  const floats = 2 * 29 + 4 + 29 * 3;
  expect(memory.results - plain.results).toBe(4 * floats);
  expect(memory.inputs - plain.inputs).toBe(4 * (floats + 29));
});

it("refuses functions where none are known, and tensors without a function", () => {
  const sizes = { B: 1, H: 1, T: 1, S: 1, D: 1 };
  const one = Float32Array.of(1);
  const call = (options: object) => () => attention(one, one, one, sizes, options);
  expect(call({ tensors: { slopes: floats(1, [2]) } })).toThrow(
    "attention: tensors are read by scoreMod and maskMod alone, got neither; pass one of the functions, or leave tensors out",
  );
  expect(call({ scoreMod: 3 })).toThrow("attention: scoreMod must be a function, got number;");
  const noValues = { x: { shape: [1], dtype: "float32" } };
  expect(call({ scoreMod: (s: unknown) => s, tensors: noValues })).toThrow(
    "attention: tensors.x must be an array in ordinary memory, got an object; pass { shape, dtype, values }",
  );
  expect(call({ maskMod: () => 1 })).toThrow(
    "attention: maskMod must return a boolean: true where the query",
  );
  expect(call({ scoreMod: () => Number.NaN })).toThrow("attention: scoreMod must return a number");
  expect(call({ scoreMod: (s: unknown) => s, tensors: { x: floats(1, [0]) } })).toThrow(
    "attention: tensors.x must have elements to read, got shape [0]; leave it out",
  );
});
