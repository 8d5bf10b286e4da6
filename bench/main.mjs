/**
 * heed against its peers, in one run on one machine:
 *
 *     npm run bench -- attention [--json] [--save] [--quick] [--peers=none] [--cases=<regular expression>]
 *     npm run bench -- training  …
 *     npm run bench -- embedding …
 *
 * `--json` prints the whole result; `--save` keeps it in docs/benchmarks.json, from which docs/BENCHMARKS.md is made;
 * `--quick` takes small cases, to see that everything works; `--peers` takes "none" or what the wanted peers' names
 * begin with, as in `--peers=jax-js,tfjs`. Peers that do not load are named, with the reason.
 */
import { parseArgs } from "node:util";
import { CASES, QUICK_CASES } from "./attention/cases.mjs";
import { ATTENTION, EMBEDDING, TRAINING } from "./contenders.mjs";
import { EMBEDDING_CASES, QUICK_EMBEDDING_CASES } from "./embedding/cases.mjs";
import { BUSY_LOAD, machine, othersLoad } from "./machine.mjs";
import { MEMORY, peakMemory } from "./memory.mjs";
import { runCases } from "./run.mjs";
import { saveRun } from "./save.mjs";
import { table } from "./table.mjs";
import { QUICK_TASKS, TASKS } from "./training/tasks.mjs";

const SUITES = {
  attention: { contenders: ATTENTION, cases: CASES, quick: QUICK_CASES, checks: "./attention/check.mjs" },
  training: { contenders: TRAINING, cases: TASKS, quick: QUICK_TASKS, checks: "./training/check.mjs" },
  embedding: {
    contenders: EMBEDDING,
    cases: EMBEDDING_CASES,
    quick: QUICK_EMBEDDING_CASES,
    checks: "./embedding/check.mjs",
  },
};
const LIMITS = { warm: 0.3, sample: 0.02, rounds: 15, budget: 3 };
const QUICK_LIMITS = { warm: 0, sample: 2e-3, rounds: 3, budget: 0.05 };

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    peers: { type: "string", default: "all" },
    cases: { type: "string", default: "" },
  },
});
const [suite] = positionals;
if (positionals.length !== 1 || !(suite === "attention" || suite === "training" || suite === "embedding")) {
  console.error(
    `bench: name one suite, attention, training or embedding, got ${positionals.join(" ") || "none"}`,
  );
  process.exit(2);
}

const { contenders, cases, quick, checks } = SUITES[suite];
const wanted = flags.peers.split(",");
const takesPart = (/** @type {import("./contenders.mjs").Contender} */ { id, family }) =>
  family === "heed" ||
  family === "peak" ||
  flags.peers === "all" ||
  wanted.some((name) => id.startsWith(name));
const isWanted = (/** @type {{ name: string }} */ { name }) => new RegExp(flags.cases).test(name);
const say = (/** @type {string} */ line) => console.error(line);

const before = flags.quick ? 0 : await othersLoad();
const { checkOf } = await import(checks);
const measured = await runCases({
  contenders: contenders.filter(takesPart),
  cases: (flags.quick ? quick : cases).filter(isWanted),
  limits: flags.quick ? QUICK_LIMITS : LIMITS,
  peak: suite === "attention",
  checkOf,
  say,
});
const wantsMemory = suite === "attention" && !flags.quick && isWanted({ name: MEMORY });
if (wantsMemory) say(MEMORY);
const memory = wantsMemory ? peakMemory() : undefined;
const load = Math.max(before, flags.quick ? 0 : await othersLoad());
/** @type {import("./table.mjs").FullRun} */
const run = {
  suite,
  date: new Date().toISOString().slice(0, 10),
  machine: machine(),
  othersLoad: Number(load.toFixed(2)),
  busy: load > BUSY_LOAD,
  ...measured,
  memory,
};
console.log(flags.json ? JSON.stringify(run, null, 2) : table(run));
if (flags.save) saveRun(run, flags.cases !== "");
