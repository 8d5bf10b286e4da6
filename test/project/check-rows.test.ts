import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkRows } from "../../tools/check-rows.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const home = { root, ci: false };
const ci = { root, ci: true };
/** The problems alone, at home. */
const problems = (...[rows, ran]: [Parameters<typeof checkRows>[0], Parameters<typeof checkRows>[1]]) =>
  checkRows(rows, ran, home).problems;

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
    expect(problems(plan({ title: "adds" }), report({ title: "adds", status: "passed" }))).toEqual([]);
  });

  test("a test that does not exist is caught, by its title or by its file", () => {
    const ran = report({ title: "adds", status: "passed" });
    expect(problems(plan({ title: "subtracts" }), ran)).toEqual([
      'row 17 (Dot score): test/a.test.ts has no test "subtracts"',
    ]);
    expect(problems(plan({ title: "adds", file: "test/b.test.ts" }), ran)).toEqual([
      'row 17 (Dot score): test/b.test.ts has no test "adds"',
    ]);
  });

  test("a test that failed or was skipped is caught", () => {
    for (const status of ["failed", "skipped", "pending", "todo"]) {
      expect(problems(plan({ title: "adds" }), report({ title: "adds", status }))).toEqual([
        `row 17 (Dot score): test/a.test.ts: "adds" was ${status}`,
      ]);
    }
  });

  test.each([
    ["data", "reads (skipped: no data set tatoeba-en-fr)"],
    ["browser", "reads (skipped: no Chromium; set CHROMIUM_PATH)"],
  ] as const)(
    "a test that needs the %s may say that it was skipped for want of it, but not in CI",
    (needs, title) => {
      const ran = report({ title, status: "skipped", group: "files" });
      const notRun = [`row 17 (Dot score): test/a.test.ts: "reads" not run here: no ${needs}`];
      expect(checkRows(plan({ title: "reads", needs }), ran, home)).toEqual({ problems: [], notRun });
      expect(checkRows(plan({ title: "reads", needs }), ran, ci)).toEqual({
        problems: ['row 17 (Dot score): test/a.test.ts: "reads" was skipped'],
        notRun: [],
      });
      expect(checkRows(plan({ title: "files reads", needs }), ran, home).notRun).toHaveLength(1);
      expect(problems(plan({ title: "reads" }), ran)).toEqual([
        'row 17 (Dot score): test/a.test.ts has no test "reads"',
      ]);
    },
  );

  test("a test that needs the data and was skipped for another reason, or failed, is caught", () => {
    for (const test of [
      { title: "reads", status: "skipped" },
      { title: "reads", status: "failed" },
      { title: "reads (skipped: no data set toy)", status: "failed" },
    ]) {
      expect(problems(plan({ title: "reads", needs: "data" }), report(test))).toEqual([
        `row 17 (Dot score): test/a.test.ts: "reads" was ${test.status}`,
      ]);
    }
  });

  test("two tests of one title must be told apart by their group", () => {
    const two = report(
      { title: "adds", status: "passed", group: "one" },
      { title: "adds", status: "passed", group: "two" },
    );
    expect(problems(plan({ title: "adds" }), two)).toEqual([
      'row 17 (Dot score): test/a.test.ts has 2 tests "adds"; give the one with its group',
    ]);
    expect(problems(plan({ title: "two adds" }), two)).toEqual([]);
  });

  test("a missing file, and a row without files or tests, is caught", () => {
    const ran = report({ title: "adds", status: "passed" });
    expect(problems(plan({ title: "adds" }, ["src/nothing.ts"]), ran)).toEqual([
      "row 17 (Dot score): src/nothing.ts does not exist",
    ]);
    expect(problems({ rows: [{ row: 1, name: "Mask", files: [], tests: [] }] }, ran)).toEqual([
      "row 1 (Mask): names no file",
      "row 1 (Mask): names no test",
    ]);
  });
});
