import { concat, slice, type Tensor4D, tidy, unstack } from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { checkTensors } from "./check.ts";
import { isFused, runKernel } from "./registry.ts";

const OP = "appendRows";
const KERNEL = "HeedAppendRows";

/** A cache with less room, some of whose rows the new one has not yet. */
export interface EarlierRows {
  /** [B, fewer, H, D] */
  readonly cache: Tensor4D;
  /** Of each example the first row that the new cache has not; up to where new rows begin they are taken from here. */
  readonly moved: ArrayLike<number>;
}

/**
 * Adds rows to a cache of keys or values, each example's where its own end:
 *
 *     out[b, starts_b + t] = rows[b, t]  for t < counts_b,    else out = cache
 *     with `earlier`, out[b, t] = earlier[b, t]  for moved_b ≤ t < starts_b
 *
 * Where the backend has the kernel the rows are written in place, so a step costs what it adds, and `cache` and the result
 * are one memory: use the result and dispose `cache`. On other backends the cache is copied. Not differentiable.
 *
 * Shapes: cache [B, capacity, H, D], rows [B, T, H, D], starts and counts B integers → [B, capacity, H, D].
 *
 * @throws ShapeError SHAPE · OptionError LIMIT where rows would pass the capacity
 * @example
 * const grown = appendRows(tf.zeros([1, 3, 1, 2]), tf.ones([1, 1, 1, 2]), [1], [1]);
 * tf.reshape(grown, [3, 2]); // [[0, 0], [1, 1], [0, 0]]
 */
export function appendRows(
  cache: Tensor4D,
  rows: Tensor4D,
  starts: ArrayLike<number>,
  counts: ArrayLike<number>,
  earlier?: EarlierRows,
): Tensor4D {
  const [B, capacity, H, D] = cache.shape;
  const T = rows.shape[1]!;
  checkTensors(OP, [
    { name: "cache", tensor: cache, letters: "[B, capacity, H, D]", shape: cache.shape },
    { name: "rows", tensor: rows, letters: "[B, T, H, D]", shape: [B, T, H, D] },
  ]);
  for (let b = 0; b < B; b++) {
    const [start, count] = [starts[b]!, counts[b]!];
    if (start >= 0 && count >= 0 && count <= T && start + count <= capacity) continue;
    throw new OptionError("LIMIT", {
      op: OP,
      rule: `rows of example ${b} must end within the capacity of ${capacity}`,
      got: `${count} of ${T} rows from row ${start} on`,
      remedy: "make a cache of a larger capacity",
    });
  }
  if (isFused(KERNEL)) {
    const inputs = { cache, rows, ...(earlier && { from: earlier.cache }) };
    const moved = earlier && { moved: Array.from(earlier.moved) };
    return runKernel(KERNEL, inputs, {
      starts: Array.from(starts),
      counts: Array.from(counts),
      ...moved,
    }) as Tensor4D;
  }
  return tidy(() => {
    const examples = unstack(cache).map((own, b) => {
      const [start, count] = [starts[b]!, counts[b]!];
      const rest = capacity - start - count;
      const added = slice(rows, [b, 0, 0, 0], [1, count, H, D]);
      const first = earlier ? earlier.moved[b]! : start;
      const before = [slice(cache, [b, 0, 0, 0], [1, first, H, D])];
      if (earlier) before.push(slice(earlier.cache, [b, first, 0, 0], [1, start - first, H, D]));
      return concat(
        [...before, added, slice(cache, [b, start + count, 0, 0], [1, rest, H, D])],
        1,
      ) as typeof own;
    });
    return concat(examples, 0) as Tensor4D;
  });
}
