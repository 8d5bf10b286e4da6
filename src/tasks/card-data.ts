import { listDatasets } from "../data/catalog.ts";
import { type Dataset, isFiles } from "../data/dataset.ts";
import { knownData } from "./known-data.ts";

/** What a card says of the data that its model learnt from. */
export interface CardData {
  name: string;
  licence: string;
  attribution: string;
  changes: string;
}

const has = (dataset: Dataset, checksum: string) =>
  dataset.splits.train.sha256 === checksum ||
  (isFiles(dataset) && dataset.files.some(({ sha256 }) => sha256 === checksum));

/** The first paragraph of a notice below its title, in one line. */
export const firstParagraph = (notice: string): string =>
  (notice.split("\n\n")[1] ?? notice).replaceAll("\n", " ").trim();

/**
 * What we know of the data that a model learns from: everything where the catalogue or `knownData` has them, else a name.
 *
 * @param checksum of the training rows, or of the file that they were cut from
 * @param noticeOf what of the catalogue's attribution a card repeats
 */
export function cardData(
  name: string,
  checksum: string,
  { noticeOf, changesOf }: { noticeOf: (attribution: string) => string; changesOf: (name: string) => string },
): CardData {
  const own = knownData(checksum);
  if (own) return { ...own, changes: own.changes ?? changesOf(own.name) };
  const known = listDatasets().find((dataset) => has(dataset, checksum));
  if (!known) return { name, licence: "not stated", attribution: "not stated", changes: "not stated" };
  const { licence, attribution } = known;
  return {
    name: known.name,
    licence,
    attribution: noticeOf(attribution),
    changes: changesOf(known.name),
  };
}
