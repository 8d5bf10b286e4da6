import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { decodeSafetensors } from "../../../src/core/safetensors.ts";
import {
  type CaptioningRecipe,
  type CaptioningRun,
  captionStrip,
  captionTrace,
  evaluateCaptions,
  loadCaptioner,
  type RunOptions,
  readItemPools,
  runCaptioning,
  scenePixels,
  scenesAt,
} from "../../../src/tasks/index.ts";
import { drawTrace } from "../../../src/views/index.ts";
import { fakeIo } from "../../cli/fake-io.ts";
import { tinyItemFiles } from "../scenes/fixture.ts";
import { TINY_RECIPE } from "./fixture.ts";

let dataDir: string;
let whole: CaptioningRun;
beforeAll(async () => {
  dataDir = tinyItemFiles();
  whole = await runCaptioning(options("whole"));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

const at = (...names: string[]) => path.join(dataDir, ...names);

function options(
  name: string,
  more: Partial<RunOptions<CaptioningRecipe>> = {},
): RunOptions<CaptioningRecipe> {
  const folders = { dataDir, runDir: at(name, "run"), outDir: at(name, "model") };
  return { recipe: TINY_RECIPE, ...folders, command: "heed train captioning", threads: 1, ...more };
}

const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));

/** Aborts while step `k` of a run is under way. */
function stopAt(k: number): Partial<RunOptions<CaptioningRecipe>> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    progress: { update: ({ step }) => step >= k && stop.abort(), log() {}, stop() {} },
  };
}

test("the folder loads, captions as its card says, and shows where each word looked", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  const { seconds, ...scores } = evaluation!;
  expect(card!.metrics).toEqual({ split: "test", ...scores, command: "heed evaluate captioning" });
  expect([seconds > 0, scores.scenes, scores.exactByItems.length]).toEqual([true, 11, 4]);
  expect(card!.labels).toEqual(["0", "1", "2"]);
  const captioner = await loadCaptioner(at("whole", "model"));
  expect(captioner.card).toEqual(JSON.parse(JSON.stringify(card)));
  const { test: items } = readItemPools(dataDir);
  const again = evaluateCaptions(captioner, items, 11);
  expect({ ...again, seconds: 0 }).toEqual({ ...evaluation, seconds: 0 });
  const scenes = scenesAt(items, 3, 0, 3);
  const pixels = scenePixels(scenes);
  const before = tf.memory().numTensors;
  const captions = captioner.caption(pixels, { beam: 2, maxLength: 7 });
  expect(tf.memory().numTensors).toBe(before);
  for (const [n, { caption, words, weights, gates, probability }] of captions.entries()) {
    expect(caption).toBe(words.join(" "));
    expect([weights.length, gates.length]).toEqual([words.length, words.length]);
    for (const map of weights) expect(map.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 5);
    for (const gate of gates) expect(gate > 0 && gate < 1).toBe(true);
    expect(probability > 0 && probability < 1).toBe(true);
    // No scene depends on those beside it.
    const [alone] = captioner.caption(scenes[n]!.pixels, { beam: 2, maxLength: 7 });
    expect(alone!.words).toEqual(words);
  }
  captioner.dispose();
});

test("a caption is a trace with its picture, and a strip of one map a word", async () => {
  const captioner = await loadCaptioner(at("whole", "model"));
  const [scene] = scenesAt(readItemPools(dataDir).test, 3, 0, 1);
  const words = ["a", "2", "above"];
  const maps = words.map((_, t) => Float32Array.from({ length: 64 }, (_, i) => (i === 9 * t ? 1 : 0)));
  const caption = {
    caption: words.join(" "),
    words,
    weights: maps,
    gates: [0.2, 0.9, 0.5],
    probability: 0.5,
  };
  const trace = captionTrace(scene!.pixels, caption)!;
  expect(trace.tokens.caption).toEqual(words);
  expect(trace.grid).toMatchObject({ height: 8, width: 8, patch: 8, cls: 0 });
  expect(Array.from(trace.gates.beta!.shape)).toEqual([3]);
  expect(drawTrace(trace)).toContain("3 words over 8 × 8 cells of an image");
  const strip = captionStrip(scene!.pixels, caption)!;
  expect(strip).toContain("smoothed between cells");
  expect(strip).toContain("“2” looked most at row 2, column 2 (1.00)");
  const none = { caption: "", words: [], weights: [], gates: [], probability: 0.1 };
  expect([captionTrace(scene!.pixels, none), captionStrip(scene!.pixels, none)]).toEqual([
    undefined,
    undefined,
  ]);
  const refused = () => captioner.caption(new Uint8Array(5));
  expect(refused).toThrow(
    "Captioner.caption: pixels must be whole scenes of 64·64 pixels, got 5 bytes; pass grey pictures as bytes, row by row",
  );
  expect(() => captioner.caption(scene!.pixels, { beam: 0 })).toThrow("beam must be an integer ≥ 1, got 0");
  captioner.dispose();
});

