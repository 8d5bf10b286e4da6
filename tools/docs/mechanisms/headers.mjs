// Reads the headers of src/attention: the docstring of each exported function, which opens with one sentence and
// goes on with formula, symbols, shapes, conventions, cost and paper, the code that draws it and an example.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * @typedef {object} Header
 * @property {string} name the function
 * @property {string} place its file, from the repository's root
 * @property {string} sentence the first one
 * @property {string} body the description as Markdown
 * @property {string} cost the first clause below `Cost:`, or nothing
 * @property {string[]} papers addresses
 * @property {string | undefined} draws code that returns the picture's numbers
 * @property {string[]} examples
 * @property {string} formula the first block that is set apart, or nothing
 * @property {string[]} parameters the names of what the function takes, in their order
 */

const LABEL = /^(Symbols|Shapes|Conventions|Cost|Papers?|Source):/;

/** The published functions of a family, in the order of their files. */
export function headersOf(/** @type {string} */ root, /** @type {string} */ family) {
  const folder = path.join(root, "src/attention", family);
  const index = readFileSync(path.join(folder, "index.ts"), "utf8");
  return filesOf(folder, index).flatMap((file) => {
    const place = path.posix.join("src/attention", family, file);
    return documented(readFileSync(path.join(folder, file), "utf8"))
      .filter(({ name }) => isPublished(index, file, name))
      .map(({ name, comment, parameters }) => ({ ...header(name, place, comment), parameters }));
  });
}

/** The files of a family: its own, and those that its index.ts takes from elsewhere in src. */
function filesOf(/** @type {string} */ folder, /** @type {string} */ index) {
  const own = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && entry.name !== "index.ts")
    .map((entry) => entry.name);
  const taken = [...index.matchAll(/export (?:\*|\{[^}]*\}) from "(\.\.\/[^"]+)"/g)].map(([, file]) => file);
  return [...new Set([...own, ...taken])].sort((a, b) => (path.basename(a) < path.basename(b) ? -1 : 1));
}

/** Whether a family's index.ts exports a name of a file. */
function isPublished(/** @type {string} */ index, /** @type {string} */ file, /** @type {string} */ name) {
  const specifier = file.startsWith(".") ? file : `./${file}`;
  if (index.includes(`export * from "${specifier}"`)) return true;
  const lists = [...index.matchAll(/export (?:type )?\{([^}]*)\} from "([^"]+)"/g)];
  return lists.some(([, names, from]) => from === specifier && names.split(/[\s,]+/).includes(name));
}

/** The exported functions of a file, each with its docstring. */
function documented(/** @type {string} */ source) {
  const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:async )?(?:function|class) (\w+)/g;
  return [...source.matchAll(pattern)].map(({ 0: whole, 1: comment, 2: name, index }) => ({
    name,
    comment,
    parameters: parametersOf(source.slice(index + whole.length)),
  }));
}

/** The names in the brackets that follow a function's name and its type parameters; a pattern's is empty. */
function parametersOf(/** @type {string} */ rest) {
  let depth = 0;
  let text = "";
  for (const sign of rest.slice(rest.indexOf("("))) {
    if ("([{<".includes(sign)) depth++;
    else if (")]}>".includes(sign) && --depth === 0) break;
    else if (depth === 1) text += sign;
  }
  const names = text.split(",").map((one) => /^\s*(\w+)/.exec(one)?.[1] ?? "");
  return names.slice(0, names.findLastIndex((name) => name !== "") + 1);
}

/** @returns {Omit<Header, "parameters">} */
function header(/** @type {string} */ name, /** @type {string} */ place, /** @type {string} */ comment) {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const [description, ...tags] = lines.join("\n").trim().split(/^@/m);
  const tagged = (/** @type {string} */ tag) =>
    tags
      .filter((one) => one.startsWith(`${tag}\n`) || one.startsWith(`${tag} `))
      .map((one) => one.slice(tag.length).trim());
  const [sentence] = description.trim().split(/(?<=\.)\s/);
  const [, cost = ""] =
    /Cost:\s+([\s\S]*?)(?:\.\s|\.$|;|\n\n|\n(?:Paper|Source|Symbols|Shapes|Conventions))/.exec(
      `${description}\n\n`,
    ) ?? [];
  return {
    name,
    place,
    sentence: sentence.replaceAll("\n", " "),
    body: markdown(description.trim()),
    formula: /(?:^|\n)\n((?: {4}.*\n?)+)/.exec(description)?.[1].replace(/^ {4}/gm, "").trimEnd() ?? "",
    cost: cost.replace(/\s+/g, " ").replace(/[,:]$/, ""),
    papers: [...new Set([...description.matchAll(/arxiv\.org\/abs\/[\w./-]*\w/g)].map(([paper]) => paper))],
    draws: tagged("draws")[0],
    examples: tagged("example"),
  };
}

/** A description as Markdown: drawings and formulas fenced, labels and numbered answers as items of lists. */
function markdown(/** @type {string} */ text) {
  return text
    .split(/\n{2,}/)
    .map((part) => (/^ {4}/.test(part) ? `\`\`\`text\n${part.replace(/^ {4}/gm, "")}\n\`\`\`` : listed(part)))
    .join("\n\n");
}

/** `Shapes: …` and its kind, and `1. … 2. …`, as items, each with the lines that belong to it. */
function listed(/** @type {string} */ part) {
  if (/^1\. /.test(part)) {
    return part
      .replaceAll("\n", " ")
      .split(/ (?=\d\. )/)
      .join("\n");
  }
  let inItem = false;
  const lines = part.split("\n").flatMap((line) => {
    const starts = LABEL.test(line);
    const blank = starts && !inItem ? [""] : [];
    inItem = starts || inItem;
    if (starts) return [...blank, line.replace(LABEL, "- **$1**:")];
    return [inItem ? `  ${line}` : line];
  });
  return lines.join("\n");
}

/** Every mechanism that draws itself, family by family, with the code that does. */
export function drawings(/** @type {string} */ root) {
  const folders = readdirSync(path.join(root, "src/attention"), { withFileTypes: true });
  return folders
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: family }) => headersOf(root, family).map((header) => ({ ...header, family })))
    .flatMap(({ draws, ...header }) => (draws === undefined ? [] : [{ ...header, draws }]));
}
