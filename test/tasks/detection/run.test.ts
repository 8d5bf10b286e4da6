import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeSafetensors } from "../../../src/core/safetensors.ts";
import {
  type DetectionRecipe,
  type DetectionRun,
  evaluateDetector,
  loadDetector,
  type RunOptions,
  readItemPools,
  runDetection,
  scenePixels,
  scenesAt,
} from "../../../src/tasks/index.ts";
import { tinyItemFiles } from "../scenes/fixture.ts";
import { tinyGrid, tinyRecipe } from "./fixture.ts";

let dataDir: string;
let grid: string;
let recipe: DetectionRecipe;
let whole: DetectionRun;
beforeAll(async () => {
  dataDir = tinyItemFiles();
  const { useHeedBackend } = await import("../../../src/host/select.ts");
  await useHeedBackend();
  grid = tinyGrid();
  recipe = tinyRecipe(grid);
  whole = await runDetection(options("whole"));
});
afterAll(() => {
  rmSync(dataDir, { recursive: true });
  rmSync(path.dirname(grid), { recursive: true });
});

const at = (...names: string[]) => path.join(dataDir, ...names);

function options(name: string, more: Partial<RunOptions<DetectionRecipe>> = {}): RunOptions<DetectionRecipe> {
  const folders = { dataDir, runDir: at(name, "run"), outDir: at(name, "model") };
  const command = "heed train detection";
  return { recipe, ...folders, command, threads: 1, ...more };
}

/** Aborts while step `k` of a run is under way. */
function stopAt(k: number): Partial<RunOptions<DetectionRecipe>> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    progress: { update: ({ step }) => step >= k && stop.abort(), log() {}, stop() {} },
  };
}

const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));
const tensorsOf = (file: string) => decodeSafetensors(readFileSync(file)).tensors;

test("the folder loads, and its card's figures are made again", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  const { seconds, ...scores } = evaluation!;
  expect(seconds).toBeGreaterThan(0);
  expect(card!.metrics).toEqual({ split: "test", ...scores, command: "heed evaluate detection" });
  expect(card!.labels).toEqual(["0", "1", "2"]);
  expect(card!.data).toMatchObject({ name: "tiny", licence: "not stated" });
  expect(card!.training).toMatchObject({ command: "heed train detection", recipe });
  const detector = await loadDetector(at("whole", "model"));
  expect(detector.card).toEqual(card);
  const { test: items } = readItemPools(dataDir);
  const { seconds: _, ...again } = evaluateDetector(detector, items, recipe.testScenes);
  expect(again).toEqual(scores);
  detector.dispose();
});

