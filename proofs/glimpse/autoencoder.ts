import * as tf from "@tensorflow/tfjs-core";
import { drawGaussians, drawParameters, drawRead, drawWrite } from "../../src/attention/glimpse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { lstmCell } from "../../src/ops/lstm-cell.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { glimpse } from "../../src/viz/glimpse.ts";
import { gaussianBox } from "../../src/viz/image/boxes.ts";
import { descend, prepare } from "../descend.ts";
import { constant, weight } from "../variables.ts";
import { glyphBatch, SIDE } from "./glyphs.ts";

/** Steps of reading and writing, the patch's side, units of the encoder and of the decoder, latent numbers a step. */
const [T, N, UNITS, LATENT] = [5, 5, 64, 8];
const BATCH = 32;
const IMAGE = [SIDE, SIDE] as const;

export interface DrawOptions {
  /** @default 350 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  /** Images that are measured. @default 200 */
  heldOut?: number;
  onProgress?: (share: number) => void;
}

export interface DrawTrained {
  /** Squared error of a reconstruction, the sum over pixels, the mean over new images. */
  error: number;
  /** The same of a canvas left blank. */
  blank: number;
  /** One image, where each step wrote on it and what (SVG). */
  picture: string;
}

type Model = ReturnType<typeof makeModel>;

/** What one step did to a canvas. */
interface Step {
  canvas: tf.Tensor4D;
  divergence: tf.Tensor;
  patch: tf.Tensor4D;
  place: tf.Tensor2D;
}

function makeModel(random: RandomStream) {
  const weights = (rows: number, columns: number, scale = 1) =>
    weight<tf.Tensor2D>(random, [rows, columns], scale / Math.sqrt(rows));
  const bias = (columns: number) => constant<tf.Tensor1D>([columns]);
  // Small weights to the five numbers: every grid begins on the whole image.
  return {
    readWeight: weights(UNITS, 5, 0.1),
    readBias: bias(5),
    encoderWeight: weights(2 * N * N + 2 * UNITS, 4 * UNITS),
    encoderBias: bias(4 * UNITS),
    latentWeight: weights(UNITS, 2 * LATENT, 0.1),
    latentBias: bias(2 * LATENT),
    decoderWeight: weights(LATENT + UNITS, 4 * UNITS),
    decoderBias: bias(4 * UNITS),
    patchWeight: weights(UNITS, N * N),
    patchBias: bias(N * N),
    writeWeight: weights(UNITS, 5, 0.1),
    writeBias: bias(5),
  };
}

/**
 * DRAW's five equations for a batch: read the image and what is still missing, encode, sample, decode, write.
 *
 *     x̂_t = x − c_{t−1},  r_t = read(x, x̂_t, h^dec_{t−1}),  z_t ~ Q(h^enc_t),  c_t = c_{t−1} + write(h^dec_t)
 *
 * `noise` draws the latent numbers; without it they are their means.
 */
