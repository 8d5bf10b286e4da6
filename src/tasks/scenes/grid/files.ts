import { convolutionalGridSpecs } from "../../../models/convolutional-grid.ts";
import type { CardData } from "../../card-data.ts";
import {
  CARD,
  cardFile,
  ModelFolder,
  shippedModel,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../../model-folder.ts";
import type { TrainingSpeed } from "../../training-speed.ts";
import type { GridEvaluation } from "./evaluate.ts";
import type { GridRecipe } from "./recipe.ts";
import { SceneGrid, sceneGridSpecs } from "./scene-grid.ts";

/** What a reader must know of a trained grid. */
export interface GridCard {
  name: string;
  task: "scene-grid";
  description: string;
  /** Names of the classes by their number. */
  labels: readonly string[];
  parameters: number;
  data: CardData;
  training: {
    command: string;
    recipe: GridRecipe;
    steps: number;
    epochs: number;
    hours: number;
    validation: { accuracy: number };
  };
  /** The share of the items of fresh scenes of test items whose class the cells within their box say. */
  metrics: GridEvaluation & { split: string; command: string };
  /** Measured on an idle machine. */
  speed?: TrainingSpeed;
  limits: string[];
}

/** Writes a model folder: float16 weights and the card. */
export function writeGrid(dir: string, grid: SceneGrid, card: GridCard): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(grid.parameters.variables, { model: "scene-grid" }),
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeGrid` wrote. The backend must be ready. @throws FileError MISSING, DataError DAMAGED, MISMATCH */
export function readGrid(place: string): { grid: SceneGrid; card: GridCard } {
  const { card, values } = readFolder("readGrid", place);
  return { grid: new SceneGrid(card.labels.length, values), card };
}

/**
 * The features of a trained grid, `grid/0/kernel` and so on, for a model to begin with; what its cells said is left out.
 *
 * @param place the name of a grid that ships with heed, or a folder
 * @throws FileError MISSING · DataError DAMAGED, MISMATCH
 */
export function startGrid(place: string): Record<string, Float32Array> {
  const { values } = readFolder("startGrid", place);
  return Object.fromEntries(Object.keys(convolutionalGridSpecs("grid")).map((name) => [name, values[name]!]));
}

function readFolder(op: string, place: string) {
  const folder = new ModelFolder(op, shippedModel(place), [WEIGHTS, CARD]);
  const card = folder.json<GridCard>(CARD, ["data", "metrics"]);
  if (!Array.isArray(card.labels)) throw folder.damaged(CARD, "labels that are no list");
  folder.checkDataName(card.data);
  return { card, values: folder.weights(sceneGridSpecs(card.labels.length)) };
}
