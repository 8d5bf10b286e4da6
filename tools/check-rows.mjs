// Checks docs/rows.json, the map from each row of the plan to the files and the tests that prove it, against
// the report of a whole test run: every file must exist and every named test must have run and passed.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** @import { Lacks, Report, Row } from "./check-rows.d.mts" */

/**
 * What is wrong with the rows, one sentence each; empty when all is well.
 *
 * A test that was skipped did not run. The one exception: a test that `needs` the data sets or a browser may be
 * skipped on a machine that lacks them, except in CI.
 *
 * @param {{ rows: Row[] }} plan docs/rows.json
 * @param {Report} report of `vitest --reporter=json`
 * @param {{ root: string, lacks: Lacks }} machine
 * @returns {string[]}
 */
export function checkRows(plan, report, { root, lacks }) {
  const problems = [];
  const reports = new Map(
    report.testResults.map((file) => [path.relative(root, file.name), file.assertionResults]),
  );
  for (const { row, name, files, tests } of plan.rows) {
    const say = (/** @type {string} */ what) => problems.push(`row ${row} (${name}): ${what}`);
    if (files.length === 0) say("names no file");
    if (tests.length === 0) say("names no test");
    for (const file of files) if (!existsSync(path.join(root, file))) say(`${file} does not exist`);
    for (const { file, title, needs } of tests) {
      const found =
        reports.get(file)?.filter((test) => test.title === title || test.fullName === title) ?? [];
      const [test] = found;
      if (!test) say(`${file} has no test "${title}"`);
      else if (found.length > 1)
        say(`${file} has ${found.length} tests "${title}"; give the one with its group`);
      else if (test.status === "passed") continue;
      else if (test.status === "failed" || !needs || !lacks(needs))
        say(`${file}: "${title}" was ${test.status}`);
    }
  }
  return problems;
}

/** Whether this machine is without the data sets or a browser; in CI nothing may be lacking. */
export function machineLacks(/** @type {string} */ root, /** @type {NodeJS.ProcessEnv} */ env) {
  const browsers = [
    env.CHROMIUM_PATH,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  const present = {
    data: existsSync(path.join(root, "../shared/data")),
    browser: browsers.some((browser) => browser && existsSync(browser)),
  };
  return (/** @type {"data" | "browser"} */ need) => !env.CI && !present[need];
}

/** Reads both files and checks them. */
export function checkRowsFiles(/** @type {string} */ root, /** @type {string} */ reportFile) {
  const read = (/** @type {string} */ file) => JSON.parse(readFileSync(file, "utf8"));
  const plan = read(path.join(root, "docs/rows.json"));
  return {
    rows: plan.rows.length,
    problems: checkRows(plan, read(reportFile), { root, lacks: machineLacks(root, process.env) }),
  };
}
