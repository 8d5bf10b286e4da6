/** Random attention problems, and how far float32 may be from float64 on each. */

import { compileModified, type ModifiedOptions } from "../../src/core/modified-program.ts";
import { type AttentionShapes, type HostArray, keyHead, size } from "../../src/core/notation.ts";
import type { AttentionProgram } from "../../src/core/program.ts";
import { indexOf, isAllowed } from "../../src/core/program-rows.ts";
import { RandomStream } from "../../src/core/random.ts";
import { referenceAttention, referenceAttentionGradients } from "../../src/kernels/reference.ts";
import type { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";

export type Arrays = Record<string, ArrayLike<number>>;

export interface Case {
  program: AttentionProgram<HostArray>;
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  dout: Float32Array;
  dlse: Float32Array;
}

export function normal(seed: number, n: number, gain = 1): Float32Array {
  return new RandomStream(seed).fillNormal(new Float32Array(n), 0, gain);
}

export function floats(seed: number, shape: readonly number[]): HostArray & { values: Float32Array } {
  return { shape, dtype: "float32", values: normal(seed, size(shape)) };
}

/** Every fourth element or so is 0; with `hollow`, the first row is empty. */
export function holes(seed: number, shape: readonly number[], hollow = false): HostArray {
  const random = new RandomStream(seed);
  const values = Uint8Array.from({ length: size(shape) }, () => (random.uniform() < 0.25 ? 0 : 1));
  if (hollow) values.fill(0, 0, shape.at(-1)!);
  return { shape, dtype: "bool", values };
}

/** A case with NaN wherever nobody looks: in keys that no query sees and in queries that see no key. */
export function makeCase(
  shapes: AttentionShapes,
  options: ModifiedOptions<HostArray>,
  seed: number,
  gain = 1,
): Case {
  const { B, T, S, H, Hkv, D, Dv } = shapes;
  const program = compileModified("attention", shapes, options);
  const c = {
    program,
    q: normal(seed, B * H * T * D, gain),
    k: normal(seed + 1, B * Hkv * S * D),
    v: normal(seed + 2, B * Hkv * S * Dv),
    dout: normal(seed + 3, B * H * T * Dv),
    dlse: normal(seed + 4, B * H * T),
  };
  // There, empty rows do look at v.
  if (program.onEmptyRow === "uniform") return c;
  const allowedKeys = new Uint8Array(B * Hkv * S);
  const seenKeys = new Uint8Array(B * Hkv * S);
  for (let row = 0; row < B * H * T; row++) {
    const [b, h, i] = [Math.floor(row / (H * T)), Math.floor(row / T) % H, row % T];
    let allowed = false;
    let sees = false;
    for (let j = 0; j < S; j++) {
      if (!isAllowed(program, b, h, i, j)) continue;
      const key = (b * Hkv + keyHead(h, shapes)) * S + j;
      allowed = true;
      allowedKeys[key] = 1;
      const { bias } = program;
      if (bias && bias.array.values[indexOf(bias, b, h, i, j)] === -Infinity) continue;
      sees = true;
      seenKeys[key] = 1;
    }
    if (!allowed) c.q.fill(Number.NaN, row * D, (row + 1) * D);
    if (!sees) c.dout.fill(Number.NaN, row * Dv, (row + 1) * Dv);
  }
  for (let key = 0; key < seenKeys.length; key++) {
    // The oracle adds a bias of −∞ to the product, so there only v may be NaN.
    if (!allowedKeys[key]) c.k.fill(Number.NaN, key * D, (key + 1) * D);
    if (!seenKeys[key]) c.v.fill(Number.NaN, key * Dv, (key + 1) * Dv);
  }
  return c;
}

/** Gradients of captured tensors among the other arrays. */
export function namedTensors(dtensors: Readonly<Record<string, ArrayLike<number>>> = {}): Arrays {
  return Object.fromEntries(Object.entries(dtensors).map(([name, values]) => [`dtensors.${name}`, values]));
}

export function runReference({ program, dout, dlse, ...inputs }: Case): Arrays {
  const { dbias, dsink, dtensors, ...gradients } = referenceAttentionGradients(program, inputs, dout, dlse);
  return {
    ...referenceAttention(program, inputs),
    ...gradients,
    ...(dbias && { dbias }),
    ...(dsink && { dsink }),
    ...namedTensors(dtensors),
  };
}

export function runFused(engine: AttentionEngine, { program, dout, dlse, ...inputs }: Case): Arrays {
  const forward = engine.forward(program, inputs);
  const { dbias, dsink, dtensors, ...gradients } = engine.backward(program, inputs, forward, dout, dlse);
  return {
    output: forward.output,
    weights: engine.weights(program, inputs, forward),
    lse: forward.lse,
    ...gradients,
    ...(dbias && { dbias }),
    ...(dsink && { dsink }),
    ...namedTensors(dtensors),
  };
}

/** The inputs moved by up to 2⁻¹⁸ of themselves, the rounding error of some thousands of float32 additions. */
function shaken(c: Case, seed: number): Case {
  const random = new RandomStream(seed);
  const shake = (x: Float32Array) => x.map((y) => y * (1 + (random.uniform() - 0.5) * 2 ** -17));
  return { ...c, q: shake(c.q), k: shake(c.k), v: shake(c.v), dout: shake(c.dout), dlse: shake(c.dlse) };
}

/** The largest finite size, or difference from `minus`. */
export function largest(x: ArrayLike<number>, minus?: ArrayLike<number>): number {
  let most = 0;
  for (let e = 0; e < x.length; e++) {
    const size = Math.abs(minus ? x[e]! - minus[e]! : x[e]!);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}

/** The length of the longest row without NaN. */
export function longest(x: Float32Array, width: number): number {
  let most = 0;
  for (let row = 0; row < x.length; row += width) {
    const length = Math.hypot(...x.subarray(row, row + width));
    if (length > most && length < Infinity) most = length;
  }
  return most;
}

/**
 * How far each result may be from the oracle's: as far as the oracle itself moves when its inputs do by 2⁻¹⁸, so a
 * well-conditioned result must be right to five digits. A score's gradient is a difference of two numbers as large
 * as |dout| · |v|, equal where a query sees one key: 2⁻²⁰ of that, 16 units in the last place, comes on top.
 */
export function tolerances(c: Case, expected: Arrays): Record<string, number> {
  const { D, Dv } = c.program.shapes;
  const moved = [1, 2].map((seed) => runReference(shaken(c, seed)));
  const dscore = 2 ** -20 * longest(c.dout, Dv) * longest(c.v, Dv);
  const dproduct = dscore * Math.abs(c.program.scale);
  const terms: Record<string, number> = {
    dq: dproduct * longest(c.k, D),
    dk: dproduct * longest(c.q, D),
    dbias: dscore,
    dsink: dscore,
    // The logarithm of a sum near 1 is known to that sum's rounding.
    lse: 2 ** -23,
  };
  // Of the classics none moves faster than a distance between positions.
  const slopes = Math.max(c.program.shapes.T, c.program.shapes.S);
  return Object.fromEntries(
    Object.entries(expected).map(([name, values]) => {
      const move = Math.max(...moved.map((other) => largest(other[name]!, values)));
      // A captured number's gradient is a sum over elements, whose errors are as likely up as down.
      const sums = name.startsWith("dtensors.") ? 4 * dscore * Math.sqrt(c.q.length / D) * slopes : 0;
      return [name, 3 * move + 2 ** -18 * largest(values) + (terms[name] ?? sums)];
    }),
  );
}

/** The first element that is further away than it may be, or where one is NaN or infinite and the other is not. */
export function firstDifference(got: Arrays, expected: Arrays, tolerance: Record<string, number>): string {
  if (Object.keys(got).join() !== Object.keys(expected).join()) return `results ${Object.keys(got)}`;
  for (const [name, values] of Object.entries(expected)) {
    if (got[name]!.length !== values.length) return `${name} has ${got[name]!.length} elements`;
    for (let e = 0; e < values.length; e++) {
      const [x, y] = [got[name]![e]!, values[e]!];
      if (Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance[name]!) continue;
      return `${name}[${e}] is ${x}, not ${y} (within ${tolerance[name]})`;
    }
  }
  return "";
}
