import { useHeedBackend } from "../../host/select.ts";
import { HierarchicalAttentiveTracker } from "../../models/glimpse/hierarchical-attentive-tracker.ts";
import { bothValues, COMPARED } from "../compared-models.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import type { TrackingCard } from "./card.ts";
import { configOf, readModel, type TrackingModel } from "./read.ts";
import { DigitTracker } from "./tracker.ts";

/** Writes a model folder: float16 weights of both, and the card. */
export function writeModelFolder(dir: string, { values, card }: TrackingModel<TrackingCard>): void {
  const made = COMPARED.map(
    (which) => new HierarchicalAttentiveTracker(configOf(card, which, [1, 1]), values[which]),
  );
  const [model, baseline] = made.map(({ parameters }) => parameters.variables);
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(bothValues(model!, baseline!), { model: "hierarchical-attentive-tracker" }),
    [CARD]: cardFile(card),
  });
  for (const tracker of made) tracker.dispose();
}

/** The model that ships with heed. */
export const DEFAULT_TRACKER = "tracking";

/**
 * Loads a tracker.
 *
 * @param place the name of one that ships with heed, or a folder
 * @throws OptionError OPTION · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT
 */
export async function loadTracker(place: string = DEFAULT_TRACKER): Promise<DigitTracker> {
  const folder = shippedModel(place, "loadTracker");
  await useHeedBackend();
  return new DigitTracker(readModel(filesOfFolder(folder)));
}
