// The elementary functions of assembly/math.ts, against float64 on a hundred thousand arguments each.
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { hasRelaxedSimd } from "../../src/kernels/wasm/load.ts";
import "../../src/host/backend.ts";
import { erf } from "./erf.ts";

const COUNT = 100_000;
const X = 65_536;
const OUT = X + 4 * COUNT;

type Exports = Record<string, (x: number, out: number, n: number) => void>;

/** The distance between neighbouring float32 numbers at y. */
function ulp(y: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(Math.fround(y)) || 2 ** -149));
  return 2 ** (Math.max(exponent, -126) - 23);
}

const spread = (low: number, high: number) =>
  Float32Array.from({ length: COUNT }, (_, i) => low + ((high - low) * i) / (COUNT - 1));
/** ±2^e for e from low to high: tiny arguments of both signs (or positive ones alone) as often as great ones. */
const magnitudes = (low: number, high: number, signs = true) =>
  Float32Array.from(
    { length: COUNT },
    (_, i) => (signs && i % 2 ? -1 : 1) * 2 ** (low + ((high - low) * i) / COUNT),
  );

interface Case {
  name: string;
  exact: (x: number) => number;
  ulps: number;
  inputs: Float32Array[];
  special: [x: number, y: number][];
}

const { NaN: NAN, POSITIVE_INFINITY: INFINITY } = Number;
const CASES: Case[] = [
  {
    name: "exp",
    exact: Math.exp,
    ulps: 1,
    inputs: [spread(-103, 88.7), magnitudes(-30, 6)],
    special: [
      [INFINITY, INFINITY],
      [-INFINITY, 0],
      [0, 1],
      [88.8, INFINITY],
      [-104, 0],
    ],
  },
  {
    name: "log",
    exact: Math.log,
    ulps: 1,
    inputs: [spread(0.1, 10), magnitudes(-148, 127, false)],
    special: [
      [INFINITY, INFINITY],
      [0, -INFINITY],
      [-1, NAN],
      [1, 0],
      [-INFINITY, NAN],
    ],
  },
  {
    name: "tanh",
    exact: Math.tanh,
    ulps: 2,
    inputs: [spread(-12, 12), magnitudes(-120, 3)],
    special: [
      [INFINITY, 1],
      [-INFINITY, -1],
      [-0, -0],
      [1e-4, Math.fround(1e-4)],
    ],
  },
  {
    name: "sigmoid",
    exact: (x) => 1 / (1 + Math.exp(-x)),
    ulps: 3,
    inputs: [spread(-87, 20), magnitudes(-30, 4)],
    special: [
      [INFINITY, 1],
      [-INFINITY, 0],
      [0, 0.5],
      [-100, 0],
    ],
  },
  {
    name: "erf",
    exact: erf,
    ulps: 3,
    inputs: [spread(-5, 5), magnitudes(-120, 2)],
    special: [
      [INFINITY, 1],
      [-INFINITY, -1],
      [-0, -0],
    ],
  },
];

describe.each(["plain", "relaxed"])("the functions of assembly/math.ts, %s build", (build) => {
  let exports: Exports;
  const memory = new WebAssembly.Memory({ initial: 32 });
  const values = (at: number, count: number) => new Float32Array(memory.buffer, at, count);

  beforeAll(async () => {
    expect(hasRelaxedSimd()).toBe(true);
    const tools = await import(new URL("../../tools/build.mjs", import.meta.url).href);
    const entry = fileURLToPath(new URL("../../assembly/probes/math.ts", import.meta.url));
    const binary = await tools.compileKernels(entry, build === "relaxed" ? ["--enable", "relaxed-simd"] : []);
    const instance = await WebAssembly.instantiate(binary, { env: { memory } });
    exports = (instance as unknown as WebAssembly.WebAssemblyInstantiatedSource).instance.exports as Exports;
  });

  it.each(CASES)("$name is within $ulps ulp of the exact value", ({ name, exact, ulps, inputs }) => {
    let worst = 0;
    for (const input of inputs) {
      values(X, COUNT).set(input);
      exports[name]!(X, OUT, COUNT);
      for (const [i, y] of values(OUT, COUNT).entries()) {
        const expected = exact(input[i]!);
        const error = Math.abs(y - expected) / ulp(expected);
        worst = Math.max(worst, error); // NaN stays
      }
    }
    expect(worst).toBeLessThanOrEqual(ulps);
  });

  it.each(CASES)("$name is right at the ends of its range, and passes NaN through", ({ name, special }) => {
    for (const [x, y] of [...special, [NAN, NAN]]) {
      values(X, 4).fill(x!);
      exports[name]!(X, OUT, 4);
      expect(Array.from(values(OUT, 4))).toEqual(new Array(4).fill(y));
    }
  });
});
