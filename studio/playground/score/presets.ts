import { MASKS } from "./presets/masks.ts";
import { SCORES } from "./presets/scores.ts";

/** A text to begin with. */
export interface ScorePreset {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly text: string;
}

/** heed's own classics, and one that does nothing yet. */
export const SCORE_PRESETS: readonly ScorePreset[] = [...SCORES, ...MASKS];
export const SCORE_GROUPS = [
  { title: "Changes of scores", presets: SCORES },
  { title: "Masks", presets: MASKS },
] as const;
