// Writes docs/BENCHMARKS.md from docs/benchmarks.json, which `npm run bench -- attention --save` and the same of
// training and embedding write. What stands between the markers of "What was tried" is written by hand and kept.
// `--print` prints the page instead; a test compares that with the file.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { CASES } from "../../bench/attention/cases.mjs";
import { BARS, figureText, judge, needText, shareOfPeak, timeOf } from "../../bench/bars.mjs";
import { ATTENTION, EMBEDDING, TRAINING } from "../../bench/contenders.mjs";
import { formatted } from "./formatted.mjs";
import "../quiet-pipe.mjs";

/** @import { FullRun } from "../../bench/table.mjs" */

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const file = path.join(root, "docs/BENCHMARKS.md");
/** @type {Record<"attention" | "training", Record<string, FullRun>> & { embedding?: Record<string, FullRun> }} */
const saved = JSON.parse(readFileSync(path.join(root, "docs/benchmarks.json"), "utf8"));
const nodes = [
  ...new Set([saved.attention, saved.training, saved.embedding ?? {}].flatMap(Object.keys)),
].sort();

const TRIED = /(?<=<!-- tried -->\n)[\s\S]*?(?=<!-- \/tried -->)/;

const METHOD = `# Benchmarks

Made by \`node tools/docs/benchmarks.mjs\` from \`docs/benchmarks.json\`, except for the last section. In a clone:

\`\`\`sh
npm run bench -- attention --save   # about 20 minutes
npm run bench -- training --save    # about 3 minutes
npm run bench -- embedding --save   # about 3 minutes
npm run bench -- attention --save --cases='T = 64|many heads'   # some cases alone, which replace what is kept of them
npx -y node@24 bench/main.mjs attention --save   # the same under another Node, once the peers are installed
\`\`\`

Ratios, not times: those of one run on one machine, in which everyone takes turns.

- **Right first.** Before it is timed, every contender's output is compared with heed's reference, plain loops in
  float64, in twelve rows of every head; every training step starts from the same weights and has to have the losses
  of TensorFlow.js' CPU backend. Who differs is named and not timed.
- **Fair.** Each contender has a process of its own, relaxed SIMD where the engine has it, inputs that are already its
  own tensors, calls to warm up, and the fastest of the routes that it offers for a case, tried out before timing.
  heed's time is that of its public call, copies included.
- **Turns.** Up to 15 rounds of samples of at least 20 ms; slow contenders give fewer. A figure compares best times.
  One thread that had to wait for the processor is charged the time that it computed; two threads are charged the
  clock on the wall.
- **Flops** are counted as 4·T·S·D a head forward and 10·T·S·D backward, for all of T × S whatever a mask leaves out.
  The peak is what twelve independent chains of fused multiply-adds reach in WebAssembly in the same run
  (\`assembly/probes/peak.ts\`), in one thread.
- **Cases**: float32, B = 1, 8 heads of 64; GQA has 2 key heads; a window of 256 keys counts the query's own; decoding
  is one query against a cache of 4096 keys, handed over with the call; resident, they lie where the kernels read them:
  heed's step appends a token to its cache and attends, ONNX Runtime has them as constants of the model, because that
  is where its API lets them stay, and tensors of jax-js and TensorFlow.js are resident in both. "Many heads" are 512 heads of 16 over lines of 16, 32 and 48 positions,
  which is what axial and criss-cross attention and small windows are made of.
- **Sentences**: an encoder of the sizes of all-MiniLM-L6-v2 with random weights embeds 256 sentences in batches of 32, as they
  come or sorted by length beforehand; everyone is given the same batches of ids. ONNX Runtime pads a batch to its longest
  sentence and takes the faster of two graphs, of its own fused operators and of the standard's; heed packs it.
  The embeddings of one sentence of each batch are compared with those of TensorFlow.js' CPU backend.
`;

const row = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
const grid = (/** @type {string[]} */ header, /** @type {string[][]} */ rows) =>
  [row(header), row(header.map(() => "---")), ...rows.map(row)].join("\n");

/** Where the runs were made, and with what. */
function runsSection() {
  const lines = Object.entries(saved).flatMap(([suite, runs]) =>
    Object.values(runs).map(({ date, machine, versions, peak, busy, othersLoad, again }) => {
      const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
      const note = busy
        ? ` **Busy machine:** other processes used ${othersLoad.toFixed(1)} of its cores, so these are first figures.`
        : "";
      const later = again ? ` Measured again later, in a run of their own: ${again.join("; ")}.` : "";
      const ceiling = peak ? `, peak ${peak.toFixed(1)} GF/s` : "";
      return (
        `- ${suite}, Node ${machine.node.slice(1)}, ${date}: ${machine.cpu}, ${machine.cores} cores, ` +
        `${machine.system}${ceiling}; ${names.join(", ")}.${note}${later}`
      );
    }),
  );
  return `## Runs\n\n${lines.join("\n")}\n`;
}

function barsSection() {
  const cell = (/** @type {typeof BARS[number]} */ bar, /** @type {string} */ node) => {
    const { verdict, text } = judge(bar, saved[bar.suite]?.[node]);
    return `${text}: ${verdict}`;
  };
  const rows = BARS.map((bar) => [bar.name, needText(bar), ...nodes.map((node) => cell(bar, node))]);
  return `## Bars\n\n${grid(["Bar", "Needed", ...nodes.map((node) => `Node ${node}`)], rows)}\n`;
}

