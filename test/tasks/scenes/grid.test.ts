import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convolutionalGridSpecs } from "../../../src/models/convolutional-grid.ts";
import type { RunOptions } from "../../../src/tasks/index.ts";
import { startGrid } from "../../../src/tasks/scenes/grid/files.ts";
import { DEFAULT_GRID_RECIPE, type GridRecipe } from "../../../src/tasks/scenes/grid/recipe.ts";
import { type GridRun, runSceneGrid } from "../../../src/tasks/scenes/grid/run.ts";
import { tinyItemFiles } from "./fixture.ts";

const RECIPE: GridRecipe = {
  ...DEFAULT_GRID_RECIPE,
  data: "tiny",
  epochs: 1,
  epochScenes: 180,
  shardScenes: 3,
  warmupSteps: 5,
  evaluateEvery: 10,
  validationScenes: 11,
  testScenes: 23,
};

let dataDir: string;
let whole: GridRun;
const at = (...names: string[]) => path.join(dataDir, ...names);

function options(name: string, more: Partial<RunOptions<GridRecipe>> = {}): RunOptions<GridRecipe> {
  const folders = { dataDir, runDir: at(name, "run"), outDir: at(name, "model") };
  return { recipe: RECIPE, ...folders, command: "heed train scene-grid", threads: 1, ...more };
}

beforeAll(async () => {
  dataDir = tinyItemFiles();
  whole = await runSceneGrid(options("whole"));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

test("a grid learns to name the items of scenes", () => {
  expect(whole.stopped).toBe("done");
  const { metrics, labels, training } = whole.card!;
  expect(labels).toEqual(["0", "1", "2"]);
  expect(metrics.accuracy).toBeGreaterThan(0.9);
  expect(training.steps).toBeLessThanOrEqual(30);
});

test("a run that is stopped and started again makes the same grid, bit for bit", async () => {
  const stop = new AbortController();
  const progress = { update: ({ step }: { step: number }) => step >= 7 && stop.abort(), log() {}, stop() {} };
  const first = await runSceneGrid(options("stopped", { signal: stop.signal, progress }));
  expect(first).toEqual({ stopped: "signal" });
  expect((await runSceneGrid(options("stopped"))).stopped).toBe("done");
  const [a, b] = ["stopped", "whole"].map((name) => readFileSync(at(name, "model", "model.safetensors")));
  expect(a!.equals(b!)).toBe(true);
});

test("its features are what other models begin with, and damage is said", () => {
  const start = startGrid(at("whole", "model"));
  const specs = convolutionalGridSpecs("grid");
  expect(Object.entries(start).map(([name, { length }]) => [name, length])).toEqual(
    Object.entries(specs).map(([name, { shape }]) => [name, shape.reduce((product, n) => product * n, 1)]),
  );
  expect(() => startGrid(at("nowhere"))).toThrow("startGrid: a model folder must hold");
  writeFileSync(at("whole", "model", "card.json"), JSON.stringify({ ...whole.card, labels: 3 }));
  expect(() => startGrid(at("whole", "model"))).toThrow("labels that are no list");
  const labels = ["0", "1"];
  writeFileSync(at("whole", "model", "card.json"), JSON.stringify({ ...whole.card, labels }));
  expect(() => startGrid(at("whole", "model"))).toThrow("cell/kernel must be F16 [96, 3]");
});
