/**
 * What heed is held to, as data: each bar with the figures of a run that it is judged by. All figures are ratios of
 * times of one run on one machine, except for the memory.
 */
import { CASES, flops } from "./attention/cases.mjs";
import { SUM } from "./contenders.mjs";
import { EMBEDDING_CASES } from "./embedding/cases.mjs";
import { TASKS } from "./training/tasks.mjs";

/** @typedef {import("./run.mjs").CaseResult} CaseResult */
/** @typedef {{ suite: "attention" | "training" | "embedding", peak?: number, memory?: { megabytes: number }, results: CaseResult[] }} Run */
/** @typedef {{ label: string, value: number | undefined }} Figure */
/**
 * @typedef {object} Bar
 * @property {string} name
 * @property {Run["suite"]} suite
 * @property {{ atLeast: number } | { atMost: number } | { above: number }} need
 * @property {"%" | "×" | "MB"} unit
 * @property {(run: Run) => Figure[]} figures
 */

const HEED = ["heed, 1 thread", "heed, 2 threads"];
const FULL = "full, T = 2048";

/** The best time of one of the contenders on a case. */
export function timeOf(
  /** @type {Run} */ run,
  /** @type {string} */ name,
  /** @type {(id: string) => boolean} */ matches,
) {
  const timings = run.results.find((result) => result.name === name)?.timings ?? [];
  const times = timings.filter(({ contender }) => matches(contender)).map(({ best }) => best);
  return times.length > 0 ? Math.min(...times) : undefined;
}

const is = (/** @type {string} */ id) => (/** @type {string} */ other) => other === id;
const heed = (/** @type {number} */ threads) => is(HEED[threads - 1]);
const anyHeed = (/** @type {string} */ id) => HEED.includes(id);
/** Whatever build of it, with so many threads. */
const onnx = (/** @type {string} */ family, /** @type {number} */ threads) => (/** @type {string} */ id) =>
  id.startsWith(family) && id.includes(`, ${threads} thread`);
const overWasm = (/** @type {string} */ id) => !id.startsWith("heed") && !id.startsWith("onnxruntime-node");

const quotient = (/** @type {number | undefined} */ a, /** @type {number | undefined} */ b) =>
  a === undefined || b === undefined ? undefined : a / b;

/** The share of the machine's peak that heed reaches in one thread, in percent. */
export function shareOfPeak(/** @type {Run} */ run, /** @type {string} */ name, id = HEED[0]) {
  const c = CASES.find((each) => each.name === name);
  const time = timeOf(run, name, is(id));
  if (!c || time === undefined || run.peak === undefined) return undefined;
  return (100 * flops(c)) / time / 1e9 / run.peak;
}

/** How many times as long as heed the others take, with equally many threads. */
const equalThreads = (/** @type {Run} */ run, /** @type {string} */ name, /** @type {string} */ family) =>
  [1, 2].map((threads) => ({
    label: threads === 1 ? "1 thread" : "2 threads",
    value: quotient(timeOf(run, name, onnx(family, threads)), timeOf(run, name, heed(threads))),
  }));

/** How many times as long a peer takes as heed with the threads that serve it best. */
const atBest = (/** @type {Run} */ run, /** @type {string} */ id) =>
  quotient(timeOf(run, FULL, is(id)), timeOf(run, FULL, anyHeed));

const SHORT = CASES.filter(
  ({ T, kind, pass }) => T <= 64 && kind !== "many heads" && kind !== "resident decode" && pass === "forward",
);
const RESIDENT = "resident decode, T = 1, S = 4096";
const MANY = CASES.filter(({ kind }) => kind === "many heads");
const FORWARD_FULL = CASES.filter(({ kind, pass }) => kind === "full" && pass === "forward");
const block = TASKS[0].name;
const language = TASKS.find(({ kind }) => kind === "language")?.name ?? "";

/** How many times as long as heed's a peer's step of a task takes, everyone in one thread. */
const stepOver = (/** @type {Run} */ run, /** @type {string} */ task, /** @type {string} */ peer) => [
  { label: "", value: quotient(timeOf(run, task, is(peer)), timeOf(run, task, is("heed"))) },
];

/** How many times as long as heed a peer takes to embed the sentences, everyone in one thread. */
const embeddingOver = (/** @type {Run} */ run, /** @type {string} */ family) =>
  EMBEDDING_CASES.map(({ name }) => ({
    label: name.replace(/.*sentences /, ""),
    value: quotient(timeOf(run, name, onnx(family, 1)), timeOf(run, name, heed(1))),
  }));

