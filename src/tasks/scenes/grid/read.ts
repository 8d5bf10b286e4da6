import type { CardData } from "../../card-data.ts";
import { CARD, type ModelFiles, ModelReader, WEIGHTS } from "../../model-files.ts";
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

/** Reads the files that `writeGrid` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): { grid: SceneGrid; card: GridCard } {
  const { card, values } = readValues("readGrid", files);
  return { grid: new SceneGrid(card.labels.length, values), card };
}

/** The card and the values, without a model of them. */
export function readValues(op: string, files: ModelFiles) {
  const folder = new ModelReader(op, files, [WEIGHTS, CARD]);
  const card = folder.json<GridCard>(CARD, ["data", "metrics"]);
  if (!Array.isArray(card.labels)) throw folder.damaged(CARD, "labels that are no list");
  folder.checkDataName(card.data);
  return { card, values: folder.weights(sceneGridSpecs(card.labels.length)) };
}
