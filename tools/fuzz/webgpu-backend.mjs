// Every conformance case, and every layer of docs/LAYERS.md, on TensorFlow.js' `webgpu` backend: the tests of which `npm test`
// runs a few, since a software device compiles the shaders of each for seconds.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const TESTS = ["test/conformance/conformance.test.ts", "test/host/webgpu"];

/** Answers the exit code. */
export function testWebgpuBackend() {
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const env = { ...process.env, HEED_WEBGPU: "all" };
  const { status } = spawnSync(process.execPath, [vitest, "run", ...TESTS], {
    cwd: root,
    stdio: "inherit",
    env,
  });
  return status ?? 1;
}
