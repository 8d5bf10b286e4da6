/** Random additive problems, and how far float32 may be from float64 on each. */
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import { type AttentionProgram, compileProgram, type ProgramOptions } from "../../src/core/program.ts";
import { isAllowed } from "../../src/core/program-rows.ts";
import { RandomStream } from "../../src/core/random.ts";
import {
  referenceAdditiveAttention,
  referenceAdditiveGradients,
} from "../../src/kernels/reference-additive.ts";
import type { AdditiveEngine } from "../../src/kernels/wasm/additive-engine.ts";
import { type Arrays, largest, longest, normal } from "./cases.ts";

export interface AdditiveSizes {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly A: number;
  readonly Dv: number;
}

export interface AdditiveCase {
  program: AttentionProgram<HostArray>;
  inputs: Record<"query" | "key" | "v" | "value", Float32Array>;
  cotangents: Record<"dout" | "dlse" | "dweights", Float32Array>;
}

/** The sizes as a program takes them: one head, whose width is A. */
export function headOf({ B, T, S, A, Dv }: AdditiveSizes): AttentionShapes {
  return { B, T, S, H: 1, Hkv: 1, D: A, Dv };
}

/** A case with NaN wherever nobody looks: in keys that no query sees and in queries that see no key. */
export function makeAdditiveCase(
  sizes: AdditiveSizes,
  options: ProgramOptions<HostArray>,
  seed: number,
  gain = 1,
): AdditiveCase {
  const { B, T, S, A, Dv } = sizes;
  const program = compileProgram("additiveAttention", headOf(sizes), { ...options, scale: 1 });
  const inputs = {
    query: normal(seed, B * T * A, gain),
    key: normal(seed + 1, B * S * A, gain),
    v: normal(seed + 2, A),
    value: normal(seed + 3, B * S * Dv),
  };
  const cotangents = {
    dout: normal(seed + 4, B * T * Dv),
    dlse: normal(seed + 5, B * T),
    dweights: normal(seed + 6, B * T * S),
  };
  // There, empty rows do look at the values.
  if (program.onEmptyRow === "uniform") return { program, inputs, cotangents };
  const seen = new Uint8Array(B * S);
  for (let row = 0; row < B * T; row++) {
    const [b, i] = [Math.floor(row / T), row % T];
    let sees = false;
    for (let j = 0; j < S; j++) {
      if (!isAllowed(program, b, 0, i, j)) {
        cotangents.dweights[row * S + j] = Number.NaN;
        continue;
      }
      sees = true;
      seen[b * S + j] = 1;
    }
    if (sees) continue;
    inputs.query.fill(Number.NaN, row * A, (row + 1) * A);
    cotangents.dout.fill(Number.NaN, row * Dv, (row + 1) * Dv);
  }
  for (let at = 0; at < seen.length; at++) {
    if (seen[at]) continue;
    inputs.key.fill(Number.NaN, at * A, (at + 1) * A);
    inputs.value.fill(Number.NaN, at * Dv, (at + 1) * Dv);
  }
  return { program, inputs, cotangents };
}

export function runAdditiveReference({ program, inputs, cotangents }: AdditiveCase): Arrays {
  return {
    ...referenceAdditiveAttention(program, inputs),
    ...referenceAdditiveGradients(program, inputs, cotangents),
  } as Arrays;
}

export function runAdditiveFused(
  engine: AdditiveEngine,
  { program, inputs, cotangents }: AdditiveCase,
): Arrays {
  const { output, lse, weights } = engine.forward(program, inputs, true);
  return { output, lse, weights: weights!, ...engine.backward(program, inputs, lse, cotangents) } as Arrays;
}

/** The inputs moved by up to 2⁻¹⁸ of themselves, the rounding error of some thousands of float32 additions. */
function shaken({ program, inputs, cotangents }: AdditiveCase, seed: number): AdditiveCase {
  const random = new RandomStream(seed);
  const shake = <R extends Record<string, Float32Array>>(arrays: R) =>
    Object.fromEntries(
      Object.entries(arrays).map(([name, x]) => [
        name,
        x.map((y) => y * (1 + (random.uniform() - 0.5) * 2 ** -17)),
      ]),
    ) as R;
  return { program, inputs: shake(inputs), cotangents: shake(cotangents) };
}

/**
 * How far each result may be from the oracle's: as far as the oracle itself moves when its inputs do by 2⁻¹⁸. A tanh
 * from exponentials is right to 2⁻²² absolutely, however small it is: each score to that times |v|₁. A score's gradient
 * is a difference of numbers as large as |dout| · |value| + |dweights|, equal where a query sees one key: 2⁻²⁰ of that,
 * 16 units in the last place, comes on top, and dv sums that of all scores.
 */
export function additiveTolerances(c: AdditiveCase, expected: Arrays): Record<string, number> {
  const { B, T, S, Dv } = c.program.shapes;
  const { v, value } = c.inputs;
  const moved = [1, 2].map((seed) => runAdditiveReference(shaken(c, seed)));
  const size = longest(c.cotangents.dout, Dv) * longest(value, Dv) + 2 * largest(c.cotangents.dweights);
  const units = v.reduce((sum, x) => sum + Math.abs(x), 0);
  const dscore = (2 ** -20 + 2 ** -22 * units) * (size + largest(c.cotangents.dlse));
  const terms: Record<string, number> = {
    ...{ output: 2 ** -22 * units * largest(value), weights: 2 ** -22 * units, lse: 2 ** -22 * units },
    ...{ dquery: dscore * largest(v), dkey: dscore * largest(v) * Math.sqrt(T) },
    ...{
      dv: dscore * Math.sqrt(B * T * S),
      dvalue: 2 ** -22 * units * largest(c.cotangents.dout) * Math.sqrt(T),
    },
    ...{ dbias: dscore * Math.sqrt(B * T * S), dsink: dscore * Math.sqrt(B * T) },
  };
  return Object.fromEntries(
    Object.entries(expected).map(([name, values]) => {
      const move = Math.max(...moved.map((other) => largest(other[name]!, values)));
      return [name, 3 * move + 2 ** -18 * largest(values) + (terms[name] ?? 0)];
    }),
  );
}
