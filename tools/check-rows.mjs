// Checks test/rows.json, the plan row by row, against the report of a whole test run: every file must exist, and every
// test that a row names must have run and passed.
//
// `node tools/check-rows.mjs` alone runs no test: it asks vitest for their titles, and says which words name none.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** @import { Checked, Report, Row } from "./check-rows.d.mts" */

/** What the title of a test says that this machine cannot run (test/support). */
const LACKING = /\(skipped: no (data set|Chromium)/;

/**
 * What is wrong with the rows, one sentence each, and which tests could not run here.
 *
 * A row names a test as `<file>: <words>` and means every test of the file whose full title, groups included, has these
 * words: on each backend, with each input. A test that was skipped did not run. The one exception, but not in CI: it
 * says itself that this machine lacks the data set or the browser.
 *
 * @param {{ rows: Row[] }} plan test/rows.json
 * @param {Report} report of `vitest --reporter=json`
 * @param {{ root: string, ci: boolean }} machine
 * @returns {Checked}
 */
export function checkRows(plan, report, { root, ci }) {
  /** @type {Checked} */
  const checked = { problems: [], notRun: [] };
  const reports = new Map(
    report.testResults.map((file) => [
      path.relative(root, file.name).replaceAll(path.sep, "/"),
      file.assertionResults,
    ]),
  );
  for (const { row, name, files, tests, missing } of plan.rows) {
    const say = (/** @type {string} */ what) => checked.problems.push(`row ${row} (${name}): ${what}`);
    if (!missing && files.length === 0) say("names no file, and does not say what is missing");
    if (!missing && tests.length === 0) say("names no test, and does not say what is missing");
    for (const file of files) if (!existsSync(path.join(root, file))) say(`${file} does not exist`);
    for (const test of tests) {
      const at = test.indexOf(": ");
      const [file, words] = [test.slice(0, at), test.slice(at + 2)];
      const found = (reports.get(file) ?? []).filter(({ fullName }) => fullName.includes(words));
      if (found.length === 0) say(`${file} has no test "${words}"`);
      for (const { fullName, status } of found) {
        if (status === "passed") continue;
        if (status !== "failed" && !ci && LACKING.test(fullName))
          checked.notRun.push(`row ${row} (${name}): ${file}: "${fullName}" cannot run here`);
        else say(`${file}: "${fullName}" was ${status}`);
      }
    }
  }
  return checked;
}

/** Reads both files and checks them. */
export function checkRowsFiles(/** @type {string} */ root, /** @type {string} */ reportFile) {
  const read = (/** @type {string} */ file) => JSON.parse(readFileSync(file, "utf8"));
  const plan = read(path.join(root, "test/rows.json"));
  const machine = { root, ci: Boolean(process.env.CI) };
  /** @type {Row[]} */
  const rows = plan.rows;
  const missing = rows.filter((row) => row.missing !== undefined).length;
  return { rows: rows.length, missing, ...checkRows(plan, read(reportFile), machine) };
}

/** The titles of all tests, as if each had passed. */
function titles(/** @type {string} */ root) {
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const text = execFileSync(process.execPath, [vitest, "list", "--json"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  /** @type {Map<string, { title: string, fullName: string, status: string }[]>} */
  const files = new Map();
  for (const { name, file } of JSON.parse(text.slice(text.indexOf("[\n")))) {
    const fullName = name.replaceAll(" > ", " ");
    files.set(file, [...(files.get(file) ?? []), { title: fullName, fullName, status: "passed" }]);
  }
  return { testResults: [...files].map(([name, assertionResults]) => ({ name, assertionResults })) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  const plan = JSON.parse(readFileSync(path.join(root, "test/rows.json"), "utf8"));
  const { problems } = checkRows(plan, titles(root), { root, ci: false });
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`${plan.rows.length} rows name tests that exist`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
