// Writes docs/MECHANISMS.md from the headers of src/attention: the docstring of the exported function in each
// file, which opens with one sentence and goes on with formula, shapes, conventions, cost and paper.
// `--print` prints it instead; a test compares that with the file.
import { execFileSync } from "node:child_process";
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
  ["general", "Generic mask attention"],
  ["sequence", "Attention over sequences"],
];

const PREFACE = `# Mechanisms

Made by \`node tools/docs/mechanisms.mjs\` from the headers of \`src/attention\`; change them there.

Attention is **score → mask → normalise → aggregate**. \`B\` batch · \`T\` queries · \`S\` keys · \`H\` heads · \`Hkv\`
key/value heads · \`D\`, \`Dv\` head sizes · \`C\` model width. \`true\` in a mask means *may attend*.
`;

/** The exported functions of a file, each with the text of its docstring. */
function documented(/** @type {string} */ source) {
  const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:async )?(?:function|class) (\w+)/g;
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
  return [labelled(description.trim()), ...examples].join("\n\n");
}

const LABEL = /^(Symbols|Shapes|Conventions|Cost|Papers?):/;

/** `Shapes: …` and its kind as items of a list, each with the lines that belong to it. */
function labelled(/** @type {string} */ text) {
  let inItem = false;
  const lines = text.split("\n").flatMap((line) => {
    const starts = LABEL.test(line);
    const blank = starts && !inItem ? [""] : [];
    inItem = starts || (inItem && line !== "");
    if (starts) return [...blank, line.replace(LABEL, "- **$1**:")];
    return [inItem ? `  ${line}` : line];
  });
  return lines.join("\n").replace(/\n{3,}/g, "\n\n");
}

/** A function that tells whether a family's index.ts exports a name of a file. */
function published(/** @type {string} */ index) {
  const names = (/** @type {string} */ file) => {
    const pattern = new RegExp(`export (?:type )?\\{([^}]*)\\} from "\\./${file}"`, "g");
    return [...index.matchAll(pattern)].flatMap((match) => match[1].split(",").map((name) => name.trim()));
  };
  return (/** @type {string} */ file, /** @type {string} */ name) =>
    index.includes(`export * from "${file.startsWith(".") ? "" : "./"}${file}"`) ||
    names(file).includes(name);
}

/** The files of a family: its own, and those that its index.ts takes from elsewhere in src. */
function filesOf(/** @type {string} */ family) {
  const own = readdirSync(path.join(folder, family), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && entry.name !== "index.ts")
    .map((entry) => entry.name);
  const index = readFileSync(path.join(folder, family, "index.ts"), "utf8");
  const taken = [...index.matchAll(/export \* from "(\.\.\/[^"]+)"/g)].map(([, file]) => file);
  return [...own, ...taken].sort((a, b) => (path.basename(a) < path.basename(b) ? -1 : 1));
}

/** The whole page. */
function mechanismsPage() {
  const parts = [PREFACE];
  for (const [name, heading] of FAMILIES) {
    const files = filesOf(name);
    const isPublished = published(readFileSync(path.join(folder, name, "index.ts"), "utf8"));
    const entries = files.flatMap((file) =>
      documented(readFileSync(path.join(folder, name, file), "utf8"))
        .filter((entry) => isPublished(file, entry.name))
        .map((entry) => ({ ...entry, file })),
    );
    if (entries.length === 0) continue;
    parts.push(`## ${heading}\n`);
    for (const { name: mechanism, text, file } of entries) {
      const place = path.posix.join("src/attention", name, file);
      const short = place.replace(/^src\/(attention\/)?/, "");
      parts.push(`### \`${mechanism}\`\n\n${text}\n\nSource: [\`${short}\`](../${place})\n`);
    }
  }
  return parts.join("\n");
}

/** A page as biome formats Markdown, so that the formatter and this script agree. */
function formatted(/** @type {string} */ page) {
  const biome = path.join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "format", "--stdin-file-path=docs/MECHANISMS.md"];
  return execFileSync(process.execPath, args, { cwd: root, input: page, encoding: "utf8" });
}

const page = formatted(mechanismsPage());
if (process.argv.includes("--print")) process.stdout.write(page);
else writeFileSync(path.join(root, "docs/MECHANISMS.md"), page);
