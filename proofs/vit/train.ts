import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../src/capture/capture.ts";
import { RandomStream } from "../../src/core/random.ts";
import { Transformer } from "../../src/models/transformer/transformer.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { type ClassifierConfig, gridOf, vitConfig } from "../../src/tasks/image-classification/config.ts";
import { encodeImages } from "../../src/tasks/image-classification/encode.ts";
import { patchRollout } from "../../src/tasks/image-classification/patch-rollout.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import { drawShapes, SHAPES, type ShapeImages, SIDE } from "./shapes.ts";

const PATCH = 4;
const CONFIG: ClassifierConfig = {
  image: { height: SIDE, width: SIDE, patch: PATCH, mean: 0.2, deviation: 0.3 },
  layers: 2,
  width: 32,
  heads: 4,
  inner: 64,
  dropout: 0,
  classes: SHAPES.length,
};
const [STEPS, BATCH, HELD_OUT, LOOKED_AT] = [2400, 64, 1000, 200];
/** Streams of a seed: those of training and those that training never draws from. */
const [OF_TRAINING, OF_TEST] = [1, 2];

export interface ShapesResult {
  /** The share of new images whose shape is named. */
  accuracy: number;
  /** The share of the class token's rollout that lies on patches with a pixel of the shape. */
  mass: number;
  /** The share of patches that those are. */
  area: number;
  /** mass / area. */
  lift: number;
}

/** A Vision Transformer of 2 layers, 4 heads × 8, learns to name shapes; what it looked at is measured on new ones. */
export async function learnShapes(seed: number, onProgress: (share: number) => void): Promise<ShapesResult> {
  await prepare();
  const model = new Transformer(vitConfig(CONFIG), seed);
  const random = new RandomStream(seed, OF_TRAINING);
  try {
    const loss = () => lossOf(model, drawShapes(random, BATCH));
    await descend(model.parameters.variables, loss, {
      steps: STEPS,
      learningRate: (step) => 3e-3 * Math.min(1, step / 100, (2 * (STEPS - step)) / STEPS),
      clipNorm: 1,
      onProgress,
    });
    const held = drawShapes(new RandomStream(seed, OF_TEST), HELD_OUT);
    const { mass, area } = massOnShapes(model, held);
    return { accuracy: accuracyOf(model, held), mass, area, lift: mass / area };
  } finally {
    model.dispose();
  }
}

const scores = (model: Transformer, pixels: Uint8Array) =>
  model.classLogits(encodeImages(model, pixels, CONFIG.image));

function lossOf(model: Transformer, { pixels, labels }: ShapeImages): tf.Scalar {
  return tf.tidy(() =>
    tf.mean<tf.Scalar>(softmaxCrossEntropy(scores(model, pixels), tf.tensor1d(labels, "int32"))),
  );
}

function accuracyOf(model: Transformer, { pixels, labels }: ShapeImages): number {
  const found = tf.tidy(() => tf.argMax(scores(model, pixels), 1).dataSync());
  return meanOf(Array.from(found, (label, n): number => (label === labels[n] ? 1 : 0)));
}

/** Means over the first images: the rollout's mass on the shape's patches, and the share of patches that they are. */
function massOnShapes(model: Transformer, { pixels, inside }: ShapeImages): { mass: number; area: number } {
  const size = SIDE * SIDE;
  const [rows, columns] = gridOf(CONFIG.image);
  const grid = { height: rows, width: columns, patch: PATCH, cls: 1 };
  const looks = Array.from({ length: LOOKED_AT }, (_, n) => {
    const one = pixels.subarray(n * size, (n + 1) * size);
    const shares = patchRollout(capture(() => scores(model, one), undefined, { grid }));
    const touched = touchedPatches(inside.subarray(n * size, (n + 1) * size), columns);
    return {
      mass: shares.reduce((sum, share, patch) => sum + share * touched[patch]!, 0),
      area: meanOf(touched),
    };
  });
  return { mass: meanOf(looks.map(({ mass }) => mass)), area: meanOf(looks.map(({ area }) => area)) };
}

/** 1 for each patch with a pixel of the shape. */
function touchedPatches(inside: Uint8Array, columns: number): number[] {
  const touched = new Array<number>(columns ** 2).fill(0);
  inside.forEach((is, at) => {
    const [y, x] = [Math.floor(at / SIDE), at % SIDE];
    if (is) touched[Math.floor(y / PATCH) * columns + Math.floor(x / PATCH)] = 1;
  });
  return touched;
}
