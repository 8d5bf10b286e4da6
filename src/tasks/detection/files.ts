import { useHeedBackend } from "../../host/select.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import { ItemDetector } from "./detector.ts";
import { type DetectorModel, readModel } from "./read.ts";

/** Writes a model folder: float16 weights and the card. */
export function writeModelFolder(dir: string, { model, card }: DetectorModel): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.variables, { model: "scene-detector" }),
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): DetectorModel {
  return readModel(filesOfFolder(dir));
}

/**
 * Loads a model folder.
 *
 * @param place the name of a detector that ships with heed, or a folder @default "detection"
 * @throws FileError MISSING, DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 */
export async function loadDetector(place = "detection"): Promise<ItemDetector> {
  await useHeedBackend();
  return new ItemDetector(readModelFolder(shippedModel(place, "loadDetector")));
}
