import { existsSync } from "node:fs";
import path from "node:path";
import { DataError } from "../../core/errors.ts";
import type { TokenPair } from "../../data/batching.ts";
import type { Split } from "../../data/dataset.ts";
import { locateDataset } from "../../data/locate.ts";
import { hashedOrder, rowsChecksum } from "../../data/rows.ts";
import { normalizeText } from "../../data/text.ts";
import { readPairs, type SentencePair } from "../../data/tsv.ts";
import { groupReferences, type Referenced } from "../references.ts";
import { splitWords, WordVocabulary } from "../words.ts";
import { hiddenCopies } from "./hidden-copies.ts";
import type { SummarizationRecipe } from "./recipe.ts";

const OP = "heed train summarization";

/** What decides how texts are read. */
export type Reading = Pick<
  SummarizationRecipe,
  "kind" | "vocabulary" | "hide" | "seed" | "maxSource" | "maxTarget"
>;

/** What training reads: encoded pairs, and the validation split as texts with references. */
export interface SummarizationCorpus {
  vocabulary: WordVocabulary;
  pairs: TokenPair[];
  /** Of the training rows: how many have a source that was cut, and how many were left out for a long target. */
  cut: number;
  leftOut: number;
  validation: Referenced[];
  /** `rowsChecksum` of the training rows. */
  checksum: string;
}

/**
 * The file of a split: `train.tsv.gz` or `train.tsv`; where a data set has several kinds of target, such as the lite and the
 * full rewrites of wiki-conciseness, `train.lite.tsv.gz`.
 */
export function splitFile(dataDir: string, split: Split, kind: string): string {
  const stem = path.join(dataDir, kind === "" ? split : `${split}.${kind}`);
  const plain = `${stem}.tsv`;
  return existsSync(plain) ? plain : `${plain}.gz`;
}

/** The folder of a data set with that split: `dir` and no other where it is given. @throws FileError MISSING */
export function locateSummaries(name: string, split: Split, kind: string, dir?: string): string {
  if (dir !== undefined) return dir;
  return locateDataset(name, { files: [path.basename(splitFile("", split, kind))] });
}

const readRows = (file: string): SentencePair[] =>
  hashedOrder(
    readPairs(file).map(({ source, target }) => ({
      source: normalizeText(source),
      target: normalizeText(target),
    })),
  );

/**
 * A split as texts with all their references. Files have rows `source<TAB>target`, UTF-8, gzip or not.
 *
 * @throws FileError UNREADABLE · DataError FORMAT, DAMAGED
 */
export function readSummaries(dataDir: string, split: "valid" | "test", kind: string): Referenced[] {
  return groupReferences(readRows(splitFile(dataDir, split, kind)));
}

/**
 * Reads the training split, counts its words (unless a vocabulary is given) and encodes it. Sources are cut after `maxSource` tokens; rows with a longer
 * target than `maxTarget`, or without a word on either side, are left out.
 *
 * @throws FileError UNREADABLE · DataError FORMAT, DAMAGED, SHAPE
 */
export function readCorpus(dataDir: string, recipe: Reading, given?: WordVocabulary): SummarizationCorpus {
  const { kind, maxSource, maxTarget } = recipe;
  const rows = readRows(splitFile(dataDir, "train", kind));
  const all = rows.map(({ source, target }) => ({ source: splitWords(source), target: splitWords(target) }));
  const kept = all.filter(
    ({ source, target }) => source.length > 0 && target.length > 0 && target.length <= maxTarget,
  );
  if (kept.length === 0) {
    const rule = `the training split must have a row with a target of 1 to ${maxTarget} tokens`;
    const fault = { op: OP, rule, got: `none of ${rows.length}` };
    throw new DataError("SHAPE", { ...fault, remedy: "give other rows, or raise maxTarget" });
  }
  const cut = kept.map(({ source, target }) => ({ source: source.slice(0, maxSource), target }));
  const texts = cut.flatMap(({ source, target }) => [source, target]);
  const vocabulary = given ?? WordVocabulary.of(texts, recipe.vocabulary);
  const pairs = cut.map(({ source, target }) => {
    const { ids, own } = vocabulary.source(source);
    return { source: ids, target: vocabulary.target(target, own) };
  });
  const hiding = { vocabulary: vocabulary.size, share: recipe.hide, seed: recipe.seed };
  return {
    vocabulary,
    pairs: [...pairs, ...hiddenCopies(pairs, hiding)],
    cut: kept.filter(({ source }) => source.length > maxSource).length,
    leftOut: all.length - kept.length,
    validation: readSummaries(dataDir, "valid", kind),
    checksum: rowsChecksum(rows),
  };
}
