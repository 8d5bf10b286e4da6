import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, wrongCount } from "../../core/faults.ts";
import { MASKED, NOT_FINITE, VALUE } from "../cells.ts";
import type { RowSums } from "../trace/trace.ts";
import { AttentionMap } from "./map.ts";

export interface SparseWeights {
  readonly H: number;
  readonly T: number;
  readonly S: number;
  /** [H·T + 1]: the entries of head h's query t are starts[h·T + t] up to the next one. */
  readonly starts: ArrayLike<number>;
  /** The keys of each query, growing, and their weights. */
  readonly keys: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  /** What the keys are that a query does not list: out of its sight, or of weight 0. @default "masked" */
  readonly unlisted?: "masked" | "zero";
  /** @default "one" */
  readonly rowSums?: RowSums;
}

/**
 * A map of the listed weights alone: block-sparse attention, or the largest few of each query.
 *
 * Cost: O(log entries + entries asked for) a row; the keys are checked once.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const map = sparseMap({ H: 1, T: 1, S: 4, starts: [0, 2], keys: [0, 3], weights: [0.25, 0.75] });
 * map.row(0, 0).kinds; // Uint8Array [0, 1, 1, 0]
 */
export function sparseMap(sparse: SparseWeights): AttentionMap {
  const { H, T, S, starts, keys, weights, unlisted = "masked", rowSums = "one" } = sparse;
  const entries = starts[H * T] ?? 0;
  for (const [name, array, letters, expected] of [
    ["starts", starts, "H·T + 1", H * T + 1],
    ["keys", keys, "starts[H·T]", entries],
    ["weights", weights, "starts[H·T]", entries],
  ] as const) {
    if (array.length === expected) continue;
    throw new ShapeError(
      "SHAPE",
      wrongCount({ op: "sparseMap", name, letters, expected, got: array.length }),
    );
  }
  for (let row = 0; row < H * T; row++)
    for (let n = starts[row]!; n < starts[row + 1]!; n++) {
      const least = n > starts[row]! ? keys[n - 1]! + 1 : 0;
      if (Number.isSafeInteger(keys[n]) && keys[n]! >= least && keys[n]! < S) continue;
      const rule = `an integer from ${least} to ${S - 1}, growing with each query`;
      throw new OptionError(
        "OPTION",
        outOfRange({ op: "sparseMap", name: `keys[${n}]`, rule, got: keys[n] }),
      );
    }
  return new AttentionMap(
    { H, T, S, source: "sparse", rowSums },
    {
      range(h, t) {
        const [begin, end] = [starts[h * T + t]!, starts[h * T + t + 1]!];
        if (unlisted === "zero") return [0, S];
        return begin < end ? [keys[begin]!, keys[end - 1]! + 1] : [0, 0];
      },
      read(h, t, from, to, out, at) {
        out.values.fill(0, at, at + to - from);
        out.kinds.fill(unlisted === "masked" ? MASKED : VALUE, at, at + to - from);
        const end = starts[h * T + t + 1]!;
        for (let n = firstFrom(keys, starts[h * T + t]!, end, from); n < end && keys[n]! < to; n++) {
          const e = at + keys[n]! - from;
          const finite = Number.isFinite(weights[n]);
          out.kinds[e] = finite ? VALUE : NOT_FINITE;
          if (finite) out.values[e] = weights[n]!;
        }
      },
    },
  );
}

/** The first entry in [begin, end) whose key is `key` or later. */
function firstFrom(keys: ArrayLike<number>, begin: number, end: number, key: number): number {
  let [low, high] = [begin, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
