/** Tests of which `npm test` runs a part, whole: what they read from the environment says how much. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** Answers the exit code. */
export function runTests(/** @type {string[]} */ tests, /** @type {Record<string, string>} */ asked) {
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(process.execPath, [vitest, "run", ...tests], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...asked },
  });
  return status ?? 1;
}
