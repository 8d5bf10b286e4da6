// A registry shows README.md away from the files that it names. While `npm pack` runs, its links are addresses on a
// server that hands out the files of every package published to npm; `--restore` brings the README of the clone back.
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const SERVER = "https://cdn.jsdelivr.net/npm";
/** Where a link or a picture of Markdown and HTML begins, before an address within the repository. */
const RELATIVE = /(\]\(|src="|href=")(?!https?:|#|mailto:)([^)"]+)/g;

/** The README with addresses that resolve anywhere. */
export function publishedReadme(
  /** @type {string} */ readme,
  /** @type {{ name: string, version: string }} */ { name, version },
) {
  return readme.replace(RELATIVE, (_, before, link) => `${before}${SERVER}/${name}@${version}/${link}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [readme, kept] = ["README.md", "build/README.md"].map((name) => path.join(root, name));
  if (process.argv.includes("--restore")) {
    if (existsSync(kept)) copyFileSync(kept, readme);
    rmSync(kept, { force: true });
  } else {
    const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    // Where the last run was stopped half-way, the README of the clone is the kept one.
    if (!existsSync(kept)) copyFileSync(readme, kept);
    writeFileSync(readme, publishedReadme(readFileSync(kept, "utf8"), manifest));
  }
}
