// What `npm test` runs once everything is installed and built: lint, types, the tests, and the check that
// test/rows.json names only tests that ran. Arguments go to vitest: `npm test -- test/viz`.
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

/**
 * Runs the command that an installed package is named for, below a heading; the next step runs even when it fails. Node runs its script itself: what stands in node_modules/.bin needs a shell on Windows.
 */
function step(
  /** @type {string} */ heading,
  /** @type {[packageName: string, command: string]} */ [packageName, command],
  /** @type {string[]} */ args,
) {
  console.log(`\n== ${heading}`);
  const folder = path.join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const script = path.join(folder, bin[command]);
  const { status, error } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: "inherit" });
  if (error) console.error(error.message);
  return status === 0;
}

function lintAndTypes() {
  if (!step("Lint and format (biome)", ["@biomejs/biome", "biome"], ["check", "--error-on-warnings", "."]))
    failedSteps++;
  if (!step("Types (tsc)", ["typescript", "tsc"], ["-p", "tsconfig.json"])) failedSteps++;
}

// Who names a file waits for that file's tests.
if (filters.length === 0) lintAndTypes();
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
const vitestPassed = step("Tests (vitest)", ["vitest", "vitest"], ["run", ...reporters, ...filters]);
if (filters.length > 0) lintAndTypes();

console.log("\n== Rows (test/rows.json)");
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
    const { rows, missing, problems, notRun } = checkRowsFiles(root, reportFile);
    for (const test of notRun) console.log(test);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) failedSteps++;
    else
      console.log(`${rows} rows, ${missing} with parts to come; every named test that can run here passed`);
  }
}
rmSync(temporary, { recursive: true });

// A file that does not load, or an error outside of any test, fails vitest without a failed test to count.
if (!vitestPassed && counts.failed === 0) failedSteps++;
const failed = counts.failed + failedSteps;
console.log(`\n${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
