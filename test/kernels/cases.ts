/** Random attention problems, and how far float32 may be from float64 on each. */
import { type AttentionShapes, type HostArray, keyHead, size } from "../../src/core/notation.ts";
import { type AttentionProgram, compileProgram, type ProgramOptions } from "../../src/core/program.ts";
import { indexOf, isAllowed } from "../../src/core/program-rows.ts";
import { RandomStream } from "../../src/core/random.ts";
import { referenceAttention, referenceAttentionGradients } from "../../src/kernels/reference.ts";
import type { AttentionEngine } from "../../src/kernels/wasm/engine.ts";

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
  options: ProgramOptions<HostArray>,
  seed: number,
  gain = 1,
): Case {
  const { B, T, S, H, Hkv, D, Dv } = shapes;
  const program = compileProgram("attention", shapes, options);
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

export function runReference({ program, dout, dlse, ...inputs }: Case): Arrays {
  const { dbias, dsink, ...gradients } = referenceAttentionGradients(program, inputs, dout, dlse);
  return {
    ...referenceAttention(program, inputs),
    ...gradients,
    ...(dbias && { dbias }),
    ...(dsink && { dsink }),
  };
}

export function runFused(engine: AttentionEngine, { program, dout, dlse, ...inputs }: Case): Arrays {
  const forward = engine.forward(program, inputs);
  const { dbias, dsink, ...gradients } = engine.backward(program, inputs, forward, dout, dlse);
  return {
    output: forward.output,
    weights: engine.weights(program, inputs, forward),
    lse: forward.lse,
    ...gradients,
    ...(dbias && { dbias }),
    ...(dsink && { dsink }),
  };
}

/** The longest row, NaN rows left out. */
function longest(x: Float32Array, width: number): number {
  let most = 0;
  for (let row = 0; row < x.length; row += width) {
    const length = Math.hypot(...x.subarray(row, row + width));
    if (length > most) most = length;
  }
  return most;
}

/** The rounding error of n float32 additions, relative to Σ|x|, with near certainty (Higham & Mary 2019, λ = 6). */
function gamma(n: number): number {
  return 6 * Math.sqrt(n) * 2 ** -24;
}

/**
 * How far each result may be from the exact one. A score is wrong by δ = γ(D) · |scale| · |q| · |k|, and by half a
 * unit in the last place of what is added to it; a weight, relatively, by 2δ and the errors of e^x and of the sum;
 * and each result is a sum of weights times something whose length is bounded.
 */
export function tolerances({ program, q, k, v, dout, dlse }: Case): Record<string, number> {
  const { B, T, S, H, Hkv, D, Dv } = program.shapes;
  const [qs, ks, vs, ds] = [longest(q, D), longest(k, D), longest(v, Dv), longest(dout, Dv)];
  const scale = Math.abs(program.scale);
  const added = 16 + (program.softCap ?? 0);
  const delta = gamma(D + 4) * (scale * qs * ks + added);
  const relative = 2 * delta + 2 * gamma(S + 16);
  const keep = program.dropout?.keepScale ?? 1;
  const slopes = ds * vs * keep + longest(dlse, 1);
  const dscore = slopes * 2 * (relative + 2 * gamma(Dv + T * (H / Hkv)));
  const queries = Math.max(1, T) * (H / Hkv);
  return {
    output: vs * keep * relative,
    weights: relative,
    lse: delta + gamma(S + 16) * (1 + Math.log(S + 2)),
    dq: scale * ks * dscore,
    dk: scale * qs * dscore * queries,
    dv: ds * keep * (relative + gamma(queries)) * queries,
    dbias: dscore * B * H * T,
    dsink: dscore * B * H * T,
  };
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
