import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { RecurrentAttentionModel } from "../../src/models/glimpse/recurrent-attention-model.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descendUntilSettled, errorOfShare, prepare, type Settled } from "../descend.ts";
import { digitBatch, KINDS, readDigits } from "./digits.ts";
import { shareRight } from "./share-right.ts";

/** Four looks through a retina of three crops: 8 × 8 pixels, and 16 × 16 and 32 × 32 seen as 8 × 8; a digit has 28 × 28. */
const LOOKS = { patch: 8, scales: 3, glimpses: 4 };
const SIZE = { hidden: 64, units: 96, classes: KINDS };
/** Side of an image. */
const FIELD = 40;
const [BATCH, LEARNING_RATE] = [64, 0.002];
/** σ of a policy that learns, and of one that looks anywhere: places of two deviations are beyond the image. */
const [LEARNT, ANYWHERE] = [0.1, 0.5];
/** Steps between two readings of the score, and images of one. */
const [EVERY, VALIDATION] = [500, 4000];

export interface DigitGlimpsesOptions {
  /** Whether the policy learns; without, places stay random, and all else learns. @default true */
  learnsPlaces?: boolean;
  /** The most steps at one rate; a run ends before where validation no longer gets better. @default 30000 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  /** Test images that are measured. @default 2000 */
  heldOut?: number;
  onProgress?: ((share: number) => void) | undefined;
}

export interface DigitGlimpsesTrained extends Settled {
  /** The share of images of test digits classified right. */
  accuracy: number;
}

/** Trains a recurrent attention model on translated digits until it stops improving; the same options give the same metrics. */
export async function trainDigitGlimpses(options: DigitGlimpsesOptions = {}): Promise<DigitGlimpsesTrained> {
  const { learnsPlaces = true, steps = 30_000, seed = 1, heldOut = 2000, onProgress } = options;
  await prepare();
  const { train, valid, test } = readDigits();
  const deviation = learnsPlaces ? LEARNT : ANYWHERE;
  const model = new RecurrentAttentionModel({ image: [FIELD, FIELD], ...LOOKS, ...SIZE, deviation }, seed);
  const data = new RandomStream(seed, 1);
  const loss = (step: number) => {
    const { images, classes } = digitBatch(data, train, BATCH, { side: FIELD });
    return model.loss(images, tf.tensor1d(classes, "int32"), steps * seed + step);
  };
  // Of the policy that learns the means are looked at, without noise.
  const placeSeed = learnsPlaces ? undefined : seed;
  const accuracyOf = (digits: typeof train, stream: number, count: number) =>
    tidyData(() => {
      const { images, classes } = digitBatch(new RandomStream(seed, stream), digits, count, { side: FIELD });
      return shareRight(model.run(images, placeSeed).at(-1)!.logits, classes);
    });
  const { parameters } = model;
  const trained = learnsPlaces ? parameters.variables : parameters.without("location/*", "baseline/*");
  try {
    const went = await descendUntilSettled(trained, loss, {
      ...{ steps, learningRate: LEARNING_RATE, clipNorm: 5, onProgress },
      until: {
        ...{ score: () => accuracyOf(valid, 2, VALIDATION), every: EVERY },
        error: errorOfShare(VALIDATION),
      },
    });
    return { accuracy: accuracyOf(test, 3, heldOut), ...went };
  } finally {
    model.dispose();
  }
}
