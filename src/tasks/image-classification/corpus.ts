import { listDatasets } from "../../data/catalog.ts";
import { isFiles } from "../../data/dataset.ts";
import { imagesChecksum, type LabelledImages, readImages, readTraining } from "../../data/labelled-images.ts";

/** What training reads. */
export interface Corpus {
  train: LabelledImages;
  validation: LabelledImages;
  /** For the finished model alone. */
  test: LabelledImages;
  /** `imagesChecksum` of the training images. */
  checksum: string;
  /** The names of the classes by their number. */
  classes: readonly string[];
}

/** Reads all images of a folder; names of classes are those of the catalogue, or else numbers. */
export function readCorpus(dataDir: string): Corpus {
  const { train, valid: validation } = readTraining(dataDir);
  const test = readImages(dataDir, "test");
  const checksum = imagesChecksum(train);
  const known = listDatasets().find(({ splits }) => splits.train.sha256 === checksum);
  const most = train.labels.reduce((most, label) => Math.max(most, label), 0);
  const numbers = Array.from({ length: most + 1 }, (_, label) => String(label));
  const classes = (known && isFiles(known) ? known.classes : undefined) ?? numbers;
  return { train, validation, test, checksum, classes };
}
