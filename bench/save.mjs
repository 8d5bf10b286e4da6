/** Keeps a run in docs/benchmarks.json, one of each suite and Node, and makes docs/BENCHMARKS.md from it. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (/** @type {string} */ file) => fileURLToPath(new URL(`../${file}`, import.meta.url));

/** Times to a tenth of a microsecond, so that the file stays readable. */
const rounded = (/** @type {string} */ _key, /** @type {unknown} */ value) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;

export function saveRun(/** @type {import("./table.mjs").FullRun} */ run) {
  const file = at("docs/benchmarks.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  const node = run.machine.node.split(".")[0].slice(1);
  kept[run.suite] = { ...kept[run.suite], [node]: run };
  const biome = [
    at("node_modules/@biomejs/biome/bin/biome"),
    "format",
    "--stdin-file-path=docs/benchmarks.json",
  ];
  const input = JSON.stringify(kept, rounded, 2);
  writeFileSync(file, execFileSync(process.execPath, biome, { cwd: at("."), input, encoding: "utf8" }));
  execFileSync(process.execPath, [at("tools/docs/benchmarks.mjs")], { stdio: "inherit" });
}
