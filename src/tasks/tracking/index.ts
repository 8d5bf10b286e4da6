/** Digits followed through video by glimpses: compose videos, follow one digit among others, train another tracker. */
export type { TrackingCard } from "./card.ts";
export {
  composeVideo,
  type FrameBox,
  SIDE as TRACKING_SIDE,
  type Video,
  type VideoOptions,
} from "./compose.ts";
export { type DigitPool, drawnDigits, readDigits } from "./digits.ts";
export { drawTrack } from "./draw.ts";
export {
  type Evaluation as TrackingEvaluation,
  evaluate as evaluateTracker,
  hiddenVideo,
} from "./evaluate.ts";
export { DEFAULT_TRACKER, loadTracker } from "./files.ts";
export { TRACKING_RECIPE, type TrackingRecipe } from "./recipe.ts";
export { runTracking, type TrackingRun } from "./run.ts";
export { DigitTracker, type Footage } from "./tracker.ts";
