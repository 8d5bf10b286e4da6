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

function plan(test: string, files = ["package.json"]) {
  return { rows: [{ row: 17, name: "Dot score", statement: "It adds.", files, tests: [test] }] };
}

describe("checkRows", () => {
  test("a row whose files exist and whose tests passed is in order", () => {
    expect(problems(plan("test/a.test.ts: adds"), report({ title: "adds", status: "passed" }))).toEqual([]);
  });

  test("a test that does not exist is caught, by its words or by its file", () => {
    const ran = report({ title: "adds", status: "passed" });
    expect(problems(plan("test/a.test.ts: subtracts"), ran)).toEqual([
      'row 17 (Dot score): test/a.test.ts has no test "subtracts"',
    ]);
    expect(problems(plan("test/b.test.ts: adds"), ran)).toEqual([
      'row 17 (Dot score): test/b.test.ts has no test "adds"',
    ]);
  });

  test("a test that failed or was skipped is caught", () => {
    for (const status of ["failed", "skipped", "pending", "todo"]) {
      expect(problems(plan("test/a.test.ts: adds"), report({ title: "adds", status }))).toEqual([
        `row 17 (Dot score): test/a.test.ts: "adds" was ${status}`,
      ]);
    }
  });

  test("words name every test that has them, in its groups too, and each must have passed", () => {
    const ran = report(
      { title: "adds numbers: 1", status: "passed", group: "on cpu" },
      { title: "adds numbers: 2", status: "failed", group: "on heed" },
      { title: "subtracts", status: "failed", group: "on heed" },
    );
    expect(problems(plan("test/a.test.ts: adds numbers: "), ran)).toEqual([
      'row 17 (Dot score): test/a.test.ts: "on heed adds numbers: 2" was failed',
    ]);
    expect(problems(plan("test/a.test.ts: on cpu adds"), ran)).toEqual([]);
  });

  test.each([
    "reads (skipped: no data set tatoeba-en-fr)",
    "reads (skipped: no Chromium; set CHROMIUM_PATH)",
  ])("a test may say that it was skipped for want of data or a browser, but not in CI: %s", (title) => {
    const ran = report({ title, status: "skipped", group: "files" });
    expect(checkRows(plan("test/a.test.ts: reads"), ran, home)).toEqual({
      problems: [],
      notRun: [`row 17 (Dot score): test/a.test.ts: "files ${title}" cannot run here`],
    });
    expect(checkRows(plan("test/a.test.ts: reads"), ran, ci)).toEqual({
      problems: [`row 17 (Dot score): test/a.test.ts: "files ${title}" was skipped`],
      notRun: [],
    });
  });

  test("a test that lacks something and failed is caught", () => {
    const title = "reads (skipped: no data set toy)";
    expect(problems(plan("test/a.test.ts: reads"), report({ title, status: "failed" }))).toEqual([
      `row 17 (Dot score): test/a.test.ts: "${title}" was failed`,
    ]);
  });

  test("a missing file, and a row without files or tests that does not say why, is caught", () => {
    const ran = report({ title: "adds", status: "passed" });
    expect(problems(plan("test/a.test.ts: adds", ["src/nothing.ts"]), ran)).toEqual([
      "row 17 (Dot score): src/nothing.ts does not exist",
    ]);
    const empty = { row: 1, name: "Mask", statement: "It hides.", files: [], tests: [] };
    expect(problems({ rows: [empty] }, ran)).toEqual([
      "row 1 (Mask): names no file, and does not say what is missing",
      "row 1 (Mask): names no test, and does not say what is missing",
    ]);
    expect(problems({ rows: [{ ...empty, missing: "applications" }] }, ran)).toEqual([]);
  });
});
