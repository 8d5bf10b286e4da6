// `npm run bench -- attention`: installs the peers of bench/ and builds heed when they are missing or older than their
// sources, then runs bench/main.mjs, which explains its arguments.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import "./prepare.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const mtime = (/** @type {string} */ name) =>
  statSync(path.join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
// The GPU libraries that onnxruntime-node would fetch are not measured here.
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };

if (mtime("bench/node_modules/.package-lock.json") < mtime("bench/package-lock.json")) {
  console.error("heed: installing the peers of bench/ (once)");
  const command = "npm ci --prefix bench --no-audit --no-fund";
  const { status } = spawnSync(command, { cwd: root, env, shell: true, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}
const main = [path.join(root, "bench/main.mjs"), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, main, { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