const HEED = ["heed, 1 thread", "heed, 2 threads"];

/** How many times as long as heed a contender takes, where heed has as many threads. */
function timesAsLong(
  /** @type {FullRun} */ run,
  /** @type {string} */ name,
  /** @type {{ id: string, threads: number }} */ { id, threads },
) {
  const own = timeOf(run, name, (other) => other === (run.suite === "training" ? "heed" : HEED[threads - 1]));
  const time = timeOf(run, name, (other) => other === id);
  return own === undefined || time === undefined ? "–" : figureText(time / own, "×");
}

function attentionTable(/** @type {FullRun} */ run) {
  const share = (/** @type {string} */ name, /** @type {string} */ id) => {
    const value = shareOfPeak(run, name, id);
    return value === undefined ? "–" : figureText(value, "%");
  };
  const isPeer = (/** @type {{ id: string, family: string }} */ { id, family }) =>
    !HEED.includes(id) && family !== "peak" && !(id in run.absent);
  const others = ATTENTION.filter(isPeer);
  const rows = CASES.filter(({ name }) => run.results.some((result) => result.name === name)).map(
    ({ name }) => [
      name,
      ...HEED.map((id) => share(name, id)),
      ...others.map((contender) => timesAsLong(run, name, contender)),
    ],
  );
  return grid(["Case", ...HEED.map((id) => `${id}: of the peak`), ...others.map(({ id }) => id)], rows);
}

/** How many times as long as heed the others take for each case. */
function stepsTable(
  /** @type {FullRun} */ run,
  /** @type {string} */ what,
  /** @type {import("../../bench/contenders.mjs").Contender[]} */ contenders,
) {
  const others = contenders.filter(
    ({ id, family }) => (family !== "heed" || id.includes("drop-in")) && !(id in run.absent),
  );
  const rows = run.results.map(({ name }) => [
    name,
    ...others.map((contender) => timesAsLong(run, name, contender)),
  ]);
  return grid([what, ...others.map(({ id }) => id)], rows);
}

/** Who was not there, and who could not do what. */
function absences(/** @type {FullRun} */ run) {
  const refusals = new Map(Object.entries(run.absent));
  for (const { name, refused } of run.results) {
    for (const [id, reason] of Object.entries(refused)) {
      if (!/^(has no gradients|measured forward only)$/.test(reason)) refusals.set(`${id}, ${name}`, reason);
    }
  }
  return [...refusals].map(([id, reason]) => `- ${id}: ${reason}`).join("\n");
}

/** The routes that the peers took, by contender. */
function routes(/** @type {FullRun} */ run) {
  /** @type {Map<string, Map<string, string[]>>} */
  const taken = new Map();
  for (const { name, timings } of run.results) {
    for (const { contender, route } of timings.filter((timing) => /^(onnx|jax)/.test(timing.contender))) {
      const cases = taken.get(contender) ?? new Map();
      taken.set(contender, cases.set(route, [...(cases.get(route) ?? []), name]));
    }
  }
  return [...taken]
    .map(([contender, cases]) => {
      const parts = [...cases].map(([route, names]) => `${route} (${names.join("; ")})`);
      return `- ${contender}: ${parts.join(", ")}`;
    })
    .join("\n");
}

function ratiosSection() {
  const parts = [];
  for (const node of nodes) {
    const [attention, training, embedding] = [saved.attention, saved.training, saved.embedding].map(
      (runs) => runs?.[node],
    );
    if (attention) {
      parts.push(
        `## Attention, Node ${node}\n\nTimes are those of heed with as many threads = 1 ×.\n\n${attentionTable(attention)}\n`,
        `Absent, or unable:\n\n${absences(attention) || "- nobody"}\n\nRoutes:\n\n${routes(attention)}\n`,
      );
    }
    if (training) {
      parts.push(
        `## Training steps, Node ${node}\n\nLoss, gradients and Adam; heed with its own operations = 1 ×. "As a drop-in" is the program of tfjs-wasm, unchanged, on the heed backend.\n\n${stepsTable(training, "Step", TRAINING)}\n`,
        `Absent, or unable:\n\n${absences(training) || "- nobody"}\n`,
      );
    }
    if (embedding) {
      parts.push(
        `## Sentences, Node ${node}\n\nThe time of heed = 1 ×, everyone in one thread.\n\n${stepsTable(embedding, "Case", EMBEDDING)}\n`,
        `Absent, or unable:\n\n${absences(embedding) || "- nobody"}\n\nRoutes:\n\n${routes(embedding)}\n`,
      );
    }
  }
  return parts.join("\n");
}

function triedSection() {
  const tried = TRIED.exec(readFileSync(file, "utf8"))?.[0] ?? "\n";
  return `## What was tried\n\n<!-- tried -->\n${tried}<!-- /tried -->\n`;
}

const page = formatted(
  [METHOD, runsSection(), barsSection(), ratiosSection(), triedSection()].join("\n"),
  "BENCHMARKS.md",
);
if (process.argv.includes("--print")) process.stdout.write(page);
else writeFileSync(file, page);
