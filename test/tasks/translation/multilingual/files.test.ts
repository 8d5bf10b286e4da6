import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { useHeedBackend } from "../../../../src/host/select.ts";
import { loadTranslator } from "../../../../src/tasks/translation/load.ts";
import { writeRandomMultilingual } from "./random-model.ts";

let dir: string;
const good = () => path.join(dir, "good");
beforeAll(async () => {
  await useHeedBackend();
  dir = mkdtempSync(path.join(tmpdir(), "heed-many-"));
  writeRandomMultilingual(good());
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A copy of the model whose card has other entries. */
function changed(changes: object): string {
  const folder = mkdtempSync(path.join(dir, "damaged-"));
  cpSync(good(), folder, { recursive: true });
  const file = path.join(folder, "card.json");
  const card = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...card, ...changes }));
  return folder;
}

test("a folder of several languages translates into each of them, the first by default, and into no other", async () => {
  const translate = async (to?: "fr" | "de" | "es") => {
    const translator = await loadTranslator(good(), to);
    const [found] = translator.translate(["I see 3 dogs."]);
    translator.dispose();
    return { to: translator.card.to, dataset: translator.dataset, found: found! };
  };
  const [first, french, german] = [await translate(), await translate("fr"), await translate("de")];
  expect([first.to, first.dataset]).toEqual(["fr", "tiny-fr"]);
  expect(first.found).toEqual(french.found);
  expect([german.to, german.dataset]).toEqual(["de", "tiny-de"]);
  // Nonsense that never ends is given as far as it goes, and says what it lacks.
  for (const { found } of [french, german])
    expect(found.doubts).toEqual(["low confidence", "cut off", "value missing"]);
  expect(german.found.target).not.toBe(french.found.target);
  const before = tf.memory().numTensors;
  await expect(translate("es")).rejects.toThrow(
    `loadTranslator: the language must be one that the model of ${good()} translates to, fr, de, got es; ` +
      "choose one of those or another model",
  );
  expect(tf.memory().numTensors).toBe(before);
});

test.each<[string, object, string]>([
  ["a layer that is not there", { alignment: { layer: 2, heads: [0] } }, 'alignment {"layer":2'],
  ["a head that is not there", { alignment: { layer: 0, heads: [2] } }, "alignment {"],
  ["no heads", { alignment: { layer: 0, heads: [] } }, "alignment {"],
  ["an alignment that is a list", { alignment: [0] }, 'JSON without "alignment"'],
  ["no languages", { languages: [] }, "languages []"],
  ["languages that are text", { languages: "fr" }, 'languages "fr"'],
  ["a language without outputs", { languages: ["fr", "es"] }, 'a language "es" without outputs'],
  ["a source language that is a number", { from: 7 }, "from 7"],
  ["a figure of confidence that is text", { confidence: { bias: "0", weights: [1] } }, "confidence {"],
  ["weights of confidence that are text", { confidence: { bias: 0, weights: "1" } }, "confidence {"],
  ["a beam of a million", { decoding: { beam: 1e6, lengthPenalty: 1, maxPieces: 30 } }, "decoding {"],
  ["a data set somewhere else", { training: { recipe: { data: "../../x" } } }, 'a data set named "../../x"'],
  ["no training", { training: null }, 'JSON without "training"'],
])("a card with %s is refused in one sentence", async (_, changes, got) => {
  const folder = changed(changes);
  const before = tf.memory().numTensors;
  await expect(loadTranslator(folder)).rejects.toThrow(
    expect.objectContaining({
      name: "DataError",
      code: "DAMAGED",
      message: expect.stringContaining(
        `loadTranslator: ${path.join(folder, "card.json")} must be what heed wrote, got ${got}`,
      ),
    }),
  );
  expect(tf.memory().numTensors).toBe(before);
});

test("weights that are cut off, or of another model, are refused", async () => {
  const cut = changed({});
  truncateSync(path.join(cut, "model.safetensors"), 3000);
  await expect(loadTranslator(cut)).rejects.toThrow(/^safetensors: .*; the file is damaged/);
  const model = JSON.parse(readFileSync(path.join(good(), "card.json"), "utf8")).model;
  const other = changed({ model: { ...model, inner: 31 } });
  await expect(loadTranslator(other)).rejects.toThrow(/^loadTranslator: .* must be F16 \[31, 24\] in .*/);
});

test.each<
  [string, (lexicon: { outputs: Record<string, unknown>; words: Record<string, unknown> }) => object]
>([
  ["an output that is no id", (lexicon) => ({ ...lexicon, outputs: { ...lexicon.outputs, fr: [-1] } })],
  [
    "outputs beyond the pieces",
    (lexicon) => ({ ...lexicon, outputs: { ...lexicon.outputs, fr: [1, 99_999] } }),
  ],
  ["a count that is text", (lexicon) => ({ ...lexicon, words: { cat: "3" } })],
  ["no words", ({ words: _, ...lexicon }) => lexicon],
])("a vocabulary with %s is refused", async (_, change) => {
  const folder = changed({});
  const file = path.join(folder, "vocabulary.json");
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))));
  await expect(loadTranslator(folder)).rejects.toThrow(
    expect.objectContaining({ code: "DAMAGED", message: expect.stringContaining("vocabulary.json") }),
  );
});
