import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkRows, machineLacks } from "../../tools/check-rows.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const complete = { root, lacks: () => false };
const bare = { root, lacks: () => true };

function report(...tests: { title: string; status: string; group?: string }[]) {
  const assertionResults = tests.map(({ title, status, group }) => ({
    title,
    fullName: group ? `${group} ${title}` : title,
    status,
  }));
  return { testResults: [{ name: path.join(root, "test/a.test.ts"), assertionResults }] };
}

function plan(test: { file?: string; title: string; needs?: "data" | "browser" }, files = ["package.json"]) {
  return { rows: [{ row: 17, name: "Dot score", files, tests: [{ file: "test/a.test.ts", ...test }] }] };
}

describe("checkRows", () => {
  test("a row whose files exist and whose tests passed is in order", () => {
    expect(checkRows(plan({ title: "adds" }), report({ title: "adds", status: "passed" }), complete)).toEqual(
      [],
    );
  });

  test("a test that does not exist is caught, by its title or by its file", () => {
    const ran = report({ title: "adds", status: "passed" });
    expect(checkRows(plan({ title: "subtracts" }), ran, complete)).toEqual([
      'row 17 (Dot score): test/a.test.ts has no test "subtracts"',
    ]);
    expect(checkRows(plan({ title: "adds", file: "test/b.test.ts" }), ran, complete)).toEqual([
      'row 17 (Dot score): test/b.test.ts has no test "adds"',
    ]);
  });

  test("a test that failed or was skipped is caught", () => {
    for (const status of ["failed", "skipped", "pending", "todo"]) {
      expect(checkRows(plan({ title: "adds" }), report({ title: "adds", status }), complete)).toEqual([
        `row 17 (Dot score): test/a.test.ts: "adds" was ${status}`,
      ]);
    }
  });

  test("a test that needs the data may be skipped only where the data is lacking", () => {
    const skipped = report({ title: "reads", status: "skipped" });
    expect(checkRows(plan({ title: "reads", needs: "data" }), skipped, bare)).toEqual([]);
    expect(checkRows(plan({ title: "reads" }), skipped, bare)).toHaveLength(1);
    expect(checkRows(plan({ title: "reads", needs: "data" }), skipped, complete)).toHaveLength(1);
    const failed = report({ title: "reads", status: "failed" });
    expect(checkRows(plan({ title: "reads", needs: "data" }), failed, bare)).toHaveLength(1);
  });

  test("in CI nothing counts as lacking", () => {
    const nowhere = path.join(root, "no/such/folder");
    expect(machineLacks(nowhere, {})("data")).toBe(true);
    expect(machineLacks(nowhere, { CI: "true" })("data")).toBe(false);
  });

  test("two tests of one title must be told apart by their group", () => {
    const two = report(
      { title: "adds", status: "passed", group: "one" },
      { title: "adds", status: "passed", group: "two" },
    );
    expect(checkRows(plan({ title: "adds" }), two, complete)).toEqual([
      'row 17 (Dot score): test/a.test.ts has 2 tests "adds"; give the one with its group',
    ]);
    expect(checkRows(plan({ title: "two adds" }), two, complete)).toEqual([]);
  });

  test("a missing file, and a row without files or tests, is caught", () => {
    const ran = report({ title: "adds", status: "passed" });
    expect(checkRows(plan({ title: "adds" }, ["src/nothing.ts"]), ran, complete)).toEqual([
      "row 17 (Dot score): src/nothing.ts does not exist",
    ]);
    expect(checkRows({ rows: [{ row: 1, name: "Mask", files: [], tests: [] }] }, ran, complete)).toEqual([
      "row 1 (Mask): names no file",
      "row 1 (Mask): names no test",
    ]);
  });
});
