import { createHash } from "node:crypto";
import { DataError } from "../../core/errors.ts";
import type { Series } from "./series.ts";
import { type Scaling, type Windows, windowsOf } from "./windows.ts";

/** A series in its three parts. */
export interface ForecastingCorpus {
  readonly names: readonly string[];
  readonly scaling: Scaling;
  readonly train: Windows;
  readonly valid: Windows;
  readonly test: Windows;
  readonly checksum: string;
}

/** Where training ends and the test begins, as shares of the times. */
const [TRAIN_END, TEST_BEGIN] = [0.7, 0.85];

/**
 * Cuts a series into its three parts by time, the past for training: what is forecast in the test no training window has seen.
 *
 * @param T times in a window
 * @throws DataError SHAPE where a part has no window, or an input never changes in training
 */
export function cutSeries(op: string, { names, columns }: Series, T: number): ForecastingCorpus {
  const N = columns[0]!.length;
  const [end, begin] = [Math.floor(TRAIN_END * N), Math.floor(TEST_BEGIN * N)];
  if (Math.min(end, begin - end, N - begin) <= T) {
    const rule = `each part must have more than ${T} times: ${TRAIN_END} of them are for training, and half of the rest for the test`;
    const remedy = "give a longer series, or choose a shorter window in the recipe";
    throw new DataError("SHAPE", { op, rule, got: `${N} times`, remedy });
  }
  const scaling = scalingOf(
    op,
    names,
    columns.map((column) => column.subarray(0, end)),
  );
  const part = (from: number, to: number) => windowsOf(columns, scaling, T, from, to);
  const hash = createHash("sha256").update(JSON.stringify(names));
  for (const column of columns)
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return {
    names,
    scaling,
    train: part(0, end),
    valid: part(end, begin),
    test: part(begin, N),
    checksum: hash.digest("hex"),
  };
}

function scalingOf(op: string, names: readonly string[], columns: readonly Float64Array[]): Scaling {
  const means = columns.map((column) => column.reduce((sum, x) => sum + x, 0) / column.length);
  const deviations = columns.map((column, v) =>
    Math.sqrt(column.reduce((sum, x) => sum + (x - means[v]!) ** 2, 0) / column.length),
  );
  const still = deviations.findIndex((deviation) => !(deviation > 0 && Number.isFinite(deviation)));
  if (still < 0) return { means, deviations };
  const got = `a deviation of ${deviations[still]} of ${JSON.stringify(names[still])}`;
  throw new DataError("SHAPE", { op, rule: "each column must change", got, remedy: "remove that column" });
}
