export * from "./average-precision.ts";
export { type BoundingBox, type BoxOverlap, boxOverlap, generalizedIou } from "./bounding-boxes.ts";
export * from "./detection-transformer.ts";
export {
  type Match,
  type MatchingWeights,
  matchObjects,
  type Predictions,
  type SceneObject,
} from "./matching.ts";
export * from "./perceiver-io.ts";
export * from "./set-prediction-loss.ts";
export * from "./set-transformer.ts";
export * from "./slot-attention-autoencoder.ts";