/** @type {Bar[]} */
export const BARS = [
  {
    name: "full forward, one thread, T = 2048: share of the WebAssembly multiply-add peak",
    ...{ suite: "attention", need: { atLeast: 80 }, unit: "%" },
    figures: (run) => [{ label: "", value: shareOfPeak(run, FULL) }],
  },
  {
    name: "two threads over one, full, T = 2048",
    ...{ suite: "attention", need: { atLeast: 1.9 }, unit: "×" },
    figures: (run) => [
      { label: "", value: quotient(timeOf(run, FULL, heed(1)), timeOf(run, FULL, heed(2))) },
    ],
  },
  {
    name: "time of causal over time of full, T = 2048",
    ...{ suite: "attention", need: { atMost: 0.55 }, unit: "×" },
    figures: (run) => [
      { label: "", value: quotient(timeOf(run, "causal, T = 2048", heed(1)), timeOf(run, FULL, heed(1))) },
    ],
  },
  {
    name: "full, T = 2048, against onnxruntime-web with as many threads",
    ...{ suite: "attention", need: { atLeast: 2 }, unit: "×" },
    figures: (run) => equalThreads(run, FULL, "onnxruntime-web"),
  },
  {
    name: "full, T = 2048, each at its best in Node, against jax-js under jit",
    ...{ suite: "attention", need: { atLeast: 8 }, unit: "×" },
    figures: (run) => [{ label: "", value: atBest(run, "jax-js") }],
  },
  {
    name: "full, T = 2048, each at its best in Node, against tfjs-wasm composed",
    ...{ suite: "attention", need: { atLeast: 35 }, unit: "×" },
    figures: (run) => [{ label: "", value: atBest(run, "tfjs-wasm composed") }],
  },
  {
    name: "causal, T = 2048, against onnxruntime-node (native) with as many threads",
    ...{ suite: "attention", need: { atLeast: 1.1 }, unit: "×" },
    figures: (run) => equalThreads(run, "causal, T = 2048", "onnxruntime-node"),
  },
  {
    name: "window 256, T = 4096, against onnxruntime-node (native) with as many threads",
    ...{ suite: "attention", need: { atLeast: 5 }, unit: "×" },
    figures: (run) => equalThreads(run, "window 256, T = 4096", "onnxruntime-node"),
  },
  {
    name: "full, T = 2048, against onnxruntime-node (native) with as many threads",
    ...{ suite: "attention", need: { atLeast: 0.5 }, unit: "×" },
    figures: (run) => equalThreads(run, FULL, "onnxruntime-node"),
  },
  {
    name: "backward, one thread, T = 2048: share of the WebAssembly multiply-add peak",
    ...{ suite: "attention", need: { atLeast: 65 }, unit: "%" },
    figures: (run) => [{ label: "", value: shareOfPeak(run, `backward ${FULL}`) }],
  },
  {
    name: "T = 64, and T = 1 against a cache of 4096: against the fastest WebAssembly peer, copies and call included",
    ...{ suite: "attention", need: { above: 1 }, unit: "×" },
    figures: (run) =>
      SHORT.map(({ name, kind }) => ({
        label: kind,
        value: quotient(timeOf(run, name, overWasm), timeOf(run, name, anyHeed)),
      })),
  },
  {
    name: "T = 1 against 4096 resident keys, one thread, against onnxruntime-web with one and with two",
    ...{ suite: "attention", need: { atLeast: 2 }, unit: "×" },
    figures: (run) =>
      [1, 2].map((threads) => ({
        label: threads === 1 ? "1 thread" : "2 threads",
        value: quotient(
          timeOf(run, RESIDENT, onnx("onnxruntime-web", threads)),
          timeOf(run, RESIDENT, heed(1)),
        ),
      })),
  },
  {
    name: "T = 1 against 4096 resident keys, one thread: share of the speed at which WebAssembly adds up the same bytes",
    ...{ suite: "attention", need: { atLeast: 70 }, unit: "%" },
    figures: (run) => {
      const share = quotient(timeOf(run, RESIDENT, is(SUM.id)), timeOf(run, RESIDENT, heed(1)));
      return [{ label: "", value: share && 100 * share }];
    },
  },
  {
    name: "full, T = 64, one thread: share of the WebAssembly multiply-add peak, copies and call included",
    ...{ suite: "attention", need: { atLeast: 70 }, unit: "%" },
    figures: (run) => [{ label: "", value: shareOfPeak(run, "full, T = 64") }],
  },
  {
    name: "full, T = 64, against onnxruntime-web with as many threads",
    ...{ suite: "attention", need: { above: 1 }, unit: "×" },
    figures: (run) => equalThreads(run, "full, T = 64", "onnxruntime-web"),
  },
  {
    name: "two threads over one, full and many heads of any size: never slower, a twentieth for noise",
    ...{ suite: "attention", need: { atLeast: 0.95 }, unit: "×" },
    figures: (run) =>
      [...FORWARD_FULL, ...MANY].map(({ name }) => ({
        label: name,
        value: quotient(timeOf(run, name, heed(1)), timeOf(run, name, heed(2))),
      })),
  },
  {
    name: "512 heads of 16, one thread, on TensorFlow.js: against the same composed on tfjs-wasm",
    ...{ suite: "attention", need: { atLeast: 1 }, unit: "×" },
    figures: (run) =>
      MANY.map(({ name, T }) => ({
        label: `T = ${T}`,
        value: quotient(
          timeOf(run, name, is("tfjs-wasm composed")),
          timeOf(run, name, is("heed on TensorFlow.js")),
        ),
      })),
  },
  {
    name: "plain-SIMD build, full, T = 2048, against onnxruntime-web, one thread",
    ...{ suite: "attention", need: { atLeast: 1.2 }, unit: "×" },
    figures: (run) => [
      {
        label: "",
        value: quotient(
          timeOf(run, FULL, onnx("onnxruntime-web", 1)),
          timeOf(run, FULL, is("heed plain SIMD, 1 thread")),
        ),
      },
    ],
  },
  {
    name: "T = 65 536, one head, forward and backward: peak resident memory",
    ...{ suite: "attention", need: { atMost: 600 }, unit: "MB" },
    figures: (run) => [{ label: "", value: run.memory?.megabytes }],
  },
  {
    name: "training step of a Transformer block against stock tfjs-wasm",
    ...{ suite: "training", need: { atLeast: 10 }, unit: "×" },
    figures: (run) => stepOver(run, block, "tfjs-wasm"),
  },
  {
    name: "training step of a Transformer block against jax-js under jit",
    ...{ suite: "training", need: { atLeast: 2 }, unit: "×" },
    figures: (run) => stepOver(run, block, "jax-js"),
  },
  {
    name: "training step of a language model against stock tfjs-wasm",
    ...{ suite: "training", need: { atLeast: 10 }, unit: "×" },
    figures: (run) => stepOver(run, language, "tfjs-wasm"),
  },
  {
    name: "training step of a language model against jax-js under jit",
    ...{ suite: "training", need: { atLeast: 2 }, unit: "×" },
    figures: (run) => stepOver(run, language, "jax-js"),
  },
  {
    name: "256 sentences by MiniLM in batches of 32, one thread, against onnxruntime-web",
    ...{ suite: "embedding", need: { atLeast: 1.5 }, unit: "×" },
    figures: (run) => embeddingOver(run, "onnxruntime-web"),
  },
  {
    name: "256 sentences by MiniLM in batches of 32, one thread, against onnxruntime-node (native)",
    ...{ suite: "embedding", need: { atLeast: 0.5 }, unit: "×" },
    figures: (run) => embeddingOver(run, "onnxruntime-node"),
  },
];

