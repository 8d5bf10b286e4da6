import { createHash } from "node:crypto";
import { imagesChecksum, locateImages, readTraining } from "../../data/labelled-images.ts";
import { type DigitPool, drawnDigits, readDigits } from "./digits.ts";
import { DRAWN_DIGITS } from "./recipe.ts";

/** The digits that videos are composed of. */
export interface DigitCorpus {
  readonly train: DigitPool;
  readonly valid: DigitPool;
  readonly test: DigitPool;
  readonly checksum: string;
}

/** Digits of a folder with the four files of MNIST, or for "" those that are drawn, the same in every part. */
export function readCorpus(folder: string): DigitCorpus {
  if (folder === "") {
    const drawn = drawnDigits();
    const hash = createHash("sha256");
    for (const picture of drawn.pictures) hash.update(new Uint8Array(picture.buffer));
    return { train: drawn, valid: drawn, test: drawn, checksum: hash.digest("hex") };
  }
  return { ...readDigits(folder), checksum: imagesChecksum(readTraining(folder).train) };
}

/** The folder of a recipe's digits; "" for those that are drawn. @throws FileError MISSING */
export const locateDigits = (name: string, options: { dir?: string }): string =>
  name === DRAWN_DIGITS && options.dir === undefined ? "" : locateImages(name, options);
