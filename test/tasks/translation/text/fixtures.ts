import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readPairs } from "../../../../src/data/tsv.ts";
import { countWords, type Vocabulary } from "../../../../src/tasks/translation/text/vocabulary.ts";

const FOLDER = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** The rows of a fixture; its first line says what the columns are. */
export function readFixture(name: string): string[][] {
  const lines = readFileSync(path.join(FOLDER, `${name}.tsv`), "utf8")
    .trimEnd()
    .split("\n");
  return lines.slice(1).map((line) => line.split("\t"));
}

let words: Vocabulary | undefined;

/** The words of a corpus' training sentences, as a model folder has them. */
export function corpusVocabulary(folder: string): Vocabulary {
  words ??= countWords(new Set(readPairs(`${folder}/train.tsv.gz`).map(({ source }) => source)), 2);
  return words;
}
