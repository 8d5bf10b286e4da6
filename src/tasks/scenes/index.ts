/** Scenes composed of images of items, what is true of them, and the grid of features that models of them begin with. */
export { scenePixels, scenesAt } from "./batches.ts";
export { cellLabels, type GridSize, massInside } from "./cells.ts";
export {
  type Arrangement,
  type ComposeOptions,
  composeScene,
  SCENE_SIDE,
  type Scene,
  type SceneItem,
} from "./compose.ts";
export { exampleScene } from "./example.ts";
export { evaluateGrid, type GridEvaluation } from "./grid/evaluate.ts";
export { readGrid, startGrid } from "./grid/files.ts";
export type { GridCard } from "./grid/read.ts";
export { DEFAULT_GRID_RECIPE, type GridRecipe } from "./grid/recipe.ts";
export { type GridRun, runSceneGrid } from "./grid/run.ts";
export { type ItemClass, ItemPool, type ItemPools, readItemPools, SCENE_CLASSES } from "./item-pool.ts";
export { captionOf, type Relation, type RelationName, relationsOf } from "./relations.ts";
