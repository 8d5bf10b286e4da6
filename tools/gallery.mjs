// Draws README's strip of eight attention maps and its applications, and docs/VIEWS.md with its pictures. `--check` draws and compares with
// the files instead; a test runs that. The pictures of docs/MECHANISMS.md and docs/mechanisms are made by tools/docs/mechanisms.mjs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { drawApplications } from "./gallery/applications.mjs";
import { drawStrip } from "./gallery/strip.mjs";
import { drawViews } from "./gallery/views.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const read = (/** @type {string} */ file) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
};

const { page, pictures } = await drawViews();
const files = {
  "docs/images/strip.svg": await drawStrip(root),
  "docs/images/applications.svg": drawApplications(root),
  "docs/VIEWS.md": page,
  ...Object.fromEntries(
    Object.entries(pictures).map(([name, svg]) => [`docs/images/views/${name}.svg`, svg]),
  ),
};
const stale = Object.entries(files).filter(([file, text]) => read(path.join(root, file)) !== text);
if (!process.argv.includes("--check"))
  for (const [file, text] of stale) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    console.log(`drew ${file}`);
  }
else if (stale.length > 0) {
  console.error(
    `gallery: ${stale.map(([file]) => file).join(", ")} must be what is drawn now; run npm run gallery and look`,
  );
  process.exitCode = 1;
}
