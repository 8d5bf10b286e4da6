import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { SpatialTransformerClassifier } from "../../src/models/glimpse/spatial-transformer-classifier.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { glimpse } from "../../src/viz/glimpse.ts";
import { affineBox } from "../../src/viz/image/boxes.ts";
import { descend, prepare } from "../descend.ts";
import { clutteredBatch, FIELD } from "./cluttered.ts";
import { CLASSES } from "./glyphs.ts";
import { shareRight } from "./share-right.ts";

const [BATCH, LEARNING_RATE, SIDE] = [32, 0.003, 16];

export interface SpatialTransformerOptions {
  /** "crop", or "none": the same classifier sees the whole image. */
  transform: "crop" | "none";
  /** @default 2500 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  /** Images that are measured. @default 500 */
  heldOut?: number;
  onProgress?: ((share: number) => void) | undefined;
}

export interface SpatialTransformerTrained {
  /** The share of new images classified right. */
  accuracy: number;
  /** The first three images with their windows and what lies in them (SVG). */
  pictures: string[];
}

/** Trains a classifier of glyphs among clutter; the same options give the same metrics. */
export async function trainSpatialTransformer(
  options: SpatialTransformerOptions,
): Promise<SpatialTransformerTrained> {
  const { transform, steps = 2500, seed = 1, heldOut = 500, onProgress } = options;
  await prepare();
  const size = { features: 8, hidden: 64, classes: CLASSES };
  const image = [FIELD, FIELD] as const;
  const model = new SpatialTransformerClassifier({ image, glimpse: [SIDE, SIDE], ...size, transform }, seed);
  const data = new RandomStream(seed, 1);
  const loss = () => {
    const { images, classes } = clutteredBatch(data, BATCH);
    return model.loss(images, tf.tensor1d(classes, "int32"));
  };
  try {
    await descend(model.parameters.variables, loss, { steps, learningRate: LEARNING_RATE, onProgress });
    return tidyData(() => {
      const { images, classes } = clutteredBatch(new RandomStream(seed, 3), heldOut);
      return {
        accuracy: shareRight(model.classify(images), classes),
        pictures: transform === "none" ? [] : [0, 1, 2].map((n) => drawWindow(model, images, n)),
      };
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
