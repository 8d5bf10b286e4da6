import * as tf from "@tensorflow/tfjs-core";
import { gatePenalty } from "../../attention/feature/gate-penalty.ts";
import { GatedBandClassifier } from "../../models/gated/index.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidyData } from "../../ops/tidy.ts";
import type { Compared } from "../compared-models.ts";
import {
  type ComparedTraining,
  type Contender,
  gatherExamples,
  prepareRun,
  trainCompared,
  trainingOfBoth,
} from "../compared-training.ts";
import type { RunOptions } from "../run-options.ts";
import { draftCard, type FormantCard } from "./card.ts";
import { VowelClassifier } from "./classifier.ts";
import { clipsChecksum, composeClips, type HeardClips } from "./corpus.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import type { FormantRecipe } from "./recipe.ts";
import { VOWELS } from "./vowels.ts";

const OP = "heed train formants";

export interface FormantRun {
  stopped: "done" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: FormantCard;
  /** Of test clips, by the finished model. */
  evaluation?: Evaluation;
}

/**
 * Trains a classifier of vowels in noise, and the same without a gate, to a model folder; stopped at any moment, it goes on
 * where it was. The vowels are composed from the recipe's seed.
 */
export async function runFormants(options: RunOptions<FormantRecipe>): Promise<FormantRun> {
  const { recipe, command, outDir } = options;
  await prepareRun(OP, options as RunOptions<never>);
  const [train, valid] = [composeClips(recipe, "train"), composeClips(recipe, "valid")];
  const configOf = (which: Compared) => ({
    ...recipe.model,
    bands: recipe.format.bands,
    classes: VOWELS.length,
    gated: which === "model",
  });
  const trained = await trainCompared({
    op: OP,
    run: options,
    checksum: clipsChecksum(train),
    examples: train.count,
    start: (which) =>
      contender(new GatedBandClassifier(configOf(which), recipe.seed), { train, valid }, recipe),
  });
  if (!trained) return { stopped: "signal" };
  const finished = (which: Compared, { weights }: ComparedTraining) =>
    new GatedBandClassifier(configOf(which), weights);
  const model = finished("model", trained.model);
  const baseline = finished("baseline", trained.baseline);
  const draft = draftCard({
    model: configOf("model"),
    parameters: model.parameters.size + baseline.parameters.size,
    baselineParameters: baseline.parameters.size,
    training: trainingOfBoth({ command, recipe }, trained),
  });
  const classifier = new VowelClassifier({ card: draft, model, baseline });
  const evaluation = evaluate(classifier);
  const { seconds: _, ...scores } = evaluation;
  const metrics = { split: "test", ...scores, command: "heed evaluate formants" } as const;
  const card = { ...draft, metrics };
  writeModelFolder(outDir, { model, baseline, card });
  classifier.dispose();
  return { stopped: "done", card, evaluation };
}

/** One of the two over composed clips. */
function contender(
  model: GatedBandClassifier,
  { train, valid }: { train: HeardClips; valid: HeardClips },
  { penalty, decision, decay, format }: FormantRecipe,
): Contender {
  const F = format.bands;
  const classified = ({ count, bands }: HeardClips, examples: ArrayLike<number>) => {
    const size = bands.length / count;
    const x = gatherExamples(bands, size, examples);
    return model.classify(tf.tensor3d(x, [examples.length, size / F, F]));
  };
  const labelsOf = ({ labels }: HeardClips, examples: ArrayLike<number>) =>
    tf.tensor1d(
      Int32Array.from(examples, (n) => labels[n]!),
      "int32",
    );
  const all = Int32Array.from({ length: valid.count }, (_, n) => n);
  return {
    parameters: model.parameters,
    loss: (examples) =>
      tf.tidy(() => {
        const { logits, gate } = classified(train, examples);
        const error = tf.mean(softmaxCrossEntropy(logits, labelsOf(train, examples)));
        const size = tf.mul(tf.sum(tf.square(model.parameters.matrix("input/kernel"))), decay);
        const open = model.config.gated
          ? [tf.mul(gatePenalty(gate), penalty), tf.mul(gatePenalty(gate, { kind: "entropy" }), decision)]
          : [];
        return tf.addN([error, size, ...open]) as tf.Scalar;
      }),
    // In per cent, which is what the progress shows digits for.
    score: () =>
      100 *
      tidyData(() => {
        const said = tf.argMax(classified(valid, all).logits, 1);
        return tf.mean(tf.cast(tf.equal(said, labelsOf(valid, all)), "float32")).dataSync()[0]!;
      }),
  };
}
