// How near heed/kernels comes to the machine: fused attention through its public calls, copies included, against the
// multiply-add peak of the same WebAssembly engine in the same run, one thread. Build first (npm run build).
//
//     node tools/bench-attention.mjs [--json] [--heads=8] [--rounds=10]
//
// Flops a head: 4·T·S·D forward, 10·T·S·D backward, counted for T × S whatever a mask leaves out. Peak and calls
// take turns and the best time of each counts; long calls are measured in CPU time.
import os from "node:os";
import { performance } from "node:perf_hooks";
import { attention, attentionBackward, init, referenceAttention } from "../dist/kernels/index.js";
import { compileKernels } from "./build.mjs";

const flag = (/** @type {string} */ name, /** @type {number} */ fallback) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split("=")[1] ?? fallback);
const H = flag("heads", 8);
const ROUNDS = flag("rounds", 10);
const PEAK_STEPS = 40_000;

const CASES = [
  { name: "full", T: 2048, options: {} },
  { name: "causal", T: 2048, options: { causal: true } },
  { name: "window 256", T: 2048, options: { window: { left: 256, right: 0 } } },
  { name: "full T = 512", T: 512, options: {} },
  { name: "full T = 64", T: 64, options: {} },
];
const D = 64;

async function peakMeter() {
  const binary = await compileKernels("assembly/probes/peak.ts", ["--enable", "relaxed-simd"]);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const { peak } = /** @type {{ peak(n: number, address: number): void }} */ (instance.exports);
  for (let n = 0; n < 100; n++) peak(2000, 1024);
  return () => (PEAK_STEPS * 96) / seconds(() => peak(PEAK_STEPS, 1024)) / 1e9;
}

/** CPU time where the call is long enough for that clock: a neighbour on the machine takes turns, not our time. */
function seconds(/** @type {() => void} */ run) {
  const begin = performance.now();
  const used = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(used);
  const wall = (performance.now() - begin) / 1e3;
  return wall < 5e-3 ? wall : (user + system) / 1e6;
}

function random(/** @type {number} */ n) {
  // Box and Muller; the values do not matter, their size does.
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Float32Array.from({ length: n }, normal);
}

function check() {
  const sizes = { B: 1, H: 1, Hkv: 1, T: 65, S: 65, D, Dv: D };
  const [q, k, v] = [random(65 * D), random(65 * D), random(65 * D)];
  const { output, saved } = attention(q, k, v, sizes, { causal: true });
  const expected = referenceAttention(saved.program, { q, k, v }).output;
  if (!output.every((x, e) => Math.abs(x - expected[e]) < 1e-4)) throw new Error("bench: results differ");
}

const { build } = await init();
check();
const meter = await peakMeter();
let peak = 0;
const results = [];
for (const { name, T, options } of CASES) {
  const sizes = { B: 1, H, T, S: T, D };
  const [q, k, v, dout] = [random(H * T * D), random(H * T * D), random(H * T * D), random(H * T * D)];
  const calls = Math.ceil((512 / T) ** 2);
  let [forward, backward] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    for (let n = 0; n < 20; n++) peak = Math.max(peak, meter());
    for (let n = 0; n < calls; n++) {
      let saved;
      const run = () => {
        ({ saved } = attention(q, k, v, sizes, options));
      };
      forward = Math.min(forward, seconds(run));
      backward = Math.min(
        backward,
        seconds(() => attentionBackward(dout, saved)),
      );
    }
  }
  results.push({ name, T, forward, backward, flops: H * T * T * D });
}

const machine = { node: process.version, cpu: os.cpus()[0]?.model ?? "unknown", build, H, D, peak };
const rows = results.map(({ name, T, forward, backward, flops }) => ({
  ...{ name, T, forwardMs: forward * 1e3, backwardMs: backward * 1e3 },
  ...{ forwardGflops: (4 * flops) / forward / 1e9, backwardGflops: (10 * flops) / backward / 1e9 },
}));
if (process.argv.includes("--json")) console.log(JSON.stringify({ ...machine, rows }, null, 2));
else {
  console.log(`${machine.node}, ${machine.cpu}, ${build} kernels, H = ${H}, D = ${D}, float32, one thread`);
  console.log(`peak ${peak.toFixed(1)} GF/s`);
  const share = (/** @type {number} */ gflops) =>
    `${gflops.toFixed(1).padStart(6)} GF/s ${((100 * gflops) / peak).toFixed(0).padStart(4)} %`;
  for (const row of rows) {
    const forward = `forward ${row.forwardMs.toFixed(2).padStart(8)} ms ${share(row.forwardGflops)}`;
    const backward = `backward ${row.backwardMs.toFixed(2).padStart(8)} ms ${share(row.backwardGflops)}`;
    console.log(`${row.name.padEnd(14)}${forward}   ${backward}`);
  }
}
