/** Detection of items in scenes: load a detector, find what is there, see what each query looked at, train another. */
export type { DetectionCard } from "./card.ts";
export type { DetectorConfig } from "./config.ts";
export { type FoundItem, ItemDetector, type SceneLook } from "./detector.ts";
export { boxOnPicture, drawDetections, type PicturePlace, type PixelBox, WHOLE_SCENE } from "./draw.ts";
export { type Evaluation as DetectionEvaluation, evaluate as evaluateDetector } from "./evaluate.ts";
export { loadDetector } from "./files.ts";
export { DEFAULT_DETECTION_RECIPE, type DetectionRecipe } from "./recipe.ts";
export { type DetectionRun, runDetection } from "./run.ts";
export { SceneDetector } from "./scene-detector.ts";
export { detectionTrace } from "./trace.ts";
