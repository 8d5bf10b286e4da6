// Asks axe about every state of the studio's pages in every mode: light, dark, forced colours, a phone and 320 px.
//
//   npm run axe
//
// `npm test` looks at each state too, in one mode each. The states are those of test/studio/states.ts. The exit code is 1
// where axe finds something, or a page is wider than its window.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { status } = spawnSync(
  process.execPath,
  [path.join(root, "node_modules/vitest/vitest.mjs"), "run", "test/studio/axe.test.ts"],
  { cwd: root, stdio: "inherit", env: { ...process.env, HEED_AXE: "all" } },
);
process.exitCode = status ?? 1;
