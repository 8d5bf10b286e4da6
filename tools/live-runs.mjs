// Writes studio/public/runs: what the live models of the studio show until they are loaded, and the scenes that they are shown.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.join(root, "studio/public/runs");

const server = await createServer({
  configFile: false,
  root,
  logLevel: "warn",
  server: { middlewareMode: true, watch: null },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { makeRuns } = await server.ssrLoadModule("/studio/live/make-runs.ts");
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(await makeRuns())) {
    writeFileSync(path.join(folder, name), content);
    console.log(`${name}  ${content.length} bytes`);
  }
} finally {
  await server.close();
}
process.exit(0);
