import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Row } from "../../tools/check-rows.d.mts";

/** What can be said before the tests have run; tools/check-rows.mjs says the rest afterwards. */
const root = path.resolve(import.meta.dirname, "../..");
const { rows } = JSON.parse(readFileSync(path.join(root, "docs/rows.json"), "utf8")) as { rows: Row[] };

test("docs/rows.json has each row once, in order, with files and tests", () => {
  const numbers = rows.map(({ row }) => row);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(rows.filter(({ files, tests }) => files.length === 0 || tests.length === 0)).toEqual([]);
});

test("the files and the tests that docs/rows.json names exist", () => {
  const missing = rows.flatMap(({ row, files, tests }) =>
    [...files, ...tests.map(({ file }) => file)]
      .filter((file) => !existsSync(path.join(root, file)))
      .map((file) => `row ${row}: ${file}`),
  );
  expect(missing).toEqual([]);
});

test("the rows of the first step are there", () => {
  // Of 1 to 21, row 5 (the pipeline's diagram) comes with the pictures and row 14 (gated products) with the gates.
  const first = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 53, 56, 57, 59, 65, 74];
  expect(first.filter((row) => !rows.some((done) => done.row === row))).toEqual([]);
});
