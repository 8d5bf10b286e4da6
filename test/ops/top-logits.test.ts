import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import "@tensorflow/tfjs-backend-cpu";
import { RandomStream } from "../../src/core/random.ts";
import { topLogits } from "../../src/ops/top-logits.ts";
import { describeBuilds } from "../support/kernel-build.ts";

const random = new RandomStream(11);

/** The same by sorting, in float64; sorting is stable, so that of equal ones the smaller column comes first. */
function sorted(row: number[], count: number) {
  const order = row.map((_, v) => v).sort((a, b) => row[b]! - row[a]!);
  const most = Math.max(...row);
  const norm =
    most === -Infinity ? most : most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
  const columns = order.slice(0, count);
  return { columns, values: columns.map((column) => row[column]!), norm };
}

function found(rows: number[][], count: number) {
  return tf.tidy(() => {
    const { values, columns, norms } = topLogits(tf.tensor2d(rows), count);
    expect(columns.dtype).toBe("int32");
    const all = { values: values.arraySync(), columns: columns.arraySync(), norms: norms.arraySync() };
    return rows.map((_, n) => ({
      columns: all.columns[n]!,
      values: all.values[n]!,
      norm: all.norms[n]!,
    }));
  });
}

function compare(rows: number[][], count: number): void {
  for (const [n, got] of found(rows, count).entries()) {
    const { columns, values, norm } = sorted(rows[n]!, count);
    expect(got.columns).toEqual(columns);
    expect(got.values).toEqual(values);
    if (norm === -Infinity) expect(got.norm).toBe(norm);
    // A logarithm of a sum of V terms, each right to 1e-7 of itself, and two roundings of their size.
    else expect(Math.abs(got.norm - norm)).toBeLessThan(2e-6 + 2 ** -22 * Math.abs(norm));
  }
}

/** Eighths, so that many are equal. */
const rowsOf = (N: number, V: number, size = 4) =>
  Array.from({ length: N }, () =>
    Array.from({ length: V }, () => Math.round(8 * size * random.normal()) / 8),
  );

function suite(): void {
  test.each([
    [1, 1, 1],
    [3, 7, 7],
    [3, 7, 2],
    [5, 8, 1],
    [2, 17, 16],
    [3, 1031, 13],
  ])("%i rows of %i, the best %i: values, columns, norms", (N, V, count) => {
    compare(rowsOf(N, V), count);
  });

  test("rows that rise, that fall, and of one number", () => {
    const rise = Array.from({ length: 101 }, (_, v) => v / 4);
    compare([rise, rise.toReversed(), rise.map(() => 2.5)], 11);
  });

  test("what a model cannot write is −Infinity, and stands last", () => {
    const [some, none] = rowsOf(2, 29);
    compare(
      [
        some!.map((x, v) => (v % 3 === 1 ? x : -Infinity)),
        none!.map(() => -Infinity),
        some!.map((x, v) => (v === 28 ? x : -Infinity)),
      ],
      13,
    );
  });

  test("large logits do not overflow; a NaN is seen in the norm", () => {
    compare([[300, 299, -1e30, 5e4, 7]], 3);
    const odd = rowsOf(2, 19);
    odd[1]![17] = Number.NaN;
    const [good, bad] = found(odd, 3);
    expect(good!.norm).not.toBeNaN();
    expect(bad!.norm).toBeNaN();
  });

  test("nothing stays behind", () => {
    const logits = tf.tensor2d(rowsOf(3, 23));
    const before = tf.memory().numTensors;
    tf.dispose(Object.values(topLogits(logits, 5)));
    expect(tf.memory().numTensors).toBe(before);
    logits.dispose();
  });
}

describeBuilds("topLogits", suite);

describe("topLogits on another backend", () => {
  beforeAll(async () => {
    await tf.setBackend("cpu");
    return async () => void (await tf.setBackend("heed"));
  });
  test("is the same", () => compare(rowsOf(3, 31), 4));
});

test("refuses what it cannot choose from", () => {
  const logits = tf.zeros([2, 5]) as tf.Tensor2D;
  for (const count of [0, 6, 1.5])
    expect(() => topLogits(logits, count)).toThrow(
      `topLogits: count must be an integer from 1 to V = 5, got ${count}; ask for fewer, or for one`,
    );
  expect(() => topLogits(tf.zeros([5]) as never, 1)).toThrow("topLogits");
  logits.dispose();
});
