import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { RandomStream } from "../../../../src/core/random.ts";
import {
  MULTILINGUAL_RECIPE,
  type MultilingualRecipe,
} from "../../../../src/tasks/translation/multilingual/recipe.ts";

/** English, French, German. */
const WORDS = [
  ["cat", "chat", "Kater"], ["dog", "chien", "Hund"], ["bird", "oiseau", "Vogel"], ["tree", "arbre", "Baum"],
] as const; // biome-ignore format: a table
const VERBS = [["sees", "voit", "sieht"], ["likes", "aime", "mag"], ["has", "a", "hat"]] as const; // biome-ignore format: a table
const NAMES = ["Tom", "Mary", "John", "Bob"];

const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1);

/** Two data sets of a few hundred made-up pairs with names and numbers, in a temporary folder. */
export function tinyDatasets(seed = 7): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-tiny-many-"));
  for (const [column, to] of [
    [1, "fr"],
    [2, "de"],
  ] as const) {
    const random = new RandomStream(seed, column);
    const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)]!;
    const pair = () => {
      const [name, verb, word, number] = [pick(NAMES), pick(VERBS), pick(WORDS), 2 + random.integer(97)];
      const form = random.integer(3);
      const say = (n: 0 | 1 | 2) =>
        [
          `${name} ${verb[n]} ${word[n]}.`,
          `${name} ${verb[n]} ${number} ${word[n]}.`,
          `${capital(word[n])} ${verb[n]} ${name}.`,
        ][form];
      return `${say(0)}\t${say(column)}`;
    };
    const folder = path.join(dir, `tiny-${to}`);
    mkdirSync(folder);
    for (const [split, rows] of [
      ["train", 300],
      ["valid", 17],
      ["test", 19],
    ] as const) {
      const text = `${Array.from({ length: rows }, pair).join("\n")}\n`;
      writeFileSync(path.join(folder, `${split}.tsv.gz`), gzipSync(text));
    }
  }
  return dir;
}

/** A recipe that trains in seconds. */
export const TINY_RECIPE: MultilingualRecipe = {
  ...MULTILINGUAL_RECIPE,
  data: "tiny",
  languages: ["fr", "de"],
  vocabulary: 90,
  model: { encoderLayers: 1, decoderLayers: 2, width: 24, heads: 2, inner: 29, dropout: 0 },
  epochs: 12,
  shardTokens: 400,
  learningRate: 2e-2,
  warmupSteps: 20,
  smoothing: 0.05,
  average: 0.8,
  repeatRare: 0,
  phrases: 0,
  evaluateEvery: 1000,
};
