import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Row } from "../../tools/check-rows.d.mts";

/** What can be said before the tests have run; tools/check-rows.mjs says the rest afterwards. */
const root = path.resolve(import.meta.dirname, "../..");
const { rows } = JSON.parse(readFileSync(path.join(root, "test/rows.json"), "utf8")) as { rows: Row[] };

const STEPS = [
  "transformers",
  "translation",
  "checkpoints",
  "memory and glimpses",
  "applications",
  "studio",
  "webgpu",
];

test("test/rows.json has all 107 rows, in order, each with a sentence", () => {
  expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 107 }, (_, n) => n + 1));
  expect(rows.filter(({ name, statement }) => name === "" || !/^\S.*\.$/.test(statement))).toEqual([]);
});

test("each row has files and one to three tests, or says which step brings what is missing", () => {
  const isDone = ({ files, tests }: Row) => files.length > 0 && tests.length > 0;
  const isPromised = ({ missing = "" }: Row) => STEPS.includes(missing.split(":")[0]!);
  expect(rows.filter((row) => !isDone(row) && !isPromised(row))).toEqual([]);
  expect(rows.filter((row) => row.missing !== undefined && !isPromised(row))).toEqual([]);
  expect(rows.filter(({ tests }) => tests.length > 3)).toEqual([]);
});

test("the files and the tests that test/rows.json names exist", () => {
  const missing = rows.flatMap(({ row, files, tests }) =>
    [...files, ...tests.map((test) => test.split(": ")[0]!)]
      .filter((file) => !existsSync(path.join(root, file)))
      .map((file) => `row ${row}: ${file}`),
  );
  expect(missing).toEqual([]);
});
