import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { useHeedBackend } from "../../host/select.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
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
export const DEFAULT_ATOM_MAPPER = fileURLToPath(new URL("../../../weights/atom-mapping", import.meta.url));

/** Loads a model folder. @throws FileError MISSING, DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED */
export async function loadAtomMapper(dir: string = DEFAULT_ATOM_MAPPER): Promise<AtomMapper> {
  await useHeedBackend();
  return new AtomMapper(readModelFolder(dir));
}
