// Writes docs/MECHANISMS.md, a page for each family in docs/mechanisms and the pictures from the headers of src/attention.
// What a header claims is run: its `@draws` makes the picture, its `@example` is repeated on each backend, forward and with
// gradients. Needs the build. `--json` prints { pages, pictures, undrawn } instead,
// without measuring `webgpu`, whose column it takes as it is; a test compares that with the files.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-layers"; // registers TensorFlow.js' gradients
import { prepareSwiftShader } from "../swiftshader.mjs";
import { FAMILIES } from "./mechanisms/families.mjs";
import { headersOf } from "./mechanisms/headers.mjs";
import { picture } from "./mechanisms/pictures.mjs";
import { ownScope, publishedScope } from "./mechanisms/run.mjs";
import { BACKENDS, ticks } from "./mechanisms/ticks.mjs";
import "../quiet-pipe.mjs";

/** @import { Header } from "./mechanisms/headers.mjs" */

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

const PREFACE = `# Mechanisms

Made by \`node tools/docs/mechanisms.mjs\` from the headers of \`src/attention\`; change them there.

Attention is **score → mask → normalise → aggregate**. Each name leads to its formula, shapes, conventions, cost, paper and
example. \`true\` in a mask means _may attend_. New to all of this? Begin with the [examples](../examples/README.md);
[CHOOSING.md](CHOOSING.md) says which mechanism to take when.

A picture shows the mechanism's own numbers: its mask, weights or gate, dark for little and light for much. Below each
backend, ✓ means that the mechanism's example gives there the numbers of TensorFlow.js' plain \`cpu\` backend, and ∇ that its
gradients do; – that it does not run there. Where there is no ∇, there is nothing to differentiate. All of it was run to
write this page.
`;

const NOTATION = `\`B\` batch · \`T\` queries · \`S\` keys · \`H\` heads · \`Hkv\` key/value heads · \`D\`, \`Dv\` head sizes · \`C\` model
width. \`true\` in a mask means _may attend_. [All families](../MECHANISMS.md)`;

/** Whether there is a device for the backend `webgpu`. */
async function canUse(/** @type {any} */ useWebGpu) {
  try {
    await useWebGpu();
    return true;
  } catch {
    return false;
  }
}

/** Between pages that are formatted together; nothing else may be written so. */
const BREAK = "<!-- page -->";

/**
 * The last column of docs/MECHANISMS.md as it is, by mechanism: that of `webgpu`, which stays where nobody measures it.
 */