function unroll(model: Model, image: tf.Tensor4D, noise?: (shape: [number, number]) => tf.Tensor2D): Step[] {
  const [B] = image.shape;
  const dense = (x: tf.Tensor2D, name: "read" | "encoder" | "latent" | "decoder" | "patch" | "write") =>
    linear(x, model[`${name}Weight`], model[`${name}Bias`]);
  const nothing = tf.zeros<tf.Rank.R2>([B, UNITS]);
  let [encoder, encoderCell, decoder, decoderCell] = [nothing, nothing, nothing, nothing];
  let canvas = tf.zerosLike(image);
  return Array.from({ length: T }, () => {
    const both = tf.concat([image, tf.sub(image, canvas)], 3) as tf.Tensor4D;
    const seen = drawRead(both, drawParameters(dense(decoder, "read")), [N, N]).output;
    const read = tf.reshape(seen, [B, 2 * N * N]);
    const encoded = tf.concat2d([read as tf.Tensor2D, encoder, decoder], 1);
    [encoder, encoderCell] = lstmCell(dense(encoded, "encoder"), encoderCell, encoder);
    const [mean, logDeviation] = tf.split(dense(encoder, "latent"), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    const drawn = noise ? tf.add(mean, tf.mul(tf.exp(logDeviation), noise([B, LATENT]))) : mean;
    const decoded = tf.concat2d([drawn as tf.Tensor2D, decoder], 1);
    [decoder, decoderCell] = lstmCell(dense(decoded, "decoder"), decoderCell, decoder);
    const patch = tf.reshape(dense(decoder, "patch"), [B, N, N, 1]) as tf.Tensor4D;
    const place = dense(decoder, "write");
    canvas = tf.add(canvas, drawWrite(patch, drawParameters(place), IMAGE).output);
    const variance = tf.exp(tf.mul(logDeviation, 2));
    const terms = tf.sub(tf.add(tf.square(mean), variance), tf.add(tf.mul(logDeviation, 2), 1));
    return { canvas, divergence: tf.mul(tf.sum(terms, 1), 0.5), patch, place };
  });
}

/** Squared error of the last canvas: [B]. */
function errors(image: tf.Tensor4D, canvas: tf.Tensor4D): tf.Tensor1D {
  return tf.sum(tf.square(tf.sub(image, canvas)), [1, 2, 3]);
}

/**
 * A tiny DRAW (Gregor et al. 2015, arxiv.org/abs/1502.04623): an autoencoder that reads an image and writes it again
 * through windows of 5 × 5 Gaussians, five times each, at places that it chooses. The same options give the same metrics.
 */
export async function trainDraw(options: DrawOptions = {}): Promise<DrawTrained> {
  const { steps = 350, seed = 1, heldOut = 200, onProgress } = options;
  await prepare();
  const model = makeModel(new RandomStream(seed));
  const [data, latent] = [new RandomStream(seed, 1), new RandomStream(seed, 2)];
  const noise = (shape: [number, number]) =>
    tf.tensor2d(latent.fillNormal(new Float32Array(shape[0] * shape[1])), shape);
  const loss = () => {
    const { images } = glyphBatch(data, BATCH, NOISE);
    const taken = unroll(model, images, noise);
    const divergence = tf.addN(taken.map((step) => step.divergence));
    const error = errors(images, taken.at(-1)!.canvas);
    return tf.mean(tf.add(error, tf.mul(divergence, 0.02))) as tf.Scalar;
  };
  try {
    await descend(model, loss, { steps, learningRate: 0.006, onProgress });
    return evaluate(model, new RandomStream(seed, 3), heldOut);
  } finally {
    tf.dispose(model);
  }
}

const NOISE = 0.05;

function evaluate(model: Model, random: RandomStream, heldOut: number): DrawTrained {
  return tidyData(() => {
    const { images } = glyphBatch(random, heldOut, NOISE);
    const steps = unroll(model, images);
    const mean = (values: tf.Tensor) => tf.mean(values).dataSync()[0]!;
    return {
      error: mean(errors(images, steps.at(-1)!.canvas)),
      blank: mean(errors(images, tf.zerosLike(images))),
      picture: draw(images, steps),
    };
  });
}

/** The first image, with the box of each step's writing and the patch written there. */
function draw(images: tf.Tensor4D, steps: readonly Step[]): string {
  const first = <R extends tf.Rank>(t: tf.Tensor<R>) => Array.from(tf.slice(t, 0, 1).dataSync());
  const glimpses = steps.map(({ patch, place }, t) => {
    const { y, x } = drawGaussians(drawParameters(place), [N, N], IMAGE);
    const axis = ({ u, d }: { u: tf.Tensor1D; d: tf.Tensor1D }) => ({ u: first(u)[0]!, d: first(d)[0]! });
    const box = gaussianBox(axis(y), axis(x), [N, N]);
    return { name: `step ${t + 1}`, glimpse: { height: N, width: N, values: first(patch) }, box };
  });
  const image = { height: SIDE, width: SIDE, values: first(images) };
  return glimpse({ image, glimpses }, { title: "DRAW: where each step writes" });
}
