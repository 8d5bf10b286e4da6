// `npm run prove`: compiles proofs/ together with the sources they measure, where either changed, and runs them.
import { execFileSync } from "node:child_process";
import { existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { newestMtime } from "./newest.mjs";
import "./quiet-pipe.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (/** @type {string} */ name) => path.join(root, name);
const stamp = at(".proofs/.built");

if ((statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0) < newestMtime([at("src"), at("proofs")])) {
  const typescript = path.dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const tsc = path.join(typescript, "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", at("proofs/tsconfig.json")], { stdio: "inherit" });
  writeFileSync(stamp, "");
}
// Sources look for the weights that ship beside their own folder.
if (!existsSync(at(".proofs/weights"))) symlinkSync(at("weights"), at(".proofs/weights"), "junction");
// The path is not a literal: before the first compilation there is nothing there for types.
const { main } = await import(pathToFileURL(at(".proofs/proofs/prove.js")).href);
process.exitCode = await main(process.argv.slice(2), root);
