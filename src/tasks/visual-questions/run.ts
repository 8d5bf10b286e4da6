import { availableParallelism } from "node:os";
import path from "node:path";
import { CoAttentionTransformer } from "../../models/co-attention-transformer.ts";
import { copyTensors } from "../../train/copy-tensor.ts";
import { checkUnlocked } from "../../train/folder-lock.ts";
import { trainLoop } from "../../train/loop.ts";
import { asShipped, prepareModelFolder } from "../model-folder.ts";
import { loopOptions, type RunOptions } from "../run-options.ts";
import { QuestionAnswerer } from "./answerer.ts";
import { type DraftCard, draftCard, type VisualQuestionsCard } from "./card.ts";
import { type QuestionCorpus, readCorpus } from "./corpus.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import { type MajorityAnswers, majorityOf } from "./majority.ts";
import type { VisualQuestionsRecipe } from "./recipe.ts";
import { OP, startTraining } from "./train.ts";

export interface VisualQuestionsRun {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: VisualQuestionsCard;
  /** Of the test questions, by the finished model. */
  evaluation?: Evaluation;
}

/** Trains a model from a data set to a model folder; stopped at any moment, it goes on where it was. */
export async function runVisualQuestions(
  options: RunOptions<VisualQuestionsRecipe>,
): Promise<VisualQuestionsRun> {
  const { recipe, command, threads = availableParallelism() } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const corpus = await readCorpus(options.dataDir, recipe);
  const { vocabulary } = corpus;
  const { training, shard, batchPictures } = await startTraining(recipe, corpus, threads);
  const { model } = shard;
  try {
    const majority = majorityOf(corpus);
    const card = draftCard({ recipe, corpus, parameters: model.parameters.size, command });
    const answerer = new QuestionAnswerer({ card, model, vocabulary });
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      ...training.run,
      // What does not learn is not in the checkpoint of a step, but in that of the model.
      weights: () => ({ ...frozenOf(model, shard.variables), ...training.weights() }),
      // In per cent, which is what the progress shows digits for.
      evaluate: () => 100 * evaluate(answerer, corpus.held("valid"), majority).accuracy,
    });
    if (stopped === "signal" || !best) return { stopped };
    Object.assign(card.training, {
      steps: best.step,
      epochs: (best.step * batchPictures) / corpus.epochPictures,
      hours: training.seconds / 3600,
      validation: { accuracy: best.score / 100 },
    });
    const finished = new CoAttentionTransformer(model.config, asShipped(best.weights));
    return { stopped, ...finish(finished, card, corpus, majority, options.outDir) };
  } finally {
    await training.close();
    model.dispose();
  }
}

/** Copies of the parameters that do not learn. */
function frozenOf(model: CoAttentionTransformer, learning: Readonly<Record<string, unknown>>) {
  const frozen = Object.entries(model.parameters.variables).filter(([name]) => !(name in learning));
  return copyTensors(Object.fromEntries(frozen));
}

/** Scores the finished model on the test questions and writes its folder. */
function finish(
  model: CoAttentionTransformer,
  draft: DraftCard,
  corpus: QuestionCorpus,
  majority: MajorityAnswers,
  outDir: string,
) {
  const { vocabulary } = corpus;
  const answerer = new QuestionAnswerer({ card: draft, model, vocabulary });
  const evaluation = evaluate(answerer, corpus.held("test"), majority);
  const { seconds: _, ...scores } = evaluation;
  const name = path.basename(outDir);
  const command = `heed evaluate visual-questions --model ${name}`;
  const card: VisualQuestionsCard = { ...draft, name, metrics: { split: "test", ...scores, command } };
  writeModelFolder(outDir, { model, vocabulary, card });
  answerer.dispose();
  return { card, evaluation };
}
