// Writes docs/MECHANISMS.md from the headers of src/attention: the docstring of the exported function in each
// file, which opens with one sentence and goes on with formula, shapes, conventions, cost and paper.
// `node tools/docs/mechanisms.mjs` writes; a test compares the file with what this would write.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const folder = path.join(root, "src/attention");

/** Headings in the order of a call: score → mask → normalise → the whole. */
const FAMILIES = [
  ["score", "Scores"],
  ["mask", "Masks"],
  ["normalize", "Normalisers"],
  ["general", "The pipeline"],
  ["sequence", "Sequence mechanisms"],
];

const PREFACE = `# Mechanisms

Made by \`node tools/docs/mechanisms.mjs\` from the headers of \`src/attention\`; change them there.

Attention is **score → mask → normalise → aggregate**. \`B\` batch · \`T\` queries · \`S\` keys · \`H\` heads · \`Hkv\`
key/value heads · \`D\`, \`Dv\` head sizes · \`C\` model width. \`true\` in a mask means *may attend*.
`;

/** The exported functions and classes of a file, each with the text of its docstring. */
export function documented(/** @type {string} */ source) {
  const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:async )?(?:function|class|const) (\w+)/g;
  return [...source.matchAll(pattern)].map(([, comment, name]) => ({ name, text: prose(comment) }));
}

/** A docstring as Markdown: stars and tags gone, examples as code. */
function prose(/** @type {string} */ comment) {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const text = lines.join("\n").trim();
  const [description, ...tags] = text.split(/^@/m);
  const examples = tags
    .filter((tag) => tag.startsWith("example"))
    .map((tag) => `\`\`\`ts\n${tag.slice("example".length).trim()}\n\`\`\``);
  return [description.trim(), ...examples].join("\n\n").replace(/\{@link (\w+)\}/g, "`$1`");
}

/** The whole page. */
export function mechanismsPage() {
  const parts = [PREFACE];
  for (const [name, heading] of FAMILIES) {
    const files = readdirSync(path.join(folder, name), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && entry.name !== "index.ts")
      .map((entry) => entry.name)
      .sort();
    const entries = files.flatMap((file) =>
      documented(readFileSync(path.join(folder, name, file), "utf8")).map((entry) => ({ ...entry, file })),
    );
    if (entries.length === 0) continue;
    parts.push(`## ${heading}\n`);
    for (const { name: mechanism, text, file } of entries) {
      parts.push(
        `### \`${mechanism}\`\n\n${text}\n\nSource: [\`${name}/${file}\`](../src/attention/${name}/${file})\n`,
      );
    }
  }
  return parts.join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(path.join(root, "docs/MECHANISMS.md"), mechanismsPage());
}
