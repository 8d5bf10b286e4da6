import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { RandomStream } from "../../../src/core/random.ts";
import { DEFAULT_LANGUAGE_MODEL_RECIPE, type LanguageModelRecipe } from "../../../src/tasks/index.ts";

/** A folder with a text in which every third character is drawn, and the two after it follow from it. */
export function tinyText(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-text-"));
  const random = new RandomStream(3);
  const words = ["abc", "bca", "cé\n"];
  const text = Array.from({ length: 900 }, () => words[random.integer(3)]).join("");
  writeFileSync(path.join(dir, "input.txt"), text);
  return dir;
}

/** A recipe that trains in a second or two. */
export const TINY_RECIPE: LanguageModelRecipe = {
  ...DEFAULT_LANGUAGE_MODEL_RECIPE,
  data: "tiny",
  model: { layers: 1, width: 24, heads: 3, inner: 31, tied: true, dropout: 0.05 },
  epochs: 12,
  length: 17,
  shardRows: 5,
  learningRate: 2e-2,
  warmupSteps: 5,
  evaluateEvery: 40,
};