test("a run of hard attention that is stopped and started again makes the same model, bit for bit", async () => {
  const recipe = { ...TINY_RECIPE, model: { ...TINY_RECIPE.model, kind: "hard" as const }, epochs: 1 };
  await runCaptioning(options("hard", { recipe }));
  expect(await runCaptioning(options("stopped", { recipe, ...stopAt(2) }))).toEqual({ stopped: "signal" });
  expect((await runCaptioning(options("stopped", { recipe }))).stopped).toBe("done");
  expect(weights("stopped").equals(weights("hard"))).toBe(true);
});

test("a model can begin with another one of the same words, of soft attention or hard", async () => {
  const model = { ...TINY_RECIPE.model, kind: "hard" as const };
  // At a rate of nearly 0 it ends as it began.
  const recipe = { ...TINY_RECIPE, model, start: at("whole", "model"), epochs: 1, learningRate: 1e-30 };
  await runCaptioning(options("begun", { recipe }));
  const { training } = JSON.parse(readFileSync(path.join(at("begun", "model"), "card.json"), "utf8"));
  expect(training.before).toEqual(JSON.parse(JSON.stringify(whole.card!.training)));
  const tensorsOf = (name: string) => Object.entries(decodeSafetensors(weights(name)).tensors);
  expect(tensorsOf("begun").map(([name, { data }]) => [name, Array.from(data as Uint16Array)])).toEqual(
    tensorsOf("whole").map(([name, { data }]) => [name, Array.from(data as Uint16Array)]),
  );
  const vocabulary = path.join(at("begun", "model"), "vocabulary.json");
  writeFileSync(vocabulary, readFileSync(vocabulary, "utf8").replace('"above"', '"below"'));
  await expect(
    runCaptioning(options("other", { recipe: { ...recipe, start: at("begun", "model") } })),
  ).rejects.toThrow(
    "heed train captioning: a model to begin with must have the words of the data, 0, 1, 2, a, above, left, of, got " +
      "0, 1, 2, a, below, left, of; begin with another one",
  );
});

test("a grid that stays as it is ships as it began, and its decoder alone learns", async () => {
  const grid = at("whole", "model");
  await expect(runCaptioning(options("none", { recipe: { ...TINY_RECIPE, grid } }))).rejects.toThrow(
    "startGrid: cell/kernel must be F16",
  );
  await runCaptioning(options("fixed", { recipe: { ...TINY_RECIPE, trainGrid: false, epochs: 1 } }));
  await runCaptioning(options("again", { recipe: { ...TINY_RECIPE, trainGrid: false, epochs: 2 } }));
  const bitsOf = (name: string, tensor: string) =>
    Array.from(decodeSafetensors(weights(name)).tensors[tensor]!.data as Uint16Array);
  expect(bitsOf("fixed", "grid/3/kernel")).toEqual(bitsOf("again", "grid/3/kernel"));
  expect(bitsOf("fixed", "grid/3/kernel")).not.toEqual(bitsOf("whole", "grid/3/kernel"));
  expect(bitsOf("fixed", "output/bias")).not.toEqual(bitsOf("again", "output/bias"));
});

test("a run folder refuses another recipe", async () => {
  const other = options("whole", { recipe: { ...TINY_RECIPE, penaltyWeight: 2 } });
  await expect(runCaptioning(other)).rejects.toThrow(
    "heed train captioning: a run must go on with the recipe that it began with, got another; choose an empty folder " +
      "for the checkpoints, or give what the first call had",
  );
});

test("heed train captioning makes a model that heed evaluate captioning scores as it did", async () => {
  const { data: _, ...recipe } = { ...TINY_RECIPE, epochs: 1 };
  writeFileSync(at("recipe.json"), JSON.stringify(recipe));
  const flags = ["--out", at("cli", "model"), "--run", at("cli"), "--recipe", at("recipe.json")];
  const io = fakeIo();
  expect(await run(["train", "captioning", "--data", dataDir, ...flags], io)).toBe(0);
  const [, exact, mass] = /^test: exact captions ([\d.]+) %, ([\d.]+) % of/.exec(io.out()) ?? [];
  const scored = fakeIo();
  const evaluate = ["evaluate", "captioning", "--model", at("cli", "model"), "--data", dataDir];
  expect(await run([...evaluate, "--scenes", "11", "--json"], scored)).toBe(0);
  const result = JSON.parse(scored.out());
  expect((100 * result.exact).toFixed(1)).toBe(exact);
  expect((100 * result.massInside).toFixed(1)).toBe(mass);
  const said = fakeIo();
  expect(await run([...evaluate, "--scenes", "3", "--split", "valid", "--beam", "1"], said)).toBe(0);
  expect(said.out()).toMatch(/^valid: exact captions [\d.]+ % of 3 scenes .*\n/);
});
