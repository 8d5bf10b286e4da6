import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
/** bench/ is JavaScript without declarations. */
const load = (file: string) => import(pathToFileURL(path.join(root, file)).href);

interface Bar {
  name: string;
  suite: string;
  need: object;
  unit: string;
}
const { BARS, judge, needText } = (await load("bench/bars.mjs")) as {
  BARS: Bar[];
  judge(bar: Bar, run: unknown): { verdict: string; text: string };
  needText(bar: Bar): string;
};

/** A run with one timing for each contender of each case, in seconds. */
const runOf = (cases: Record<string, Record<string, number>>, more: object = {}) => ({
  suite: "attention",
  results: Object.entries(cases).map(([name, times]) => ({
    name,
    timings: Object.entries(times).map(([contender, best]) => ({ contender, best })),
  })),
  ...more,
});
const barNamed = (pattern: RegExp) => BARS.find(({ name }) => pattern.test(name))!;

test("docs/BENCHMARKS.md is what docs/benchmarks.json says", () => {
  const script = path.join(root, "tools/docs/benchmarks.mjs");
  const made = execFileSync(process.execPath, [script, "--print"], { encoding: "utf8" });
  expect(read("docs/BENCHMARKS.md"), "run node tools/docs/benchmarks.mjs").toBe(made);
});

test("docs/BENCHMARKS.md holds every bar beside what was measured", () => {
  const bars = [
    ["full forward, one thread, T = 2048: share of the WebAssembly multiply-add peak", "≥ 80 %"],
    ["two threads over one, full, T = 2048", "≥ 1.9 ×"],
    ["time of causal over time of full, T = 2048", "≤ 0.55 ×"],
    ["full, T = 2048, against onnxruntime-web with as many threads", "≥ 2 ×"],
    ["full, T = 2048, each at its best in Node, against jax-js under jit", "≥ 8 ×"],
    ["full, T = 2048, each at its best in Node, against tfjs-wasm composed", "≥ 35 ×"],
    ["causal, T = 2048, against onnxruntime-node (native) with as many threads", "≥ 1.1 ×"],
    ["window 256, T = 4096, against onnxruntime-node (native) with as many threads", "≥ 5 ×"],
    ["full, T = 2048, against onnxruntime-node (native) with as many threads", "≥ 0.5 ×"],
    ["backward, one thread, T = 2048: share of the WebAssembly multiply-add peak", "≥ 65 %"],
    [
      "T = 64, and T = 1 against a cache of 4096: against the fastest WebAssembly peer, copies and call included",
      "> 1 ×",
    ],
    ["T = 1 against 4096 resident keys, one thread, against onnxruntime-web with one and with two", "≥ 2 ×"],
    [
      "T = 1 against 4096 resident keys, one thread: share of the speed at which WebAssembly adds up the same bytes",
      "≥ 70 %",
    ],
    [
      "full, T = 64, one thread: share of the WebAssembly multiply-add peak, copies and call included",
      "≥ 70 %",
    ],
    ["full, T = 64, against onnxruntime-web with as many threads", "> 1 ×"],
    [
      "two threads over one, full and many heads of any size: never slower, a twentieth for noise",
      "≥ 0.95 ×",
    ],
    ["512 heads of 16, one thread, on TensorFlow.js: against the same composed on tfjs-wasm", "≥ 1 ×"],
    ["plain-SIMD build, full, T = 2048, against onnxruntime-web, one thread", "≥ 1.2 ×"],
    ["T = 65 536, one head, forward and backward: peak resident memory", "≤ 600 MB"],
    ["training step of a Transformer block against stock tfjs-wasm", "≥ 10 ×"],
    ["training step of a Transformer block against jax-js under jit", "≥ 2 ×"],
    ["training step of a language model against stock tfjs-wasm", "≥ 10 ×"],
    ["training step of a language model against jax-js under jit", "≥ 2 ×"],
    ["256 sentences by MiniLM in batches of 32, one thread, against onnxruntime-web", "≥ 1.5 ×"],
    ["256 sentences by MiniLM in batches of 32, one thread, against onnxruntime-node (native)", "≥ 0.5 ×"],
  ];
  expect(BARS.map((bar) => [bar.name, needText(bar)])).toEqual(bars);
  const page = read("docs/BENCHMARKS.md").replaceAll(/ {2,}/g, " ");
  for (const [name, need] of bars) expect(page).toContain(`| ${name} | ${need} | `);
});

