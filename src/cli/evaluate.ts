import { Command } from "commander";
import { evaluateCaptioning } from "./evaluate-captioning.ts";
import { evaluateClassification } from "./evaluate-classification.ts";
import { evaluateForecasting, evaluateFormants, evaluateTracking } from "./evaluate-compared.ts";
import { evaluateDetection } from "./evaluate-detection.ts";
import { evaluateLanguageModel } from "./evaluate-language-model.ts";
import { evaluateSceneGrid } from "./evaluate-scene-grid.ts";
import { evaluateSummarization } from "./evaluate-summarization.ts";
import { evaluateTranslation } from "./evaluate-translation.ts";
import { evaluateVisualQuestions } from "./evaluate-visual-questions.ts";
import type { Io } from "./io.ts";

/** `heed evaluate`: the figures of a model's card, made again. */
export function evaluateCommand(io: Io): Command {
  return new Command("evaluate")
    .description("Scores a model on held-out data.")
    .addCommand(evaluateTranslation(io))
    .addCommand(evaluateSummarization(io))
    .addCommand(evaluateLanguageModel(io))
    .addCommand(evaluateClassification(io))
    .addCommand(evaluateSceneGrid(io))
    .addCommand(evaluateCaptioning(io))
    .addCommand(evaluateDetection(io))
    .addCommand(evaluateFormants(io))
    .addCommand(evaluateForecasting(io))
    .addCommand(evaluateTracking(io))
    .addCommand(evaluateVisualQuestions(io));
}
