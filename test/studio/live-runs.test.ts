/** The runs that a page shows until its models are there are what the models make. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { layerMap, readTrace } from "../../src/inspect/index.ts";
import { makeRuns } from "../../studio/live/make-runs.ts";
import { drawPairs, isHeldOut, translateToy } from "../../studio/live/worker/toy-language.ts";

const folder = path.resolve(import.meta.dirname, "../../studio/public/runs");
const MOST_BYTES = 300_000;
/** Weights are kept in 16 bits; machines round sums otherwise. */
const TOLERANCE = 2e-3;

let made: Record<string, string | Uint8Array>;
beforeAll(async () => {
  made = await makeRuns();
}, 120_000);

it("there are as many as the tool makes, in 300 kB", () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(made).sort());
  const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
});

/** What a run says, without numbers, and its weights. */
function read(text: string) {
  const { output, trace } = JSON.parse(text) as { output: Record<string, unknown>; trace: string };
  const { layers, tokens } = readTrace(Uint8Array.from(Buffer.from(trace, "base64")));
  const words = JSON.stringify({ ...output, svg: undefined }, (_, value) =>
    typeof value === "number" ? 0 : value,
  );
  const weights = layers.flatMap((layer) => {
    const map = layerMap(layer);
    return Array.from({ length: layer.H * layer.T }, (_, row) =>
      Array.from(map.row(Math.floor(row / layer.T), row % layer.T).values, (value) => value || 0),
    ).flat();
  });
  return { words, tokens, weights };
}

it("each says and looks at what it says in the folder; run tools/live-runs.mjs where a model is another one", () => {
  for (const [name, content] of Object.entries(made)) {
    const file = readFileSync(path.join(folder, name));
    if (typeof content !== "string") {
      expect(Buffer.compare(file, content)).toBe(0);
      continue;
    }
    const [old, fresh] = [read(file.toString()), read(content)];
    expect([name, fresh.words, fresh.tokens]).toEqual([name, old.words, old.tokens]);
    expect(fresh.weights.length).toBe(old.weights.length);
    const largest = fresh.weights.reduce(
      (most, weight, n) => Math.max(most, Math.abs(weight - old.weights[n]!)),
      0,
    );
    expect(largest).toBeLessThan(TOLERANCE);
  }
});

it("what a page loads imports no module of Node", () => {
  const assets = path.resolve(import.meta.dirname, "../../dist/studio/assets");
  const scripts = readdirSync(assets).filter((file) => file.endsWith(".js"));
  expect(scripts.some((file) => file.startsWith("worker-"))).toBe(true);
  for (const file of scripts) {
    const code = readFileSync(path.join(assets, file), "utf8");
    expect(code).not.toMatch(/(from|import\(?)\s*["'`]node:/);
  }
});

it("the toy languages trade places as they say, and what is held out is never learnt", () => {
  expect(translateToy("a red cat sees the big dog".split(" "))?.join(" ")).toBe(
    "un chat rouge le chien grand voit",
  );
  expect(translateToy(["the", "whale"])).toBeUndefined();
  const learnt = drawPairs(new RandomStream(1, 1), 500, false);
  const marked = drawPairs(new RandomStream(1, 2), 100, true);
  expect(learnt.some(({ source }) => isHeldOut(source))).toBe(false);
  const known = new Set(learnt.map(({ source }) => source.join(" ")));
  expect(marked.filter(({ source }) => known.has(source.join(" ")))).toEqual([]);
});
