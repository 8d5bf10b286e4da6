// Runs before `npm start` and `npm test`: installs and builds when something is missing or older than its
// sources, and is silent otherwise. Needs nothing but Node itself.
import { execSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { newestMtime } from "./newest.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (/** @type {string} */ name) => path.join(root, name);
const mtime = (/** @type {string} */ name) => statSync(at(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const run = (/** @type {string} */ command) => {
  try {
    execSync(command, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  } catch {
    process.exit(1);
  }
};

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`heed: needs Node 20.19 or newer, got ${process.versions.node}; install a newer Node`);
  process.exit(2);
}
if (mtime("node_modules/.package-lock.json") < mtime("package-lock.json")) {
  console.log("heed: installing its packages (once)");
  run("npm ci --no-audit --no-fund");
}
const sources = newestMtime(
  [
    "src",
    "studio",
    "assembly",
    "tools/build.mjs",
    "tools/elements.mjs",
    "tools/rooms.mjs",
    "tools/studio.mjs",
    // The pages keep models by their digests.
    "tools/offline.mjs",
    "weights",
    "tsconfig.json",
    "tsconfig.build.json",
    "package.json",
  ].map(at),
);
if (mtime("dist/.built") < sources) {
  console.log("heed: building");
  run("node tools/build.mjs");
}
