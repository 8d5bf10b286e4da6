import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { RecurrentAttentionModel } from "../../src/models/glimpse/recurrent-attention-model.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descend, descendUntilSettled, errorOfShare, prepare, type Settled } from "../descend.ts";
import { CLASSES, type GlyphBatch, glyphBatch, SIDE } from "./glyphs.ts";
import { shareRight } from "./share-right.ts";

/** Three looks through a retina of three crops: 4 × 4 pixels, and 8 × 8 and 16 × 16 seen as 4 × 4. */
const LOOKS = { patch: 4, scales: 3, glimpses: 3 };
const [BATCH, LEARNING_RATE] = [64, 0.003];
/** σ of a policy that learns, and of one that looks anywhere: places of two deviations are beyond the image. */
const [LEARNT, ANYWHERE] = [0.15, 0.5];
/** Of a training until it stops improving: steps between two readings of the score, and images of one. */
const [EVERY, VALIDATION] = [600, 2000];
const STREAM = { training: 1, test: 3, validation: 4 } as const;

export interface RecurrentAttentionOptions {
  /** Whether the policy learns; without, places stay random, and all else learns. @default true */
  learnsPlaces?: boolean;
  /** @default 600 */
  steps?: number;
  /** Whether it trains until it stops improving; `steps` are then the most at one rate. @default false */
  untilSettled?: boolean;
  /** @default 1 */
  seed?: number;
  /** Images that are measured. @default 500 */
  heldOut?: number;
  onProgress?: ((share: number) => void) | undefined;
}

export interface RecurrentAttentionTrained extends Settled {
  /** The share of new images classified right. */
  accuracy: number;
  /** How far the last look is from the middle, −1 to 1, the mean over images. */
  reach: number;
}

/** Trains the model; the same options give the same metrics. */
export async function trainRecurrentAttention(
  options: RecurrentAttentionOptions = {},
): Promise<RecurrentAttentionTrained> {
  const { learnsPlaces = true, steps = 600, untilSettled = false } = options;
  const { seed = 1, heldOut = 500, onProgress } = options;
  await prepare();
  const size = { hidden: 64, units: 64, classes: CLASSES };
  const deviation = learnsPlaces ? LEARNT : ANYWHERE;
  const model = new RecurrentAttentionModel({ image: [SIDE, SIDE], ...LOOKS, ...size, deviation }, seed);
  const data = new RandomStream(seed, STREAM.training);
  const loss = (step: number) => {
    const { images, classes } = glyphBatch(data, BATCH);
    return model.loss(images, tf.tensor1d(classes, "int32"), steps * seed + step);
  };
  const { parameters } = model;
  const trained = learnsPlaces ? parameters.variables : parameters.without("location/*", "baseline/*");
  try {
    const placeSeed = learnsPlaces ? undefined : seed;
    const marked = (stream: number, count: number) =>
      tidyData(() => evaluate(model, glyphBatch(new RandomStream(seed, stream), count), placeSeed));
    const score = () => marked(STREAM.validation, VALIDATION).accuracy;
    const until = { score, every: EVERY, error: errorOfShare(VALIDATION) };
    const given = { steps, learningRate: LEARNING_RATE, onProgress };
    const went = untilSettled ? await descendUntilSettled(trained, loss, { ...given, until }) : undefined;
    if (!went) await descend(trained, loss, given);
    return { ...marked(STREAM.test, heldOut), ...(went ?? { steps, settled: false }) };
  } finally {
    model.dispose();
  }
}

function evaluate(
  model: RecurrentAttentionModel,
  { images, classes }: GlyphBatch,
  placeSeed: number | undefined,
): Omit<RecurrentAttentionTrained, keyof Settled> {
  const { logits, place } = model.run(images, placeSeed).at(-1)!;
  return {
    accuracy: shareRight(logits, classes),
    reach: tf.mean(tf.norm(place, 2, 1)).dataSync()[0]!,
  };
}
