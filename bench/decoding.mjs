/**
 * How near a step of decoding with stored weights comes to reading them, in one run on one machine, one thread:
 *
 *     npm run build && node bench/decoding.mjs SmolLM2-135M-Instruct.Q4_1.gguf
 *     npm run build && node bench/decoding.mjs SmolLM2-135M-Instruct.Q4_1.gguf Q8_0   # the same weights in 8 bits; also F16, BF16
 *
 * A token reads every weight once. The limit is what this engine takes to add up as many bytes (assembly/probes/bandwidth.ts).
 * Steps, the same steps with the layers' operations one by one, and the sum run in turn; of each the least and the median time
 * count, and beside the clock the time of the processor, which other programs lengthen less.
 */
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import "../dist/host/backend.js";
import { KeyValueCache } from "../dist/models/index.js";
import { loadModel } from "../dist/tasks/index.js";
import { compileKernels } from "../tools/build.mjs";
import { REPACKED, repack } from "./repack.mjs";

const PROBE = fileURLToPath(new URL("../assembly/probes/bandwidth.ts", import.meta.url));
const PAGE = 65536;
const [WARM, ROUNDS] = [30, 120];

const [file, type] = process.argv.slice(2);
if (!file || (type !== undefined && !REPACKED.includes(type))) {
  const got = file ? type : "no file";
  console.error(
    `bench: name a model of stored weights, as a GGUF file, and one of ${REPACKED.join(", ")} or nothing, got ${got}`,
  );
  process.exit(2);
}
await tf.setBackend("heed");
const { model } = await loadModel(file, { weights: "stored" });
const { packed, variables } = model.parameters;
if (type) repack(packed, type);
const held = [...Object.values(packed).map(({ words }) => words), ...Object.values(variables)];
// What the sum reads is a multiple of 128.
const bytes = 128 * Math.ceil(held.reduce((sum, { size }) => sum + 4 * size, 0) / 128);

const binary = /** @type {any} */ (await compileKernels(PROBE, ["--enable", "relaxed-simd"]));
const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil(bytes / PAGE) });
const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
const { sumAll } = /** @type {{ sumAll(address: number, bytes: number): number }} */ (instance.exports);
// Pages that nobody has written are all one page of zeros, which the first cache holds.
new Float32Array(memory.buffer, PAGE, bytes / 4).fill(1);

const capacity = 1 + 2 * (WARM + ROUNDS);
const caches = {
  whole: new KeyValueCache(model, { capacity }),
  layers: new KeyValueCache(model, { capacity }),
};
let next = 1;
/** One token and its logits; with an adapter that adds nothing its layers run one by one. */
function step(/** @type {"whole" | "layers"} */ way) {
  next = (next * 31 + 7) % model.config.vocabulary;
  model.adapter = way === "layers" ? { pass: () => (_, __, y) => y } : undefined;
  tf.tidy(() => {
    const tokens = tf.tensor2d([[next]], [1, 1], "int32");
    model.logits(model.decode({ tokens }, { cache: caches[way] })).dataSync();
  });
}
const RUNS = { whole: () => step("whole"), layers: () => step("layers"), sum: () => sumAll(PAGE, bytes) };
const processor = () => Object.values(process.cpuUsage()).reduce((sum, us) => sum + us / 1000, 0);

/** @type {Record<keyof typeof RUNS, { clock: number[], processor: number[] }>} */
const times = {
  whole: { clock: [], processor: [] },
  layers: { clock: [], processor: [] },
  sum: { clock: [], processor: [] },
};
for (let round = 0; round < WARM + ROUNDS; round++) {
  for (const name of /** @type {(keyof typeof RUNS)[]} */ (Object.keys(RUNS))) {
    const [clock, cpu] = [performance.now(), processor()];
    RUNS[name]();
    if (round < WARM) continue;
    times[name].clock.push(performance.now() - clock);
    times[name].processor.push(processor() - cpu);
  }
}

const at = (/** @type {number[]} */ values, /** @type {number} */ share) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
console.log(
  `${(bytes / 1e6).toFixed(1)} MB a token, ${WARM} to ${WARM + ROUNDS} tokens before it, one thread`,
);
for (const kind of /** @type {const} */ (["clock", "processor"])) {
  for (const [name, share] of /** @type {const} */ ([
    ["least", 0],
    ["median", 0.5],
  ])) {
    const [whole, layers, sum] = [times.whole, times.layers, times.sum].map((x) => at(x[kind], share));
    const percent = (/** @type {number} */ ms) =>
      `${ms.toFixed(2)} ms, ${((100 * sum) / ms).toFixed(0)} % of the limit`;
    console.log(
      `${kind}, ${name}: ${percent(whole)}; layers one by one ${percent(layers)}; the sum ${sum.toFixed(2)} ms`,
    );
  }
}
for (const cache of Object.values(caches)) cache.dispose();
model.dispose();
