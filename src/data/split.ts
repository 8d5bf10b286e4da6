import { DataError, OptionError } from "../core/errors.ts";
import { findDataset } from "./catalog.ts";
import { isFiles, type PairDataset, type Split } from "./dataset.ts";
import { locateDataset, splitPath } from "./locate.ts";
import { hashedOrder, rowsChecksum } from "./rows.ts";
import { readPairs, type SentencePair } from "./tsv.ts";

/**
 * The rows of one split of a data set, checked against the catalogue and in `hashedOrder`: every machine gets the
 * same rows at the same numbers, wherever its files came from.
 *
 * @param dir the folder of the split files; default: where `locateDataset` finds it
 * @throws FileError MISSING, OptionError UNKNOWN, UNSUPPORTED where it has no pairs, DataError MISMATCH
 * @example
 * const train = readSplit("tatoeba-en-fr", "train");
 */
export function readSplit(
  name: string,
  split: Split,
  options: { readonly dir?: string } = {},
): SentencePair[] {
  const dataset = findDataset("readSplit", name);
  if (isFiles(dataset)) {
    const rule = "the data set must have sentence pairs";
    const remedy = "read its files, for instance with readImages";
    throw new OptionError("UNSUPPORTED", { op: "readSplit", rule, got: name, remedy, name });
  }
  const path = splitPath(locateDataset(name, options), split);
  const pairs = readPairs(path);
  checkSplit("readSplit", dataset, split, pairs);
  return hashedOrder(pairs);
}

/** @throws DataError MISMATCH unless the rows are those of the catalogue */
export function checkSplit(
  op: string,
  { name, splits }: PairDataset,
  split: Split,
  pairs: readonly SentencePair[],
): void {
  const { rows, sha256 } = splits[split];
  const got = rowsChecksum(pairs);
  if (got === sha256) return;
  throw new DataError("MISMATCH", {
    op,
    rule: `the ${split} rows of ${name} must be ${rows} with sha256 ${sha256} (sorted)`,
    got: `${pairs.length} with ${got}`,
    remedy: `remove that folder and run "heed data fetch ${name}"`,
    name,
    split,
  });
}
