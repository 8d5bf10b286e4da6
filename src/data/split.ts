import { DataError } from "../core/errors.ts";
import { findDataset, type Split } from "./catalog.ts";
import { locateDataset, splitPath } from "./locate.ts";
import { hashedOrder, rowsChecksum } from "./rows.ts";
import { readPairs, type SentencePair } from "./tsv.ts";

/**
 * The rows of one split of a data set, checked against the catalogue and in `hashedOrder`: every machine gets the
 * same rows at the same numbers, wherever its files came from.
 *
 * @param dir the folder of the split files; default: where `locateDataset` finds it
 * @throws FileError DATASET_MISSING, OptionError DATASET_NAME, DataError SPLIT_CHECKSUM
 * @example
 * const train = readSplit("tatoeba-en-fr", "train");
 */
export function readSplit(
  name: string,
  split: Split,
  options: { readonly dir?: string } = {},
): SentencePair[] {
  const dataset = findDataset("readSplit", name);
  const path = splitPath(locateDataset(name, options), split);
  const pairs = readPairs(path);
  const got = rowsChecksum(pairs);
  const { rows, sha256 } = dataset.splits[split];
  if (got !== sha256) {
    throw new DataError("SPLIT_CHECKSUM", {
      op: "readSplit",
      name,
      split,
      rows,
      sha256,
      gotRows: pairs.length,
      got,
    });
  }
  return hashedOrder(pairs);
}
