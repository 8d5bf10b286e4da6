import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../core/random.ts";
import { boxLoss, intersectionOverUnion } from "../../models/glimpse/boxes.ts";
import { HierarchicalAttentiveTracker } from "../../models/glimpse/hierarchical-attentive-tracker.ts";
import { motionPenalty } from "../../models/glimpse/motion-prior.ts";
import { tidyData } from "../../ops/tidy.ts";
import type { Compared } from "../compared-models.ts";
import { type Contender, prepareRun, trainCompared, trainingOfBoth } from "../compared-training.ts";
import type { RunOptions } from "../run-options.ts";
import { draftCard, type TrackingCard } from "./card.ts";
import { composeVideo, SIDE, type Video, type VideoOptions } from "./compose.ts";
import { type DigitCorpus, readCorpus } from "./corpus.ts";
import { type DigitPool, drawnDigits, OBJECT } from "./digits.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import { configOf } from "./read.ts";
import type { TrackingRecipe } from "./recipe.ts";
import { DigitTracker, frameTensor } from "./tracker.ts";

const OP = "heed train tracking";
/** Videos of the validation part. */
const VALIDATION = 96;
/** Streams from here on are those of training videos, of validation videos, and of videos that nobody has marked. */
const [OF_TRAINING, OF_VALIDATION, OF_UNMARKED] = [2 ** 43, 2 ** 44, 2 ** 45];
/**
 * Frames of a video that nobody has marked, and those in which the digit is hidden, the last ones: where it is to be seen
 * again, a penalty on changes of speed would be one on finding it.
 */
const UNMARKED = { times: 7, hidden: [4, 7] } as const;

export interface TrackingRun {
  stopped: "done" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: TrackingCard;
  /** Of test videos, by the finished model. */
  evaluation?: Evaluation;
}

/**
 * Trains a tracker, and the same without the prior on motion, to a model folder; stopped at any moment, it goes on where it
 * was. The data are a folder with the four files of MNIST, or "" for digits that heed draws.
 */
export async function runTracking(options: RunOptions<TrackingRecipe>): Promise<TrackingRun> {
  const { recipe, dataDir, command, outDir } = options;
  await prepareRun(OP, options as RunOptions<never>);
  const corpus = readCorpus(dataDir);
  const config = (which: Compared) => configOf(recipe, which, [SIDE, SIDE]);
  const trained = await trainCompared({
    op: OP,
    run: options,
    checksum: corpus.checksum,
    examples: recipe.videos,
    start: (which) =>
      contender(new HierarchicalAttentiveTracker(config(which), recipe.seed), corpus, recipe, which),
  });
  if (!trained) return { stopped: "signal" };
  const training = trainingOfBoth({ command, recipe }, trained);
  const values = { model: trained.model.weights, baseline: trained.baseline.weights };
  const baselineParameters = Object.values(values.baseline).reduce((sum, { length }) => sum + length, 0);
  // Both are of one size.
  const parameters = 2 * baselineParameters;
  const draft = draftCard({ parameters, baselineParameters, training, checksum: corpus.checksum });
  const tracker = new DigitTracker({ card: draft, values });
  const evaluation = evaluate(tracker, corpus.test);
  const { seconds: _, ...metrics } = evaluation;
  const { seconds: __, ...drawn } = evaluate(tracker, drawnDigits());
  tracker.dispose();
  const card: TrackingCard = {
    ...draft,
    metrics: { split: "test", ...metrics, command: "heed evaluate tracking" },
    drawn: { ...drawn, command: "heed evaluate tracking --drawn" },
  };
  writeModelFolder(outDir, { values, card });
  return { stopped: "done", card, evaluation };
}

/** One of the two over videos that are composed by their numbers. */
function contender(
  model: HierarchicalAttentiveTracker,
  corpus: DigitCorpus,
  recipe: TrackingRecipe,
  which: Compared,
): Contender {
  const { seed, times, distractors, penalty, unmarked } = recipe;
  const compose = (pool: DigitPool, stream: number, more: Partial<VideoOptions> = {}) =>
    composeVideo(pool, new RandomStream(seed, stream), { times, distractors, ...more });
  const track = (videos: readonly Video[]) => {
    const at = (t: number) => videos.flatMap(({ boxes }) => [...boxes[t]!]);
    const frames = videos[0]!.frames.map((_, t) => {
      const pictures = videos.map((video) => video.frames[t]!);
      return frameTensor(pictures, SIDE, SIDE);
    });
    const truth = frames.map((_, t) => tf.tensor2d(at(t), [videos.length, 4]));
    return { found: model.track(frames, truth[0]!), truth };
  };
  const held = Array.from({ length: VALIDATION }, (_, n) => compose(corpus.valid, OF_VALIDATION + n));
  return {
    parameters: model.parameters,
    loss(examples) {
      const videos = Array.from(examples, (n) => compose(corpus.train, OF_TRAINING + n));
      return tf.tidy(() => {
        const { found, truth } = track(videos);
        const error = boxLoss(found.slice(1), truth.slice(1));
        if (which === "baseline") return error;
        // Where the digit is in these is not read, but for the first box.
        const others = Array.from(examples.subarray(0, unmarked), (n) =>
          compose(corpus.train, OF_UNMARKED + n, UNMARKED),
        );
        const sides = track(others).found.map((box) => tf.div(box, OBJECT) as tf.Tensor2D);
        return tf.add(error, motionPenalty(sides, { weight: penalty })) as tf.Scalar;
      });
    },
    // In per cent, which is what the progress shows digits for.
    score: () =>
      100 *
      tidyData(() => {
        const { found, truth } = track(held);
        const overlaps = found.slice(1).map((box, t) => intersectionOverUnion(box, truth[t + 1]!));
        return tf.mean(tf.stack(overlaps)).dataSync()[0]!;
      }),
  };
}
