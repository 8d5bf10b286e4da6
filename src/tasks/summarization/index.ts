/** Summaries with a pointer-generator: train one on rows of texts and summaries, sum up, see how each word came about. */

export { type WordsJson, WordVocabulary } from "../words.ts";
export type { SummarizationCard } from "./card.ts";
export { type Copying, dueCopies } from "./copying.ts";
export { readSummaries } from "./corpus.ts";
export { drawSummary } from "./draw.ts";
export { type Evaluation as SummarizationEvaluation, evaluate as evaluateSummaries } from "./evaluate.ts";
export { DEFAULT_SUMMARIZER, loadSummarizer } from "./files.ts";
export { bestLead, leadWords } from "./lead.ts";
export { DEFAULT_SUMMARIZATION_RECIPE, type SummarizationRecipe } from "./recipe.ts";
export { runSummarization, type SummarizationResult } from "./run.ts";
export {
  type AlternativeSummary,
  coverageAfter,
  type SummarizeOptions,
  Summarizer,
  type Summary,
} from "./summarizer.ts";
export { summaryTrace } from "./trace.ts";