function keptMarks() {
  /** @type {Record<string, string>} */
  const marks = {};
  const text = readFileSync(path.join(root, "docs/MECHANISMS.md"), "utf8");
  if (!/\| `webgpu` +\|$/m.test(text)) return marks;
  for (const line of text.split("\n")) {
    const [, name, mark] = /\[`(\w+)`\]\(mechanisms\/.*\|\s*([^|]*?)\s*\|$/.exec(line) ?? [];
    if (name !== undefined) marks[name] = mark;
  }
  return marks;
}

/** @param {Header & { ticks: Awaited<ReturnType<typeof ticks>>, svg: string | undefined, family: string }} entry */
function row({ name, sentence, ticks: found, svg, family }) {
  const cell = (/** @type {string} */ text) => text.replaceAll("|", "\\|");
  const marks = BACKENDS.map((backend) => {
    if (!measured.includes(backend)) return kept[name] ?? "";
    const { forward, gradient } = found[backend] ?? {};
    if (forward === undefined) return "";
    return forward ? (gradient ? "✓ ∇" : gradient === undefined ? "✓" : "✓ –") : "–";
  });
  const drawn = svg ? `<img src="images/mechanisms/${name}.svg" width="64" alt="">` : "";
  return `| ${[drawn, `${link(name, family)} ${cell(sentence)}`, ...marks].join(" | ")} |`;
}

const link = (/** @type {string} */ name, /** @type {string} */ family) =>
  `[\`${name}\`](mechanisms/${family}.md#${name.toLowerCase()})`;

/** @param {Header & { svg: string | undefined }} entry */
function section({ name, body, examples, place, svg }) {
  const normal = path.posix.normalize(place);
  return [
    `## \`${name}\``,
    ...(svg ? [`<img src="../images/mechanisms/${name}.svg" width="96" alt="${name}, drawn">`] : []),
    body,
    ...examples.map((code) => `\`\`\`ts\n${code}\n\`\`\``),
    `Source: [\`${normal.replace(/^src\/(attention\/)?/, "")}\`](../../${normal})`,
  ].join("\n\n");
}

/** Pages as biome formats Markdown, so that the formatter and this script agree. */
function formatted(/** @type {string[]} */ pages) {
  const biome = path.join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "format", "--stdin-file-path=docs/MECHANISMS.md"];
  const text = execFileSync(process.execPath, args, {
    cwd: root,
    input: pages.join(`\n\n${BREAK}\n\n`),
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return text.split(BREAK).map((page) => `${page.trim()}\n`);
}

prepareSwiftShader();
const published = await publishedScope(root);
// A software device takes minutes to compile what the mechanisms run: a test that compares the pages leaves it out.
const isTest = process.argv.includes("--json");
const hasWebGpu = !isTest && (await canUse(published.useWebGpu));
if (!isTest && !hasWebGpu) console.error("no WebGPU here: its column stays as it is");
const measured = BACKENDS.filter((backend) => backend !== "webgpu" || hasWebGpu);
const kept = hasWebGpu ? {} : keptMarks();
/** @type {Record<string, string>} */
const pictures = {};
/** @type {string[]} */
const undrawn = [];
/** @type {string[]} */
const problems = [];
const index = [PREFACE];
/** @type {Record<string, string>} */
const pages = {};
const unknown = readdirSync(path.join(root, "src/attention"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !FAMILIES.some(([family]) => family === entry.name))
  .map(({ name }) => name);
if (unknown.length > 0)
  problems.push(`src/attention/${unknown.join(", ")}: no family of that name in FAMILIES`);
for (const [family, title, about] of FAMILIES.filter(([name]) =>
  existsSync(path.join(root, "src/attention", name)),
)) {
  const entries = [];
  for (const header of headersOf(root, family)) {
    const scope = { ...published, ...(await ownScope(root, header.place)) };
    const failed = (/** @type {string} */ what) => (/** @type {Error} */ cause) => {
      problems.push(`${what} of ${header.name} (${header.place}): ${cause.message}`);
      return undefined;
    };
    const svg = await picture(header, scope).catch(failed("@draws"));
    const found = await ticks(header.name, header.examples[0], scope, measured).catch(failed("@example"));
    if (svg) pictures[header.name] = svg;
    else undrawn.push(header.name);
    entries.push({ ...header, svg, ticks: found ?? {}, family });
  }
  const table = [
    `| | Mechanism | ${BACKENDS.map((name) => `\`${name}\``).join(" | ")} |`,
    `|---|---|${"---|".repeat(BACKENDS.length)}`,
    ...entries.filter(({ svg }) => svg).map(row),
  ];
  const pieces = entries.filter(({ svg }) => !svg).map(({ name }) => link(name, family));
  const also = pieces.length > 0 ? `\nTheir parts: ${pieces.join(", ")}.\n` : "";
  index.push(`## [${title}](mechanisms/${family}.md)\n\n${about}\n\n${table.join("\n")}\n${also}`);
  pages[`docs/mechanisms/${family}.md`] = [`# ${title}`, about, NOTATION, ...entries.map(section)].join(
    "\n\n",
  );
}
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  process.exit(1);
}
pages["docs/MECHANISMS.md"] = index.join("\n\n");
for (const [n, text] of formatted(Object.values(pages)).entries()) pages[Object.keys(pages)[n]] = text;
if (isTest) process.stdout.write(JSON.stringify({ pages, pictures, undrawn }));
else {
  const emptied = (/** @type {string} */ place) => {
    const folder = path.join(root, place);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    return folder;
  };
  const images = emptied("docs/images/mechanisms");
  for (const [name, svg] of Object.entries(pictures)) writeFileSync(path.join(images, `${name}.svg`), svg);
  emptied("docs/mechanisms");
  for (const [place, text] of Object.entries(pages)) writeFileSync(path.join(root, place), text);
}
