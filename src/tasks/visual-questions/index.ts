/** Questions about pictures, answered by co-attention of words and cells: load a model, ask, see what was looked at, train another. */
export {
  type AnsweredQuestion,
  type LayerWeights,
  QuestionAnswerer,
} from "./answerer.ts";
export type { VisualQuestionsCard } from "./card.ts";
export {
  type AskedPicture,
  type PictureQuestion,
  type QuestionCorpus,
  readCorpus as readQuestionCorpus,
} from "./corpus.ts";
export { type AskedPixels, answerPicture, answerStrip } from "./draw.ts";
export { type Evaluation as QuestionEvaluation, evaluate as evaluateQuestions } from "./evaluate.ts";
export { DEFAULT_ANSWERER, loadAnswerer } from "./files.ts";
export { MajorityAnswers, majorityOf } from "./majority.ts";
export { allQuestions, answersFor, type QuestionKind, questionsOf, type SceneQuestion } from "./questions.ts";
export { DEFAULT_VISUAL_QUESTIONS_RECIPE, type VisualQuestionsRecipe } from "./recipe.ts";
export { readRows as readQuestionRows } from "./rows.ts";
export { runVisualQuestions, type VisualQuestionsRun } from "./run.ts";
export { answerTrace } from "./trace.ts";
export { QuestionVocabulary, splitQuestion } from "./words.ts";
