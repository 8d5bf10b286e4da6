import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { SpatialTransformerClassifier } from "../../src/models/glimpse/spatial-transformer-classifier.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { glimpse } from "../../src/viz/glimpse.ts";
import { affineBox } from "../../src/viz/image/boxes.ts";
import { descend, descendUntilSettled, errorOfShare, prepare, type Settled } from "../descend.ts";
import { clutteredBatch, FIELD } from "./cluttered.ts";
import { CLASSES, type GlyphBatch } from "./glyphs.ts";
import { shareRight } from "./share-right.ts";

const [BATCH, LEARNING_RATE, SIDE] = [32, 0.003, 16];
/** Of a training until it stops improving: steps between two readings of the score, and images of one. */
const [EVERY, VALIDATION] = [1000, 4000];
const STREAM = { training: 1, test: 3, validation: 4 } as const;

export interface SpatialTransformerOptions {
  /** "crop", or "none": the same classifier sees the whole image. */
  transform: "crop" | "none";
  /** @default 2500 */
  steps?: number;
  /** Whether it trains until it stops improving; `steps` are then the most at one rate. @default false */
  untilSettled?: boolean;
  /** @default 1 */
  seed?: number;
  /** Images that are measured. @default 500 */
  heldOut?: number;
  onProgress?: ((share: number) => void) | undefined;
}

export interface SpatialTransformerTrained extends Settled {
  /** The share of new images classified right. */
  accuracy: number;
  /** The first three images with their windows and what lies in them (SVG). */
  pictures: string[];
}

/** Trains a classifier of glyphs among clutter; the same options give the same metrics. */
export async function trainSpatialTransformer(
  options: SpatialTransformerOptions,
): Promise<SpatialTransformerTrained> {
  const { transform, steps = 2500, untilSettled = false, seed = 1, heldOut = 500, onProgress } = options;
  await prepare();
  const size = { features: 8, hidden: 64, classes: CLASSES };
  const image = [FIELD, FIELD] as const;
  const model = new SpatialTransformerClassifier({ image, glimpse: [SIDE, SIDE], ...size, transform }, seed);
  const data = new RandomStream(seed, STREAM.training);
  const loss = () => {
    const { images, classes } = clutteredBatch(data, BATCH);
    return model.loss(images, tf.tensor1d(classes, "int32"));
  };
  try {
    const { variables } = model.parameters;
    const imagesOf = (stream: number, count: number) => clutteredBatch(new RandomStream(seed, stream), count);
    const accuracyOf = ({ images, classes }: GlyphBatch) => shareRight(model.classify(images), classes);
    const score = () => tidyData(() => accuracyOf(imagesOf(STREAM.validation, VALIDATION)));
    const until = { score, every: EVERY, error: errorOfShare(VALIDATION) };
    const given = { steps, learningRate: LEARNING_RATE, onProgress };
    const went = untilSettled ? await descendUntilSettled(variables, loss, { ...given, until }) : undefined;
    if (!went) await descend(variables, loss, given);
    return tidyData(() => {
      const test = imagesOf(STREAM.test, heldOut);
      const pictures = transform === "none" ? [] : [0, 1, 2].map((n) => drawWindow(model, test.images, n));
      return { accuracy: accuracyOf(test), pictures, ...(went ?? { steps, settled: false }) };
    });
  } finally {
    model.dispose();
  }
}

/** One image, the box of its window, and what the classifier sees of it (SVG). */
export function drawWindow(model: SpatialTransformerClassifier, images: tf.Tensor4D, n: number): string {
  const [height, width] = model.config.image;
  const [h, w] = model.config.glimpse;
  const one = tf.slice4d(images, [n, 0, 0, 0], [1, -1, -1, -1]);
  const panel = {
    name: "what the classifier sees",
    // Interpolation rounds.
    glimpse: { height: h, width: w, values: tf.clipByValue(model.glimpse(one), 0, 1).dataSync() },
    box: affineBox(model.locate(one).dataSync(), [height, width], true),
  };
  const image = { height, width, values: one.dataSync() };
  return glimpse({ image, glimpses: [panel] }, { title: "Spatial transformer" });
}
