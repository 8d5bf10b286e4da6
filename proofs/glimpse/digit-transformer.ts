import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { SpatialTransformerClassifier } from "../../src/models/glimpse/spatial-transformer-classifier.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descendUntilSettled, errorOfShare, prepare } from "../descend.ts";
import { digitBatch, KINDS, readDigits } from "./digits.ts";
import { shareRight } from "./share-right.ts";
import { drawWindow } from "./spatial-transformer.ts";

const SIZE = { features: 16, hidden: 128, classes: KINDS };
/** Side of an image, of what the classifier sees of it, and pieces of clutter in it (Mnih et al. 2014, §4.1). */
const [FIELD, SIDE, PIECES] = [60, 28, 4];
const [BATCH, LEARNING_RATE] = [64, 0.001];
/** Steps between two readings of the score, and images of one reading. */
const [EVERY, VALIDATION] = [500, 2000];

export interface DigitTransformerOptions {
  /** "crop", or "none": the same classifier sees the whole image. */
  transform: "crop" | "none";
  /** The most steps at one rate; a run ends before where validation no longer gets better. @default 30000 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  /** Test images that are measured. @default 2000 */
  heldOut?: number;
  onProgress?: ((share: number) => void) | undefined;
}

export interface DigitTransformerTrained {
  /** The share of images of test digits classified right. */
  accuracy: number;
  /** All steps, and whether the training ended by itself. */
  steps: number;
  settled: boolean;
  /** The first three images with their windows and what lies in them (SVG). */
  pictures: string[];
}

/** Trains a classifier of digits among clutter until it stops improving; the same options give the same metrics. */
export async function trainDigitTransformer(
  options: DigitTransformerOptions,
): Promise<DigitTransformerTrained> {
  const { transform, steps = 30_000, seed = 1, heldOut = 2000, onProgress } = options;
  await prepare();
  const { train, valid, test } = readDigits();
  const image = [FIELD, FIELD] as const;
  const model = new SpatialTransformerClassifier({ image, glimpse: [SIDE, SIDE], ...SIZE, transform }, seed);
  const data = new RandomStream(seed, 1);
  const loss = () => {
    const { images, classes } = digitBatch(data, train, BATCH, { side: FIELD, pieces: PIECES });
    return model.loss(images, tf.tensor1d(classes, "int32"));
  };
  const imagesOf = (digits: typeof train, stream: number, count: number) =>
    digitBatch(new RandomStream(seed, stream), digits, count, { side: FIELD, pieces: PIECES });
  const accuracyOf = (digits: typeof train, stream: number, count: number) =>
    tidyData(() => {
      const { images, classes } = imagesOf(digits, stream, count);
      return shareRight(model.classify(images), classes);
    });
  try {
    const taken = await descendUntilSettled(model.parameters.variables, loss, {
      ...{ steps, learningRate: LEARNING_RATE, onProgress },
      until: {
        score: () => accuracyOf(valid, 2, VALIDATION),
        ...{ every: EVERY, error: errorOfShare(VALIDATION) },
      },
    });
    const pictures = tidyData(() => {
      const { images } = imagesOf(test, 3, 3);
      return transform === "none" ? [] : [0, 1, 2].map((n) => drawWindow(model, images, n));
    });
    return { accuracy: accuracyOf(test, 3, heldOut), ...taken, pictures };
  } finally {
    model.dispose();
  }
}
