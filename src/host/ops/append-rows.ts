import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

interface AppendAttributes {
  /** Where each example's rows go. */
  readonly starts: ArrayLike<number>;
  /** How many of its rows. */
  readonly counts: ArrayLike<number>;
  /** With `from`: the first row of each example that comes from there. */
  readonly moved?: ArrayLike<number>;
}

/**
 * Writes rows into a cache that exists and returns the cache under a new handle. No other kernel writes into a tensor that
 * exists: whoever owns the cache must not have handed it out.
 */
export const appendRows: HeedKernel = ({ inputs, attrs, heap }) => {
  const {
    cache,
    rows,
    from: before,
  } = inputs as Record<"cache" | "rows", TensorInfo> & { from?: TensorInfo };
  const { starts, counts, moved } = attrs as unknown as AppendAttributes;
  const [B, capacity, ...row] = cache.shape as [number, number, ...number[]];
  const T = rows.shape[1]!;
  const width = row.reduce((all, n) => all * n, 1);
  const out = heap.share(cache);
  const [to, from] = [heap.view(cache), heap.view(rows)];
  const old = before && heap.view(before);
  for (let b = 0; b < B; b++) {
    if (old) {
      const own = b * before.shape[1]!;
      const run = old.subarray((own + moved![b]!) * width, (own + starts[b]!) * width);
      to.set(run, (b * capacity + moved![b]!) * width);
    }
    const first = b * T * width;
    to.set(from.subarray(first, first + counts[b]! * width), (b * capacity + starts[b]!) * width);
  }
  return out;
};
