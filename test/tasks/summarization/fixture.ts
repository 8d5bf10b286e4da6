import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { RandomStream } from "../../../src/core/random.ts";
import { DEFAULT_SUMMARIZATION_RECIPE, type SummarizationRecipe } from "../../../src/tasks/index.ts";

const VERBS: readonly (readonly [verb: string, noun: string])[] = [
  ["sings", "song"],
  ["sleeps", "sleep"],
  ["walks", "walk"],
];
const SYLLABLES = ["ba", "ko", "mi", "ru", "te", "zo"];

/** Reports of a few words about people with made-up names, each summed up in name and noun, in a temporary folder. */
export function tinyReports(seed = 7): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-reports-"));
  const random = new RandomStream(seed);
  const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)]!;
  const report = () => {
    const name = Array.from({ length: 3 }, () => pick(SYLLABLES)).join("");
    const [verb, noun] = pick(VERBS);
    const shown = name.charAt(0).toUpperCase() + name.slice(1);
    return `${pick(["Today", "Often"])} ${shown} ${verb} in the ${pick(["garden", "house"])}.\t${shown}: ${noun}`;
  };
  const text = (rows: number) => `${Array.from({ length: rows }, report).join("\n")}\n`;
  writeFileSync(path.join(dir, "train.tsv.gz"), gzipSync(text(160)));
  writeFileSync(path.join(dir, "valid.tsv"), text(11));
  writeFileSync(path.join(dir, "test.tsv.gz"), gzipSync(text(13)));
  return dir;
}

/** A recipe that trains in a few seconds. */
export const TINY_RECIPE: SummarizationRecipe = {
  ...DEFAULT_SUMMARIZATION_RECIPE,
  data: "tiny",
  vocabulary: 22,
  model: {
    ...DEFAULT_SUMMARIZATION_RECIPE.model,
    embedding: 13,
    encoder: 11,
    decoder: 17,
    attention: 7,
    dropout: 0.05,
  },
  epochs: 14,
  shards: 1,
  shardTokens: 200,
  maxSource: 9,
  maxTarget: 5,
  learningRate: 2e-2,
  warmupSteps: 5,
  hide: 0,
  coverageFrom: 0.85,
  coverageWeight: 1,
  evaluateEvery: 40,
};
