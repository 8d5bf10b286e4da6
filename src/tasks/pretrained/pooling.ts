/** How the states of a text's tokens become one vector. */
import { ShapeError } from "../../core/errors.ts";

/** The poolings of sentence-transformers, in the order in which it puts those of one model side by side. */
export const POOLINGS = ["cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken"] as const;
export type Pooling = (typeof POOLINGS)[number];

type Pool = (states: Float32Array, T: number, C: number) => Float64Array;

const row =
  (of: (T: number) => number): Pool =>
  (states, T, C) =>
    Float64Array.from(states.subarray(of(T) * C, (of(T) + 1) * C));

/** Σ_t weight(t)·states[t] / divisor(T). */
const sum =
  (weight: (t: number) => number, divisor: (T: number) => number): Pool =>
  (states, T, C) => {
    const total = new Float64Array(C);
    for (let t = 0; t < T; t++) {
      const w = weight(t);
      for (let c = 0; c < C; c++) total[c]! += w * states[t * C + c]!;
    }
    return total.map((value) => value / divisor(T));
  };

const greatest: Pool = (states, T, C) => {
  const most = new Float64Array(C).fill(-Infinity);
  for (let n = 0; n < T * C; n++) most[n % C] = Math.max(most[n % C]!, states[n]!);
  return most;
};

const POOLS: Readonly<Record<Pooling, Pool>> = {
  cls: row(() => 0),
  max: greatest,
  mean: sum(
    () => 1,
    (T) => T,
  ),
  mean_sqrt_len: sum(() => 1, Math.sqrt),
  // A later token counts more: Muennighoff 2022, arxiv.org/abs/2202.08904.
  weightedmean: sum(
    (t) => t + 1,
    (T) => (T * (T + 1)) / 2,
  ),
  lasttoken: row((T) => T - 1),
};

/** What is done to a vector after pooling. */
export type Step = (x: Float64Array) => Float64Array;

/** States [T, C] of one text → [C], or [n·C] of n poolings; summed in float64. */
export function pool(states: Float32Array, C: number, poolings: readonly Pooling[]): Float64Array {
  const T = states.length / C;
  const pooled = new Float64Array(poolings.length * C);
  for (const [n, name] of poolings.entries()) pooled.set(POOLS[name](states, T, C), n * C);
  return pooled;
}

/** What no vector's length is divided by less than, as in PyTorch's `normalize`. */
const LEAST_NORM = 1e-12;

/** x / ‖x‖. */
export function normalized(x: Float64Array): Float64Array {
  const norm = Math.max(Math.sqrt(x.reduce((total, value) => total + value * value, 0)), LEAST_NORM);
  return x.map((value) => value / norm);
}

/**
 * Cosine of the angle between two vectors: a·b / (‖a‖·‖b‖). 1 where they point the same way, 0 where one is all zeros.
 *
 * @throws ShapeError SHAPE unless both have the same number of values
 * @example
 * cosine([1, 0], [1, 1]).toFixed(4); // "0.7071"
 */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a?.length === undefined || a.length !== b?.length) {
    const got = `lengths ${a?.length} and ${b?.length}`;
    const remedy = "pass two vectors of one model, such as the field embedding of what embed gives";
    throw new ShapeError("SHAPE", { op: "cosine", rule: "both vectors must be equally long", got, remedy });
  }
  let [ab, aa, bb] = [0, 0, 0];
  for (let n = 0; n < a.length; n++) {
    ab += a[n]! * b[n]!;
    aa += a[n]! * a[n]!;
    bb += b[n]! * b[n]!;
  }
  return ab / Math.max(Math.sqrt(aa * bb), LEAST_NORM);
}
