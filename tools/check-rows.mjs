// Checks docs/rows.json, the map from each row of the plan to the files and the tests that prove it, against
// the report of a whole test run: every file must exist and every named test must have run and passed.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** @import { Checked, Report, Row } from "./check-rows.d.mts" */

/** How the title goes on of a test that was skipped because the machine lacks what it needs (test/support). */
const LACKING = { data: " (skipped: no data set ", browser: " (skipped: no Chromium" };

/**
 * What is wrong with the rows, one sentence each, and which tests could not run here.
 *
 * A test that was skipped did not run. The one exception, but not in CI: a row says that its test `needs` the data
 * sets or a browser, and the test says that it was skipped for want of them.
 *
 * @param {{ rows: Row[] }} plan docs/rows.json
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
  for (const { row, name, files, tests } of plan.rows) {
    const say = (/** @type {string} */ what) => checked.problems.push(`row ${row} (${name}): ${what}`);
    if (files.length === 0) say("names no file");
    if (tests.length === 0) say("names no test");
    for (const file of files) if (!existsSync(path.join(root, file))) say(`${file} does not exist`);
    for (const { file, title, needs } of tests) {
      const lacking = needs && title + LACKING[needs];
      const isLacking = (/** @type {string} */ said) => lacking !== undefined && said.startsWith(lacking);
      const found = (reports.get(file) ?? []).filter(
        (test) => [test.title, test.fullName].includes(title) || [test.title, test.fullName].some(isLacking),
      );
      const [test] = found;
      if (!test) say(`${file} has no test "${title}"`);
      else if (found.length > 1)
        say(`${file} has ${found.length} tests "${title}"; give the one with its group`);
      else if (test.status === "passed") continue;
      else if (test.status !== "failed" && !ci && [test.title, test.fullName].some(isLacking))
        checked.notRun.push(`row ${row} (${name}): ${file}: "${title}" not run here: no ${needs}`);
      else say(`${file}: "${title}" was ${test.status}`);
    }
  }
  return checked;
}

/** Reads both files and checks them. */
export function checkRowsFiles(/** @type {string} */ root, /** @type {string} */ reportFile) {
  const read = (/** @type {string} */ file) => JSON.parse(readFileSync(file, "utf8"));
  const plan = read(path.join(root, "docs/rows.json"));
  const machine = { root, ci: Boolean(process.env.CI) };
  return { rows: plan.rows.length, ...checkRows(plan, read(reportFile), machine) };
}
