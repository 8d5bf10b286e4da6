import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { RandomStream } from "../../../src/core/random.ts";
import { DEFAULT_RECIPE, type Recipe } from "../../../src/tasks/translation/recipe.ts";

const WORDS: [string, string][] = [
  ["cat", "chat"], ["dog", "chien"], ["bird", "oiseau"], ["house", "maison"], ["tree", "arbre"], ["sun", "soleil"],
]; // biome-ignore format: pairs
const VERBS: [string, string][] = [["sees", "voit"], ["likes", "aime"], ["has", "a"]]; // biome-ignore format: pairs

/** A data set of a few hundred made-up pairs, in a temporary folder. */
export function tinyDataset(seed = 7): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-tiny-"));
  const random = new RandomStream(seed);
  const pick = <T>(from: T[]): T => from[random.integer(from.length)];
  const pair = () => {
    const [a, b] = [pick(WORDS), pick(WORDS)];
    const verb = pick(VERBS);
    return `${a[0]} ${verb[0]} ${b[0]}.\t${a[1]} ${verb[1]} ${b[1]}.`;
  };
  const split = (name: string, rows: number) => {
    const text = `${Array.from({ length: rows }, pair).join("\n")}\n`;
    writeFileSync(path.join(dir, `${name}.tsv.gz`), gzipSync(text));
  };
  mkdirSync(dir, { recursive: true });
  split("train", 240);
  split("valid", 11);
  split("test", 13);
  return dir;
}

/** A recipe that trains in a second or two. */
export const TINY_RECIPE: Recipe = {
  ...DEFAULT_RECIPE,
  data: "tiny",
  sourceVocabulary: 60,
  targetVocabulary: 60,
  model: { ...DEFAULT_RECIPE.model, embedding: 29, encoder: 23, decoder: 31, dropout: 0.05 },
  epochs: 30,
  shardTokens: 200,
  learningRate: 1e-2,
  warmupSteps: 5,
  smoothing: 0.02,
  evaluateEvery: 40,
};
