import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type RunOptions, runTranslation } from "../../../src/tasks/translation/run.ts";
import { loadTranslator } from "../../../src/tasks/translation/translator.ts";
import { TINY_RECIPE, tinyDataset } from "./fixture.ts";

let dataDir: string;
beforeAll(() => {
  dataDir = tinyDataset();
});

function options(name: string, more: Partial<RunOptions> = {}): RunOptions {
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
function stopAt(k: number): Partial<RunOptions> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    progress: { update: ({ step }) => step >= k && stop.abort(), log() {}, stop() {} },
  };
}

test("training learns: the model folder loads and translates as its card says", async () => {
  const { stopped, card, evaluation } = await runTranslation(options("whole"));
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
    "heed train translation: a run must go on with the recipe that it began with, got another one; choose an empty " +
      "--run folder, or give the options of the first call",
  );
});
