import path from "node:path";
import type { TokenPair } from "../../data/batching.ts";
import { type Bpe, END } from "../../data/bpe.ts";
import { trainBpe } from "../../data/bpe-train.ts";
import { hashedOrder, rowsChecksum } from "../../data/rows.ts";
import { readPairs } from "../../data/tsv.ts";
import { groupReferences, type Referenced } from "../references.ts";
import type { Recipe } from "./recipe.ts";

/** What training reads: encoded pairs, and the validation split as sentences with references. */
export interface Corpus {
  source: Bpe;
  target: Bpe;
  pairs: TokenPair[];
  validation: Referenced[];
  /** `rowsChecksum` of the training rows. */
  checksum: string;
}

/** A split of a data set, as sentences with references. */
export function readReferenced(dataDir: string, split: "valid" | "test"): Referenced[] {
  return groupReferences(hashedOrder(readPairs(path.join(dataDir, `${split}.tsv.gz`))));
}

/** Reads the training split, learns both vocabularies from it and encodes it. Targets end with END. */
export function readCorpus(dataDir: string, recipe: Recipe): Corpus {
  // One order for one set of rows, however the file has them: batches, and so the model, depend on it.
  const train = hashedOrder(readPairs(path.join(dataDir, "train.tsv.gz")));
  const source = trainBpe(
    train.map((pair) => pair.source),
    { vocabularySize: recipe.sourceVocabulary },
  );
  const target = trainBpe(
    train.map((pair) => pair.target),
    { vocabularySize: recipe.targetVocabulary },
  );
  const pairs = train
    .map((pair) => ({ source: source.encode(pair.source), target: [...target.encode(pair.target), END] }))
    .filter((pair) => pair.source.length <= recipe.maxPieces && pair.target.length <= recipe.maxPieces);
  return {
    source,
    target,
    pairs,
    validation: readReferenced(dataDir, "valid"),
    checksum: rowsChecksum(train),
  };
}
