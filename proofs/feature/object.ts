import * as tf from "@tensorflow/tfjs-core";
import { spatialAttention } from "../../src/attention/feature/cbam.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import { constant, weight } from "../variables.ts";

export interface ObjectOptions {
  /** @default 1 */
  seed?: number;
  /** @default 300 */
  steps?: number;
  onProgress: (share: number) => void;
}

export interface ObjectResult {
  /** Of new images. */
  accuracy: number;
  /** Of the same classifier without the map. */
  ungatedAccuracy: number;
  /** Mean of the map over the object. */
  inside: number;
  /** Mean of the map elsewhere. */
  outside: number;
  /** The two, divided. */
  ratio: number;
}

const SIDE = 12;
const OBJECT = 4;
const CHANNELS = 3;
const BATCH = 64;
const HELD_OUT = 512;

/**
 * A square object stands somewhere in an image of noise. Two channels tell its class, the third only that something is
 * there; the classifier sees the mean of the image, where the noise of the whole drowns the object, unless a map
 * takes the noise away.
 */
export async function learnObject(options: ObjectOptions): Promise<ObjectResult> {
  const { seed = 1, steps = 300, onProgress } = options;
  await prepare();
  const random = new RandomStream(seed, 0);
  const variables = {
    w: weight<tf.Tensor4D>(random, [7, 7, 2, 1], 0.02),
    b: constant<tf.Tensor1D>([1]),
    readout: weight<tf.Tensor2D>(random, [CHANNELS, 1], 0.1),
    bias: constant<tf.Tensor1D>([1]),
  };
  const plain = {
    readout: weight<tf.Tensor2D>(random, [CHANNELS, 1], 0.1),
    bias: constant<tf.Tensor1D>([1]),
  };
  const seen = (x: tf.Tensor4D) => spatialAttention(x, { w: variables.w, b: variables.b });
  const classify = (x: tf.Tensor4D, { readout, bias }: typeof plain) =>
    linear(tf.mean<tf.Tensor2D>(x, [1, 2]), readout, bias);
  const gated = (x: tf.Tensor4D) => classify(seen(x).output, variables);
  const ungated = (x: tf.Tensor4D) => classify(x, plain);
  const train = (over: Record<string, tf.Variable>, answer: (x: tf.Tensor4D) => tf.Tensor2D, at: number) => {
    const images = new RandomStream(seed, 1);
    const loss = () => {
      const { x, sign } = draw(images, BATCH);
      return tf.mean(tf.softplus(tf.mul(answer(x), tf.neg(sign)))) as tf.Scalar;
    };
    return descend(over, loss, { steps, learningRate: 0.02, onProgress: part(onProgress, at, 2) });
  };
  try {
    await train(variables, gated, 0);
    await train(plain, ungated, 1);
    return tf.tidy(() => {
      const { x, sign, object } = draw(new RandomStream(seed, 2), HELD_OUT);
      const map = seen(x).map.dataSync();
      const of = (wanted: number) => meanOf([...map].filter((_, e) => object[e] === wanted));
      const right = (answer: tf.Tensor) =>
        tf.mean(tf.cast(tf.greater(tf.mul(answer, sign), 0), "float32")).dataSync()[0]!;
      const [inside, outside] = [of(1), of(0)];
      return {
        accuracy: right(gated(x)),
        ungatedAccuracy: right(ungated(x)),
        inside,
        outside,
        ratio: inside / outside,
      };
    });
  } finally {
    tf.dispose([variables, plain]);
  }
}

/** Images, their classes as −1 or 1 [B, 1], and a 1 for each pixel of an object. */
function draw(random: RandomStream, count: number) {
  const object = new Uint8Array(count * SIDE * SIDE);
  const signs = Float32Array.from({ length: count }, () => 2 * random.integer(2) - 1);
  const x = random.fillNormal(new Float32Array(count * SIDE * SIDE * CHANNELS));
  for (let n = 0; n < count; n++) {
    const [top, left] = [random.integer(SIDE - OBJECT + 1), random.integer(SIDE - OBJECT + 1)];
    for (let h = top; h < top + OBJECT; h++) {
      for (let w = left; w < left + OBJECT; w++) {
        const pixel = (n * SIDE + h) * SIDE + w;
        object[pixel] = 1;
        x[pixel * CHANNELS] += 0.6 * signs[n]!;
        x[pixel * CHANNELS + 1] -= 0.6 * signs[n]!;
        x[pixel * CHANNELS + 2] += 3;
      }
    }
  }
  return {
    object,
    sign: tf.tensor2d(signs, [count, 1]),
    x: tf.tensor4d(x, [count, SIDE, SIDE, CHANNELS]),
  };
}
