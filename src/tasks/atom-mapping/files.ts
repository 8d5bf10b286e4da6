import { readFileSync } from "node:fs";
import { useHeedBackend } from "../../host/select.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  VOCABULARY,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import { AtomMapper } from "./mapper.ts";
import { type AtomMappingModel, readModel } from "./read.ts";

/** The licence of the weights, which must go where they go. */
const LICENCE = "LICENSE";

/** Writes a model folder: float32 weights, for float16 changes confidences; the vocabulary, the card, the licence. */
export function writeModelFolder(
  dir: string,
  { model, vocabulary, card }: AtomMappingModel,
  licenceFile: string,
): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "albert" }, "F32"),
    [VOCABULARY]: `${JSON.stringify({ tokens: vocabulary.list })}\n`,
    [CARD]: cardFile(card),
    [LICENCE]: readFileSync(licenceFile),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): AtomMappingModel {
  return readModel(filesOfFolder(dir));
}

/** The model that ships with heed. */
export const DEFAULT_ATOM_MAPPER = "atom-mapping";

/**
 * Loads a mapper of atoms.
 *
 * @param place the name of one that ships with heed, or a folder
 * @throws OptionError OPTION · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 */
export async function loadAtomMapper(place: string = DEFAULT_ATOM_MAPPER): Promise<AtomMapper> {
  const folder = shippedModel(place, "loadAtomMapper");
  await useHeedBackend();
  return new AtomMapper(readModelFolder(folder));
}
