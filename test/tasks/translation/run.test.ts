import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunOptions } from "../../../src/tasks/run-options.ts";
import { loadTranslator } from "../../../src/tasks/translation/load.ts";
import type { Recipe } from "../../../src/tasks/translation/recipe.ts";
import { type RunResult, runTranslation } from "../../../src/tasks/translation/run.ts";
import { TINY_RECIPE, tinyDataset } from "./fixture.ts";

let dataDir: string;
let whole: RunResult;
beforeAll(async () => {
  dataDir = tinyDataset();
  whole = await runTranslation(options("whole"));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

function options(name: string, more: Partial<RunOptions<Recipe>> = {}): RunOptions<Recipe> {
  const at = (folder: string) => path.join(dataDir, name, folder);
  return {
    recipe: TINY_RECIPE,
    dataDir,
    runDir: at("run"),
    outDir: at("model"),
    command: "heed train translation",
    threads: 1,
    ...more,
  };
}

const weights = (name: string) => readFileSync(path.join(dataDir, name, "model", "model.safetensors"));

/** Aborts while step `k` of a run is under way; the steps are counted by the progress they report. */
function stopAt(k: number): Partial<RunOptions<Recipe>> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    progress: { update: ({ step }) => step >= k && stop.abort(), log() {}, stop() {} },
  };
}

test("training learns: the model folder loads and translates as its card says", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  expect(card?.metrics.bleu).toBe(evaluation?.bleu);
  expect(card?.metrics.bleu).toBeGreaterThan(50);
  const translator = await loadTranslator(path.join(dataDir, "whole", "model"));
  expect(translator.card).toEqual(card);
  const [{ targetTokens, sourceTokens, weights: rows }] = translator.translate(["cat sees dog."]);
  expect(sourceTokens).toEqual(["cat", "sees", "dog", "."]);
  expect(rows).toHaveLength(targetTokens.length);
  for (const row of rows) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
  translator.dispose();
});

test("a run that is stopped and started again makes the same model, bit for bit", async () => {
  const first = await runTranslation(options("stopped", stopAt(7)));
  expect(first).toEqual({ stopped: "signal" });
  const second = await runTranslation(options("stopped", stopAt(20)));
  expect(second).toEqual({ stopped: "signal" });
  const { stopped } = await runTranslation(options("stopped"));
  expect(stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("another seed makes another model", async () => {
  await runTranslation(options("other", { recipe: { ...TINY_RECIPE, seed: 2 } }));
  expect(weights("other").equals(weights("whole"))).toBe(false);
});

test("a run folder refuses another recipe", async () => {
  const other = options("whole", { recipe: { ...TINY_RECIPE, learningRate: 1e-3 } });
  await expect(runTranslation(other)).rejects.toThrow(
    "heed train translation: a run must go on with the recipe that it began with, got another; choose an empty folder " +
      "for the checkpoints, or give what the first call had",
  );
});

test("a run folder refuses other training data", async () => {
  const other = tinyDataset(8);
  await expect(runTranslation(options("whole", { dataDir: other }))).rejects.toThrow(
    "heed train translation: a run must go on with the training data that it began with, got another;",
  );
  rmSync(other, { recursive: true });
});

test("an output folder that cannot be is refused before training", async () => {
  const file = path.join(dataDir, "a-file");
  writeFileSync(file, "");
  const outDir = path.join(file, "model");
  await expect(runTranslation(options("nowhere", { outDir }))).rejects.toThrow(
    `heed train translation: ${outDir} must be a folder that can be written, got a file where a folder should be; name another one`,
  );
});

test("the card of a user's own data does not claim Tatoeba's licence", () => {
  expect(whole.card?.data).toEqual({
    name: "tiny",
    licence: "not stated",
    attribution: "not stated",
    changes: "not stated",
  });
});
