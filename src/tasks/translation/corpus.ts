import path from "node:path";
import type { TokenPair } from "../../data/batching.ts";
import { type Bpe, END } from "../../data/bpe.ts";
import { trainBpe } from "../../data/bpe-train.ts";
import { hashedOrder, rowsChecksum } from "../../data/rows.ts";
import { readPairs, type SentencePair } from "../../data/tsv.ts";
import type { Recipe } from "./recipe.ts";

/** One source sentence with every translation that the data has of it. */
export interface Referenced {
  source: string;
  references: string[];
}

/** What training reads: encoded pairs, and the validation split as sentences with references. */
export interface Corpus {
  source: Bpe;
  target: Bpe;
  pairs: TokenPair[];
  validation: Referenced[];
  /** `rowsChecksum` of the training rows. */
  checksum: string;
}

/** Rows of one source stand together in a split: one entry a source, all its targets as references. */
export function groupReferences(pairs: readonly SentencePair[]): Referenced[] {
  const groups = new Map<string, string[]>();
  for (const { source, target } of pairs) {
    const references = groups.get(source);
    if (references) references.push(target);
    else groups.set(source, [target]);
  }
  return Array.from(groups, ([source, references]) => ({ source, references }));
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
