import { Command } from "commander";
import { evaluateClassification } from "./evaluate-classification.ts";
import { evaluateLanguageModel } from "./evaluate-language-model.ts";
import { evaluateTranslation } from "./evaluate-translation.ts";
import type { Io } from "./io.ts";

/** `heed evaluate`: the figures of a model's card, made again. */
export function evaluateCommand(io: Io): Command {
  return new Command("evaluate")
    .description("Scores a model on held-out data.")
    .addCommand(evaluateTranslation(io))
    .addCommand(evaluateLanguageModel(io))
    .addCommand(evaluateClassification(io));
}