test("a bar is met, missed or not measured by the times of a run", () => {
  // 8 heads, T = 2048, D = 64: 4·8·2048²·64 = 8.59 Gflop, so 0.2 s are 42.9 of 50 GF/s.
  const share = barNamed(/^full forward/);
  const full = (seconds: number) => runOf({ "full, T = 2048": { "heed, 1 thread": seconds } }, { peak: 50 });
  expect(judge(share, full(0.2))).toEqual({ verdict: "met", text: "86 %" });
  expect(judge(share, full(0.22))).toEqual({ verdict: "missed", text: "78 %" });
  expect(judge(share, runOf({}))).toEqual({ verdict: "not measured", text: "–" });
  expect(judge(share, undefined)).toEqual({ verdict: "not measured", text: "–" });

  const web = barNamed(/^full, T = 2048, against onnxruntime-web/);
  const times = {
    "heed, 1 thread": 1,
    "onnxruntime-web, 1 thread": 3,
    "onnxruntime-web relaxed, 1 thread": 2.5,
  };
  const partly = judge(web, runOf({ "full, T = 2048": times }));
  expect(partly).toEqual({ verdict: "not measured", text: "2.50 × 1 thread, – 2 threads" });
  const both = { ...times, "heed, 2 threads": 0.5, "onnxruntime-web, 2 threads": 0.9 };
  const missed = judge(web, runOf({ "full, T = 2048": both }));
  expect(missed).toEqual({ verdict: "missed", text: "2.50 × 1 thread, 1.80 × 2 threads" });

  const memory = barNamed(/resident memory/);
  expect(judge(memory, runOf({}, { memory: { megabytes: 453.4 } }))).toEqual({
    verdict: "met",
    text: "453 MB",
  });
  expect(judge(memory, runOf({}, { memory: { megabytes: 601 } })).verdict).toBe("missed");
});

test("short calls are compared with the fastest WebAssembly peer, and not with native ones", () => {
  const times = { "heed, 1 thread": 2, "heed, 2 threads": 1.5, "onnxruntime-node, 1 thread": 1 };
  const cases = ["full, T = 64", "causal, T = 64", "window 256, T = 64", "GQA 8/2, T = 64"];
  const all = (peer: number) =>
    runOf(
      Object.fromEntries(
        [...cases, "decode, T = 1, S = 4096"].map((name) => [
          name,
          { ...times, "jax-js": peer, "tfjs-wasm by heads": 9 },
        ]),
      ),
    );
  const short = barNamed(/^T = 64/);
  expect(judge(short, all(3)).verdict).toBe("met");
  expect(judge(short, all(3)).text).toMatch(/^2\.00 × full, .*2\.00 × decode$/);
  expect(judge(short, all(1.5)).verdict).toBe("missed");
});

test("contenders take turns, and one that waited for the processor is charged what it computed", async () => {
  const { callsOf, charged, interleave, median } = await load("bench/measure.mjs");
  const turns: string[] = [];
  const runner = (name: string, seconds: number) => ({
    sample: async () => ({ value: turns.push(name), seconds }),
  });
  const limits = { rounds: 4, budget: 1 };
  const quick = runner("q", 0.01);
  // Half a second each: two fill the budget and there are at least three. One alone is enough for a whole second.
  const all = [quick, runner("m", 0.5), runner("s", 1)];
  const played = await interleave(all, limits, async () => turns.push("|"));
  expect(turns.join("")).toBe("|qms|qm|qm|q");
  expect(played).toEqual([[2, 6, 9, 12], [3, 7, 10], [4]]);
  expect([callsOf(1e-3, 0.02), callsOf(0.5, 0.02)]).toEqual([20, 1]);
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  const waited = { wall: 0.02, cpu: 0.01 };
  expect([charged(waited, 1, 1), charged(waited, 1, 2)]).toEqual([0.01, 0.02]);
  expect(charged({ wall: 1e-3, cpu: 0 }, 2, 1), "too short for that clock").toBe(1e-3);
});

test("a quick run checks and times heed, and names the peer that does not load, with the reason", () => {
  const args = [
    "attention",
    "--quick",
    "--json",
    "--peers=onnxruntime-web relaxed",
    "--cases=^(full|decode)",
  ];
  const printed = execFileSync(process.execPath, ["bench/main.mjs", ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { absent, peak, results } = JSON.parse(printed);
  expect(absent["onnxruntime-web relaxed, 1 thread"]).toMatch(
    /^(the package has no build with relaxed SIMD|onnxruntime-web is not installed)$/,
  );
  expect(results.map(({ name }: { name: string }) => name)).toEqual([
    "full, T = 64",
    "decode, T = 1, S = 4096",
  ]);
  for (const { timings, refused } of results) {
    expect(refused).toEqual({ "sum of the same bytes": "measured beside resident keys only" });
    expect(timings[0].contender).toBe("heed, 1 thread");
    expect(timings[0].best).toBeGreaterThan(0);
    expect(timings[0].median).toBeGreaterThanOrEqual(timings[0].best);
  }
  expect(peak).toBeGreaterThan(0.5);
});

test("a quick run embeds sentences as the plain loops of the CPU backend do", () => {
  const args = ["embedding", "--quick", "--json", "--peers=none"];
  const printed = execFileSync(process.execPath, ["bench/main.mjs", ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [{ timings, refused }] = JSON.parse(printed).results;
  expect(refused).toEqual({});
  expect(timings[0].contender).toBe("heed, 1 thread");
  expect(timings[0].best).toBeGreaterThan(0);
});

test("the peers are packages of bench/, and none that the product needs", () => {
  const names = (file: string) => {
    const { dependencies, peerDependencies } = JSON.parse(read(file));
    return Object.keys({ ...dependencies, ...peerDependencies });
  };
  const peers = names("bench/package.json");
  expect(peers).toEqual(["@jax-js/jax", "onnxruntime-node", "onnxruntime-web"]);
  expect(names("package.json").filter((name) => peers.includes(name))).toEqual([]);
});
