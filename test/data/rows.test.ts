import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPairs, hashedOrder, rowsChecksum } from "../../src/data/rows.ts";
import { parsePairs } from "../../src/data/tsv.ts";

const text = fc.string({ unit: fc.constantFrom(..."ab é\uffee😀"), maxLength: 5 });
const pairs = fc.uniqueArray(fc.record({ source: text, target: text }), {
  selector: ({ source, target }) => `${source}\t${target}`,
  maxLength: 13,
});

describe("hashedOrder", () => {
  test("is the same for the same rows in any order, with the rows of a source together", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const ordered = hashedOrder(rows);
        expect(hashedOrder(rows.toReversed())).toEqual(ordered);
        expect(ordered).toHaveLength(rows.length);
        const changes = ordered.filter((row, i) => row.source !== ordered[i - 1]?.source).length;
        expect(changes).toBe(new Set(rows.map((row) => row.source)).size);
      }),
    );
  });

  test("follows sha256 of the source", () => {
    // sha256: "c" 2e7d…, "b" 3e23…, "a" ca97…
    const rows = ["a", "b", "c"].map((source) => ({ source, target: "x" }));
    expect(hashedOrder(rows).map((row) => row.source)).toEqual(["c", "b", "a"]);
  });
});

describe("rowsChecksum", () => {
  test("is sha256 of the rows in byte order", () => {
    // In UTF-8 the emoji (F0…) comes after U+FFEE (EF…); in UTF-16 it would come before.
    const rows = ["😀", "\uffee", "b", "a"].map((source) => ({ source, target: "x" }));
    const expected = createHash("sha256").update("a\tx\nb\tx\n\uffee\tx\n😀\tx\n").digest("hex");
    expect(rowsChecksum(rows)).toBe(expected);
  });

  test("does not depend on the order, but on every row", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        expect(rowsChecksum(rows.toReversed())).toBe(rowsChecksum(rows));
        if (rows.length > 0) expect(rowsChecksum(rows.slice(1))).not.toBe(rowsChecksum(rows));
      }),
    );
  });
});

test("formatPairs writes what parsePairs reads", () => {
  const rows = [
    { source: "Go.", target: "Va !" },
    { source: "", target: "é" },
  ];
  expect(parsePairs(formatPairs(rows), "x")).toEqual(rows);
});
