import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** A page as biome formats Markdown, so that the formatter and the script that makes the page agree. */
export function formatted(/** @type {string} */ text, /** @type {string} */ name) {
  const biome = path.join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "format", `--stdin-file-path=docs/${name}`];
  return execFileSync(process.execPath, args, { cwd: root, input: text, encoding: "utf8" });
}
