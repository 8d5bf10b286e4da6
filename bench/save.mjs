/**
 * Keeps a run in docs/benchmarks.json, one of each suite and Node, and makes docs/BENCHMARKS.md from it. A run of some
 * cases replaces these in the run that is kept: everyone took turns in each case, so their ratios stand by themselves.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (/** @type {string} */ file) => fileURLToPath(new URL(`../${file}`, import.meta.url));

/** Times to a tenth of a microsecond, so that the file stays readable. */
const rounded = (/** @type {string} */ _key, /** @type {unknown} */ value) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;

/**
 * @param {import("./table.mjs").FullRun | undefined} kept
 * @param {import("./table.mjs").FullRun} run of some of its cases
 */
export function merged(kept, run) {
  if (!kept || kept.machine.node !== run.machine.node) return run;
  const again = run.results.map(({ name }) => name);
  const results = kept.results.map(
    (result) => run.results.find(({ name }) => name === result.name) ?? result,
  );
  const added = run.results.filter(({ name }) => !kept.results.some((result) => result.name === name));
  return {
    ...run,
    date: kept.date,
    peak: Math.max(kept.peak ?? 0, run.peak ?? 0) || undefined,
    memory: run.memory ?? kept.memory,
    versions: { ...kept.versions, ...run.versions },
    absent: { ...kept.absent, ...run.absent },
    again: [...new Set([...(kept.again ?? []), ...again])],
    results: [...results, ...added],
  };
}

export function saveRun(/** @type {import("./table.mjs").FullRun} */ run, /** @type {boolean} */ isPart) {
  const file = at("docs/benchmarks.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  const node = run.machine.node.split(".")[0].slice(1);
  kept[run.suite] = { ...kept[run.suite], [node]: isPart ? merged(kept[run.suite]?.[node], run) : run };
  const biome = [
    at("node_modules/@biomejs/biome/bin/biome"),
    "format",
    "--stdin-file-path=docs/benchmarks.json",
  ];
  const input = JSON.stringify(kept, rounded, 2);
  writeFileSync(file, execFileSync(process.execPath, biome, { cwd: at("."), input, encoding: "utf8" }));
  execFileSync(process.execPath, [at("tools/docs/benchmarks.mjs")], { stdio: "inherit" });
}
