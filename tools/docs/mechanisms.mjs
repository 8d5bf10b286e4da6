// Writes docs/MECHANISMS.md and its pictures from the headers of src/attention. What a header claims is run: its
// `@draws` makes the picture, its `@example` is repeated on each backend, forward and with gradients.
// Needs the build. `--json` prints { page, pictures, undrawn } instead; a test compares that with the files.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-layers"; // registers TensorFlow.js' gradients
import { headersOf } from "./mechanisms/headers.mjs";
import { picture } from "./mechanisms/pictures.mjs";
import { ownScope, publishedScope } from "./mechanisms/run.mjs";
import { BACKENDS, ticks } from "./mechanisms/ticks.mjs";

/** @import { Header } from "./mechanisms/headers.mjs" */

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** Headings in the order of a call: score → mask → normalise → the whole; then the other two kinds of attention. */
const FAMILIES = [
  ["score", "Scores"],
  ["mask", "Masks"],
  ["normalize", "Normalisers"],
  ["position", "Positions"],
  ["sequence", "Attention over sequences"],
  ["sparse", "Sparse attention"],
  ["linear", "Linear attention"],
  ["adaptive", "Adaptive attention"],
  ["discrete", "Discrete attention"],
  ["transformer", "Transformer blocks"],
  ["feature", "Attention over features"],
  ["glimpse", "Glimpses"],
];

const PREFACE = `# Mechanisms

Made by \`node tools/docs/mechanisms.mjs\` from the headers of \`src/attention\`; change them there.

Attention is **score → mask → normalise → aggregate**. \`B\` batch · \`T\` queries · \`S\` keys · \`H\` heads · \`Hkv\`
key/value heads · \`D\`, \`Dv\` head sizes · \`C\` model width. \`true\` in a mask means *may attend*.

Each picture is drawn from the mechanism's own numbers: its mask, weights or gate, dark for little and light for much.
Below each backend, ✓ means that the mechanism's example gives there the numbers of TensorFlow.js' plain \`cpu\`
backend, and ∇ that its gradients do; – that it does not run there. Where there is no ∇, there is nothing to
differentiate. All of it was run to write this page.
`;

/** @param {Header & { ticks: Awaited<ReturnType<typeof ticks>>, svg: string | undefined }} entry */
function row({ name, sentence, cost, papers, ticks: found, svg }) {
  const cell = (/** @type {string} */ text) => text.replaceAll("|", "\\|");
  const marks = BACKENDS.map((backend) => {
    const { forward, gradient } = found[backend] ?? {};
    if (forward === undefined) return "";
    return forward ? (gradient ? "✓ ∇" : gradient === undefined ? "✓" : "✓ –") : "–";
  });
  const link = papers[0] ? `[${papers[0].replace("arxiv.org/abs/", "")}](https://${papers[0]})` : "";
  const drawn = svg ? `<img src="images/mechanisms/${name}.svg" width="64" alt="">` : "";
  return `| ${[drawn, `[\`${name}\`](#${name.toLowerCase()}) ${cell(sentence)}`, cell(cost), link, ...marks].join(" | ")} |`;
}

/** @param {Header & { svg: string | undefined }} entry */
function section({ name, body, examples, place, svg }) {
  const normal = path.posix.normalize(place);
  return [
    `### \`${name}\``,
    ...(svg ? [`<img src="images/mechanisms/${name}.svg" width="96" alt="${name}, drawn">`] : []),
    body,
    ...examples.map((code) => `\`\`\`ts\n${code}\n\`\`\``),
    `Source: [\`${normal.replace(/^src\/(attention\/)?/, "")}\`](../${normal})`,
  ].join("\n\n");
}

/** A page as biome formats Markdown, so that the formatter and this script agree. */
function formatted(/** @type {string} */ page) {
  const biome = path.join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "format", "--stdin-file-path=docs/MECHANISMS.md"];
  return execFileSync(process.execPath, args, {
    cwd: root,
    input: page,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
}

const published = await publishedScope(root);
/** @type {Record<string, string>} */
const pictures = {};
/** @type {string[]} */
const undrawn = [];
/** @type {string[]} */
const problems = [];
const parts = [PREFACE];
const details = [];
for (const [family, heading] of FAMILIES.filter(([name]) =>
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
    const measured = await ticks(header.name, header.examples[0], scope).catch(failed("@example"));
    if (svg) pictures[header.name] = svg;
    else undrawn.push(header.name);
    entries.push({ ...header, svg, ticks: measured ?? {} });
  }
  const table = [
    `| | Mechanism | Cost | Paper | ${BACKENDS.map((name) => `\`${name}\``).join(" | ")} |`,
    `|---|---|---|---|${"---|".repeat(BACKENDS.length)}`,
    ...entries.filter(({ svg }) => svg).map(row),
  ];
  const pieces = entries.filter(({ svg }) => !svg).map(({ name }) => `[\`${name}\`](#${name.toLowerCase()})`);
  const also = pieces.length > 0 ? `\nTheir parts: ${pieces.join(", ")}.\n` : "";
  parts.push(`## ${heading}\n\n${table.join("\n")}\n${also}`);
  details.push(...entries.map(section));
}
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  process.exit(1);
}
const page = formatted([...parts, "# One by one\n", ...details].join("\n\n"));
if (process.argv.includes("--json")) process.stdout.write(JSON.stringify({ page, pictures, undrawn }));
else {
  const folder = path.join(root, "docs/images/mechanisms");
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder)) rmSync(path.join(folder, old));
  for (const [name, svg] of Object.entries(pictures)) writeFileSync(path.join(folder, `${name}.svg`), svg);
  writeFileSync(path.join(root, "docs/MECHANISMS.md"), page);
}
