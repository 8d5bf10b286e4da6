// Makes the API reference from the docstrings by typedoc, which has a folder and packages of its own: it calls TypeScript's
// compiler as a library, and the TypeScript that builds heed is none.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Writes it below the folder's `api`. */
export function writeReference(/** @type {{ root: string, folder: string }} */ { root, folder }) {
  const tool = path.join(root, "tools/site/api");
  const out = path.join(folder, "api");
  const run = (/** @type {string} */ command, /** @type {string[]} */ args) =>
    execFileSync(command, args, { cwd: tool, stdio: ["ignore", "inherit", "inherit"] });
  if (!existsSync(path.join(tool, "node_modules"))) run("npm", ["ci", "--no-audit", "--no-fund"]);
  const typedoc = path.join(tool, "node_modules/typedoc/bin/typedoc");
  run(process.execPath, [typedoc, "--options", path.join(tool, "typedoc.config.mjs"), "--out", out]);
  for (const file of readdirSync(out, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".html")) continue;
    const place = path.join(out, file);
    const up = path.relative(path.dirname(place), folder).split(path.sep).join("/");
    writeFileSync(place, readFileSync(place, "utf8").replaceAll('href="site:', `href="${up}/`));
  }
}
