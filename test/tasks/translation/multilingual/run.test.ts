import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { useHeedBackend } from "../../../../src/host/select.ts";
import type { RunOptions } from "../../../../src/tasks/run-options.ts";
import { readMultilingualFolder } from "../../../../src/tasks/translation/multilingual/files.ts";
import type { MultilingualRecipe } from "../../../../src/tasks/translation/multilingual/recipe.ts";
import {
  type MultilingualResult,
  runMultilingual,
} from "../../../../src/tasks/translation/multilingual/run.ts";
import { MultilingualTranslator } from "../../../../src/tasks/translation/multilingual/translator.ts";
import { TINY_RECIPE, tinyDatasets } from "./fixture.ts";

let dataDir: string;
let whole: MultilingualResult;
beforeAll(async () => {
  dataDir = tinyDatasets();
  whole = await runMultilingual(options("whole"));
}, 180_000);
afterAll(() => rmSync(dataDir, { recursive: true }));

function options(
  name: string,
  more: Partial<RunOptions<MultilingualRecipe>> = {},
): RunOptions<MultilingualRecipe> {
  const at = (folder: string) => path.join(dataDir, name, folder);
  const command = "heed train translation-multilingual";
  return {
    recipe: TINY_RECIPE,
    dataDir,
    runDir: at("run"),
    outDir: at("model"),
    command,
    threads: 1,
    ...more,
  };
}

const model = (name: string) => path.join(dataDir, name, "model");
const file = (name: string, of: string) => readFileSync(path.join(model(name), of));

test("one model learns both languages: its folder loads, translates and copies names and numbers it never saw", async () => {
  const { stopped, card, finished } = whole;
  expect(stopped).toBe("done");
  expect(card.metrics.fr!.bleu).toBe(finished!.evaluations.fr!.bleu);
  expect(card.metrics.fr!.bleu).toBeGreaterThan(80);
  expect(card.metrics.de!.bleu).toBeGreaterThan(80);
  expect(finished!.aligned).toBeGreaterThan(0.9);
  await useHeedBackend();
  const given = readMultilingualFolder(model("whole"));
  expect(given.card).toEqual(card);
  const lines = ["Priya sees 12,345 cat.", "", "Ivan likes dog."];
  const [first, empty, second] = new MultilingualTranslator(given, "fr").translate(lines, { nBest: 3 });
  expect(first!.target).toBe("Priya voit 12 345 chat.");
  expect(first!.values).toEqual([
    { kind: expect.any(String), source: "Priya", target: "Priya" },
    { kind: "number", source: "12,345", target: "12 345" },
  ]);
  expect(first!.targetTokens).toEqual(["Priya", "voit", "12 345", "chat", "."]);
  expect(first!.sourceTokens).toEqual(["Priya", "sees", "12,345", "cat", "."]);
  for (const row of first!.weights) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
  expect(first!.confidence).toBeGreaterThan(0);
  expect(first!.alternatives!.length).toBeGreaterThan(0);
  expect(empty!.target).toBe("");
  expect(second!.target).toBe("Ivan aime chien.");
  const [german] = new MultilingualTranslator(given, "de").translate(lines);
  expect(german!.target).toBe("Priya sieht 12.345 Kater.");
  given.model.dispose();
});

test("a run that is stopped leaves a model, and started again makes the same one, bit for bit", async () => {
  const stop = new AbortController();
  const progress = {
    update: ({ step }: { step: number }) => step >= 13 && stop.abort(),
    log() {},
    stop() {},
  };
  const recipe = { ...TINY_RECIPE, epochs: 2 };
  const straight = await runMultilingual(options("straight", { recipe }));
  expect(straight.stopped).toBe("done");
  const first = await runMultilingual(
    options("stopped", { recipe, signal: stop.signal, progress: progress as never }),
  );
  expect(first.stopped).toBe("signal");
  expect(first.finished).toBeUndefined();
  expect(readMultilingualFolder(model("stopped")).card.training.steps).toBe(13);
  const second = await runMultilingual(options("stopped", { recipe }));
  expect(second.stopped).toBe("done");
  expect(file("stopped", "model.safetensors").equals(file("straight", "model.safetensors"))).toBe(true);
  expect(file("stopped", "vocabulary.json").equals(file("straight", "vocabulary.json"))).toBe(true);
});

test("a run that is done goes on when more epochs are asked for, as if they had been from the start", async () => {
  const straight = file("straight", "model.safetensors");
  await runMultilingual(options("longer", { recipe: { ...TINY_RECIPE, epochs: 1 } }));
  expect(file("longer", "model.safetensors").equals(straight)).toBe(false);
  const { card } = await runMultilingual(options("longer", { recipe: { ...TINY_RECIPE, epochs: 2 } }));
  expect(card.training.epochs).toBe(2);
  expect(file("longer", "model.safetensors").equals(straight)).toBe(true);
});

test("a run can begin with a finished model: its lexicon, its weights, and the rates of a later step", async () => {
  const start = model("whole");
  const recipe = { ...TINY_RECIPE, epochs: 1, start, startStep: 150, seed: 2 };
  const { card } = await runMultilingual(options("onward", { recipe }));
  expect(file("onward", "vocabulary.json").equals(file("whole", "vocabulary.json"))).toBe(true);
  // One epoch from random weights knows nothing.
  expect(card.metrics.fr!.bleu).toBeGreaterThan(70);
  const wider = { ...recipe, model: { ...recipe.model, inner: 31 } };
  await expect(runMultilingual(options("wider", { recipe: wider }))).rejects.toThrow(
    `heed train translation-multilingual: a run must have the sizes of ${start}, which it begins with, got inner 31, not 29; ` +
      "correct the recipe's model",
  );
});