test("every query of a scene is told with what it looked at, whatever stands beside it in the batch", async () => {
  const detector = await loadDetector(at("whole", "model"));
  const pixels = scenePixels(scenesAt(readItemPools(dataDir).test, 3, 0, 3));
  const { numTensors } = tf.memory();
  const looks = detector.look(pixels, { least: 0 });
  expect(tf.memory().numTensors).toBe(numTensors);
  for (const { found, heads, cells, grid: size } of looks) {
    expect(size).toEqual([8, 8]);
    expect(found.map(({ query }) => query).toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect([heads.length, cells!.length]).toEqual([3 * 5 * 64, 64 * 64]);
    for (const [n, { attention, name, label }] of found.entries()) {
      expect(name).toBe(String(label));
      expect(attention.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 5);
      const mean = (cell: number) =>
        [0, 1, 2].reduce((sum, h) => sum + heads[(h * 5 + n) * 64 + cell]! / 3, 0);
      expect(attention[17]).toBeCloseTo(mean(17), 6);
    }
  }
  const alone = detector.look(pixels.slice(64 * 64, 2 * 64 * 64), { least: 0 });
  expect(alone[0]).toEqual(looks[1]);
  expect(detector.detect(pixels, { least: 1 })).toEqual([[], [], []]);
  expect(() => detector.detect(new Uint8Array(100))).toThrow(
    "ItemDetector: pixels must be whole scenes of 64·64 pixels, got 100 bytes; pass grey scenes as bytes, row by row",
  );
  detector.dispose();
});

test("a run that is stopped and started again makes the same model, bit for bit", async () => {
  expect(await runDetection(options("stopped", stopAt(2)))).toEqual({ stopped: "signal" });
  expect((await runDetection(options("stopped"))).stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("the grid stays as it is, bit for bit, or learns on where the recipe says so", async () => {
  const begun = tensorsOf(path.join(grid, "model.safetensors"));
  const kept = tensorsOf(at("whole", "model", "model.safetensors"));
  const names = Object.keys(begun).filter((name) => name.startsWith("grid/"));
  expect(names.length).toBe(10);
  for (const name of names) expect(kept[name]!.data).toEqual(begun[name]!.data);
  const model = { ...recipe.model, nonLocal: 0 };
  const learning = { ...recipe, model, trainGrid: true, epochs: 1 };
  await runDetection(options("learning", { recipe: learning }));
  const learnt = tensorsOf(at("learning", "model", "model.safetensors"));
  for (const name of names) expect(learnt[name]!.data).not.toEqual(begun[name]!.data);
  expect(Object.keys(learnt).some((name) => name.startsWith("non-local"))).toBe(false);
  const detector = await loadDetector(at("learning", "model"));
  expect(detector.look(new Uint8Array(64 * 64))[0]!.cells).toBeUndefined();
  detector.dispose();
});

test("recipes that cannot be are refused before anything is trained", async () => {
  const random = options("random", { recipe: { ...recipe, grid: "" } });
  await expect(runDetection(random)).rejects.toThrow(
    'heed train detection: a grid of random numbers must learn, got trainGrid: false; set trainGrid, or grid to "scene-grid"',
  );
  const short = options("short", { recipe: { ...recipe, epochs: 1, epochScenes: 6 } });
  await expect(runDetection(short)).rejects.toThrow(
    "linearSchedule: steps must be a whole number from 3, got 1",
  );
  const wide = options("wide", { recipe: { ...recipe, model: { ...recipe.model, width: 13 } } });
  await expect(runDetection(wide)).rejects.toThrow("DetectionTransformer: width C=13 must be a multiple of");
  const other = options("whole", { recipe: { ...recipe, clipNorm: 2 } });
  await expect(runDetection(other)).rejects.toThrow(
    "heed train detection: a run must go on with the recipe that it began with, got another",
  );
});

test("a damaged folder is refused in one line", async () => {
  const folder = mkdtempSync(path.join(dataDir, "damaged-"));
  const text = readFileSync(at("whole", "model", "card.json"), "utf8");
  const cases: [string, string][] = [
    [text.replace('"width": 12', '"width": 13'), 'got model {"nonLocal":7,"width":13'],
    [text.replace('"queries": 5', '"queries": "5"'), 'got model {"nonLocal":7'],
    [text.replace('"nonLocal": 7', '"nonLocal": -1'), 'got model {"nonLocal":-1'],
    [text.replace('"name": "tiny"', '"name": "../tiny"'), 'got a data set named "../tiny"'],
    [text.replace('"nonLocal": 7', '"nonLocal": 8'), "non-local/theta/kernel must be F16 [12, 8]"],
    [text.replace(/"labels": \[[^\]]*\]/, '"labels": ["0", 1, "2"]'), 'got labels ["0",1,"2"]'],
    [text.replace(/"labels": \[[^\]]*\]/, '"labels": ["0"]'), "class/kernel must be F16 [12, 2]"],
  ];
  writeFileSync(path.join(folder, "model.safetensors"), weights("whole"));
  for (const [content, message] of cases) {
    writeFileSync(path.join(folder, "card.json"), content);
    await expect(loadDetector(folder), message).rejects.toThrow(message);
  }
});
