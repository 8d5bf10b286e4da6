import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { makeBatches, type TokenPair } from "../../src/data/batching.ts";
import { makePackedBatches, packBatch, packRows } from "../../src/data/packing.ts";

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe("packRows", () => {
  test("takes the longest first, and each into the first row with room", () => {
    // 5 opens row 0 and leaves 2; 3 opens row 1, the other 3 follows it, 2 fits row 0.
    expect(packRows([[3], [2], [3], [5]], [7])).toEqual([
      [3, 1],
      [0, 2],
    ]);
  });

  test("puts each in one row, none above a width, all but one row more than half full on average", () => {
    const size = fc.tuple(fc.integer({ min: 0, max: 13 }), fc.integer({ min: 1, max: 7 }));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 61 }), fc.integer({ min: 13, max: 29 }), (sizes, width) => {
        const rows = packRows(sizes, [width, 11]);
        expect(rows.flat().sort((a, b) => a - b)).toEqual([...sizes.keys()]);
        for (const row of rows) {
          expect(sum(row.map((n) => sizes[n]![0]))).toBeLessThanOrEqual(width);
          expect(sum(row.map((n) => sizes[n]![1]))).toBeLessThanOrEqual(11);
        }
        const one = packRows(
          sizes.map(([n]) => [n]),
          [width],
        );
        // What a row begins with had no room in the row before: the two together hold more than a width.
        expect(one.length).toBeLessThanOrEqual((2 * sum(sizes.map(([n]) => n))) / width + 1);
      }),
      { seed: 1 },
    );
  });

  test("names what no row holds", () => {
    expect(() =>
      packRows(
        [
          [3, 1],
          [2, 9],
        ],
        [7, 5],
      ),
    ).toThrow(
      "packRows: a row must hold every sequence, got 5 and sequence 1 of 9; raise the width or leave out long ones",
    );
  });
});

describe("packBatch", () => {
  test("lays sequences side by side, with positions that begin again", () => {
    expect(packBatch([[5, 6], [7], [8, 9, 4]], { width: 4, padId: 1 })).toEqual({
      ids: Int32Array.of(8, 9, 4, 7, 5, 6, 1, 1),
      segments: [[3, 1], [2]],
      numbers: Int32Array.of(0, 0, 0, 1, 2, 2, -1, -1),
      positions: Int32Array.of(0, 1, 2, 0, 0, 1, 0, 0),
      members: [[2, 1], [0]],
      rows: 2,
      width: 4,
    });
  });

  test("puts together what it is told to, an empty sequence too", () => {
    const batch = packBatch([[5, 6], [], [8]], { width: 5, members: [[0, 1, 2]] });
    expect(batch.ids).toEqual(Int32Array.of(5, 6, 8, 0, 0));
    expect(batch.segments).toEqual([[2, 0, 1]]);
    expect(batch.numbers).toEqual(Int32Array.of(0, 0, 2, -1, -1));
  });

  test("takes nothing, and is as wide as the longest unless told", () => {
    expect(packBatch([]).ids).toEqual(new Int32Array());
    expect(packBatch([[1], [2, 3, 4]]).width).toBe(3);
  });

  test.each([
    [{ width: 0 }, "width must be an integer ≥ 1, got 0; choose one in that range"],
    [
      { width: 3, members: [[0, 1]] },
      "the sequences of a row must fit in its width 3, got 2 + 2 in row 0; raise it or take fewer together",
    ],
    [{ members: [[0, 2]] }, "members must be numbers from 0 to 1, got 2; choose one in that range"],
  ])("refuses %j", (options, message) => {
    expect(() =>
      packBatch(
        [
          [5, 6],
          [7, 8],
        ],
        options,
      ),
    ).toThrow(`packBatch: ${message}`);
  });
});

const random = new RandomStream(7);
const pairs: TokenPair[] = Array.from({ length: 1009 }, () => {
  const length = 2 + random.integer(29);
  return {
    source: Array(length).fill(7),
    target: Array(Math.max(2, length + random.integer(7) - 3)).fill(8),
  };
});
const OPTIONS = { maxTokens: 1024, sourceWidth: 64, targetWidth: 64, seed: 5, epoch: 2 };

describe("makePackedBatches", () => {
  const batches = makePackedBatches(pairs, OPTIONS);
  const tokens = sum(pairs.map(({ source, target }) => source.length + target.length));

  test("holds every pair once, in rows that fit and batches within maxTokens", () => {
    expect(batches.flat(2).sort((a, b) => a - b)).toEqual([...pairs.keys()]);
    for (const batch of batches) {
      expect(batch.length * 128).toBeLessThanOrEqual(1024);
      for (const side of ["source", "target"] as const) {
        const packed = packBatch(
          pairs.map((pair) => pair[side]),
          { members: batch, width: 64 },
        );
        expect(packed.segments.map((row) => row.length)).toEqual(batch.map((row) => row.length));
      }
    }
  });

  test("pads least: packed below bucketed below as shuffled", () => {
    const padding = (some: readonly Int32Array[]) => {
      const cells = some.map((batch) => {
        const most = (side: keyof TokenPair) => Math.max(...Array.from(batch, (n) => pairs[n]![side].length));
        return batch.length * (most("source") + most("target"));
      });
      return 1 - tokens / sum(cells);
    };
    const packed = 1 - tokens / (sum(batches.map((batch) => batch.length)) * 128);
    const bucketed = padding(makeBatches(pairs, OPTIONS));
    const shuffled = padding(makeBatches(pairs, { ...OPTIONS, bucketed: false }));
    expect(packed).toBeLessThan(0.06);
    expect(bucketed).toBeGreaterThan(0);
    expect(shuffled).toBeGreaterThan(0.3);
    expect(bucketed).toBeLessThan(shuffled / 2);
  });

  test("depends on seed and epoch alone", () => {
    expect(makePackedBatches(pairs, OPTIONS)).toEqual(batches);
    expect(makePackedBatches(pairs, { ...OPTIONS, epoch: 3 })).not.toEqual(batches);
    expect(makePackedBatches(pairs, { ...OPTIONS, seed: 6 })).not.toEqual(batches);
    expect(makePackedBatches([], OPTIONS)).toEqual([]);
  });

  test.each([
    [{ maxTokens: 127 }, "maxTokens must hold a row of sourceWidth + targetWidth = 128 cells, got 127"],
    [{ sourceWidth: 0 }, "sourceWidth must be an integer ≥ 1, got 0"],
    [{ poolSize: 1.5 }, "poolSize must be an integer ≥ 1, got 1.5"],
    [{ epoch: -1 }, "epoch must be an integer ≥ 0, got -1"],
  ])("refuses %j", (option, rule) => {
    expect(() => makePackedBatches(pairs, { ...OPTIONS, ...option })).toThrow(
      `makePackedBatches: ${rule}; choose one in that range`,
    );
  });
});