/** `≥ 80 %` */
export function needText(/** @type {Bar} */ { need, unit }) {
  const [sign, number] =
    "atLeast" in need ? ["≥", need.atLeast] : "atMost" in need ? ["≤", need.atMost] : [">", need.above];
  return `${sign} ${number}${space(unit)}`;
}

const space = (/** @type {string} */ unit) => (unit === "×" ? " ×" : ` ${unit}`);

function isMet(/** @type {Bar["need"]} */ need, /** @type {number} */ value) {
  if ("atLeast" in need) return value >= need.atLeast;
  return "atMost" in need ? value <= need.atMost : value > need.above;
}

/** Two digits where they say something: 12 ×, 1.98 ×, 453 MB. */
export const figureText = (/** @type {number} */ value, /** @type {string} */ unit) =>
  `${value.toFixed(unit === "×" ? (value < 10 ? 2 : 1) : 0)}${space(unit)}`;

/** @type {Run} */
const NOTHING = { suite: "attention", results: [] };

/** @returns {{ verdict: "met" | "missed" | "not measured", text: string }} */
export function judge(/** @type {Bar} */ bar, /** @type {Run | undefined} */ run) {
  const figures = bar.figures(run ?? NOTHING);
  const measured = figures.filter(({ value }) => value !== undefined);
  const text = figures
    .map(
      ({ label, value }) =>
        `${value === undefined ? "–" : figureText(value, bar.unit)}${label && ` ${label}`}`,
    )
    .join(", ");
  if (measured.length === 0) return { verdict: "not measured", text: "–" };
  if (measured.some(({ value }) => !isMet(bar.need, /** @type {number} */ (value))))
    return { verdict: "missed", text };
  return { verdict: measured.length === figures.length ? "met" : "not measured", text };
}
