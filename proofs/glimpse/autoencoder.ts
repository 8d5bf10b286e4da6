import * as tf from "@tensorflow/tfjs-core";
import { drawGaussians } from "../../src/attention/glimpse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { Draw, type DrawStep } from "../../src/models/glimpse/draw.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { glimpse } from "../../src/viz/glimpse.ts";
import { gaussianBox } from "../../src/viz/image/boxes.ts";
import { descend, prepare } from "../descend.ts";
import { glyphBatch, SIDE } from "./glyphs.ts";

/** Five steps of reading and writing 5 × 5 pixels. */
const [T, N, BATCH, NOISE] = [5, 5, 32, 0.05];
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

/**
 * A tiny DRAW: an autoencoder that reads an image and writes it again through windows of 5 × 5 Gaussians, five times each,
 * at places that it chooses. The same options give the same metrics.
 */
export async function trainDraw(options: DrawOptions = {}): Promise<DrawTrained> {
  const { steps = 350, seed = 1, heldOut = 200, onProgress } = options;
  await prepare();
  const size = { encoder: 64, decoder: 64, latent: 8 };
  const model = new Draw(
    { image: IMAGE, steps: T, read: [N, N], write: [N, N], ...size, pixels: "normal" },
    seed,
  );
  const data = new RandomStream(seed, 1);
  const loss = (step: number) => model.loss(glyphBatch(data, BATCH, NOISE).images, steps * seed + step);
  try {
    await descend(model.parameters.variables, loss, { steps, learningRate: 0.006, onProgress });
    return evaluate(model, new RandomStream(seed, 3), heldOut);
  } finally {
    model.dispose();
  }
}

function evaluate(model: Draw, random: RandomStream, heldOut: number): DrawTrained {
  return tidyData(() => {
    const { images } = glyphBatch(random, heldOut, NOISE);
    const steps = model.run(images);
    const error = (canvas: tf.Tensor4D) =>
      tf.mean(tf.sum(tf.square(tf.sub(images, canvas)), [1, 2, 3])).dataSync()[0]!;
    return {
      error: error(steps.at(-1)!.canvas),
      blank: error(tf.zerosLike(images)),
      picture: draw(images, steps),
    };
  });
}

/** The first image, with the box of each step's writing and the patch written there. */
function draw(images: tf.Tensor4D, steps: readonly DrawStep[]): string {
  const first = (t: tf.Tensor) => Array.from(tf.slice(t, 0, 1).dataSync());
  const glimpses = steps.map(({ patch, write }, t) => {
    const { y, x } = drawGaussians(write, [N, N], IMAGE);
    const axis = ({ u, d }: { u: tf.Tensor1D; d: tf.Tensor1D }) => ({ u: first(u)[0]!, d: first(d)[0]! });
    const box = gaussianBox(axis(y), axis(x), [N, N]);
    return { name: `step ${t + 1}`, glimpse: { height: N, width: N, values: first(patch) }, box };
  });
  const image = { height: SIDE, width: SIDE, values: first(images) };
  return glimpse({ image, glimpses }, { title: "DRAW: where each step writes" });
}
