import { convolutionalGridSpecs } from "../../../models/convolutional-grid.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../../model-folder.ts";
import { type GridCard, readModel, readValues } from "./read.ts";
import type { SceneGrid } from "./scene-grid.ts";

/** Writes a model folder: float16 weights and the card. */
export function writeGrid(dir: string, grid: SceneGrid, card: GridCard): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(grid.parameters.variables, { model: "scene-grid" }),
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeGrid` wrote. The backend must be ready. @throws FileError MISSING, DataError DAMAGED, MISMATCH */
export function readGrid(place: string): { grid: SceneGrid; card: GridCard } {
  return readModel(filesOfFolder(shippedModel(place, "readGrid")));
}

/**
 * The features of a trained grid, `grid/0/kernel` and so on, for a model to begin with; what its cells said is left out.
 *
 * @param place the name of a grid that ships with heed, or a folder
 * @throws FileError MISSING · DataError DAMAGED, MISMATCH
 */
export function startGrid(place: string): Record<string, Float32Array> {
  const { values } = readValues("startGrid", filesOfFolder(shippedModel(place, "startGrid")));
  return Object.fromEntries(Object.keys(convolutionalGridSpecs("grid")).map((name) => [name, values[name]!]));
}
