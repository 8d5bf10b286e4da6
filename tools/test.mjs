// What `npm test` runs once everything is installed and built: lint, types, the tests, and the check that
// docs/rows.json names only tests that ran. Arguments go to vitest: `npm test -- test/viz`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkRowsFiles } from "./check-rows.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const filters = process.argv.slice(2);
const temporary = mkdtempSync(path.join(tmpdir(), "heed-test-"));
const reportFile = path.join(temporary, "vitest.json");
let failedSteps = 0;

/** Runs one tool of node_modules/.bin below a heading; a failure is counted, and the next step still runs. */
function step(/** @type {string} */ heading, /** @type {string} */ tool, /** @type {string[]} */ args) {
  console.log(`\n== ${heading}`);
  const file = path.join(root, "node_modules/.bin", process.platform === "win32" ? `${tool}.cmd` : tool);
  const { status, error } = spawnSync(file, args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (error) console.error(error.message);
  return status === 0;
}

if (!step("Lint and format (biome)", "biome", ["check", "--error-on-warnings", "."])) failedSteps++;
if (!step("Types (tsc)", "tsc", ["-p", "tsconfig.json"])) failedSteps++;
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
const vitestPassed = step("Tests (vitest)", "vitest", ["run", ...reporters, ...filters]);

console.log("\n== Rows (docs/rows.json)");
let counts = { passed: 0, failed: 0, skipped: 0 };
if (existsSync(reportFile)) {
  const report = JSON.parse(readFileSync(reportFile, "utf8"));
  counts = {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
  if (filters.length > 0) console.log("not checked: only part of the tests ran");
  else {
    const { rows, problems } = checkRowsFiles(root, reportFile);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) failedSteps++;
    else console.log(`${rows} rows, every named test ran and passed`);
  }
}
rmSync(temporary, { recursive: true });

// A file that does not load, or an error outside of any test, fails vitest without a failed test to count.
if (!vitestPassed && counts.failed === 0) failedSteps++;
const failed = counts.failed + failedSteps;
console.log(`\n${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
