import * as tf from "@tensorflow/tfjs-core";
import { squeezeExcitation } from "../../src/attention/feature/squeeze-excitation.ts";
import { RandomStream } from "../../src/core/random.ts";
import { part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import { constant, normal, weight } from "../variables.ts";

export interface ChannelOptions {
  /** @default 1 */
  seed?: number;
  /** @default 200 */
  steps?: number;
  onProgress: (share: number) => void;
}

export interface ChannelResult {
  /** Of new images. */
  accuracy: number;
  /** Of the same readout of all channels alike, without a gate. */
  ungatedAccuracy: number;
  /** Mean gate of the channel that is useful in its image. */
  usefulGate: number;
  /** Mean gate of the others. */
  otherGate: number;
  /** The two, divided. */
  ratio: number;
}

const SIDE = 6;
const CHANNELS = 8;
const NARROW = 8;
const BATCH = 128;
const HELD_OUT = 1024;

/**
 * Every channel of an image is brighter on its left or on its right half, and the class is the side of one channel:
 * that which is brightest on the whole, another one in each image. The readout adds the sides of all channels, so
 * that the others' must be gated away.
 */
export async function learnChannel(options: ChannelOptions): Promise<ChannelResult> {
  const { seed = 1, steps = 200, onProgress } = options;
  await prepare();
  const random = new RandomStream(seed, 0);
  const variables = {
    w1: weight<tf.Tensor2D>(random, [CHANNELS, NARROW]),
    b1: constant<tf.Tensor1D>([NARROW], 0.1),
    w2: weight<tf.Tensor2D>(random, [NARROW, CHANNELS]),
    b2: constant<tf.Tensor1D>([CHANNELS]),
    size: constant<tf.Scalar>([], 1),
  };
  const plain = { size: constant<tf.Scalar>([], 1) };
  const seen = (x: tf.Tensor4D) => squeezeExcitation(x, variables);
  const gated = (x: tf.Tensor4D) => tf.mul(side(seen(x).output), variables.size);
  const ungated = (x: tf.Tensor4D) => tf.mul(side(x), plain.size);
  const train = (over: Record<string, tf.Variable>, answer: (x: tf.Tensor4D) => tf.Tensor, at: number) => {
    const images = new RandomStream(seed, 1);
    const loss = () => {
      const { x, sign } = draw(images, BATCH);
      return tf.mean(tf.softplus(tf.mul(answer(x), tf.neg(sign)))) as tf.Scalar;
    };
    return descend(over, loss, { steps, learningRate: 0.03, onProgress: part(onProgress, at, 2) });
  };
  try {
    await train(variables, gated, 0);
    await train(plain, ungated, 1);
    return tf.tidy(() => {
      const { x, sign, useful } = draw(new RandomStream(seed, 2), HELD_OUT);
      const gates = seen(x).gate.dataSync();
      const of = (wanted: boolean) =>
        meanOf([...gates].filter((_, e) => (useful[Math.floor(e / CHANNELS)] === e % CHANNELS) === wanted));
      const right = (answer: tf.Tensor) =>
        tf.mean(tf.cast(tf.greater(tf.mul(answer, sign), 0), "float32")).dataSync()[0]!;
      const [usefulGate, otherGate] = [of(true), of(false)];
      return {
        accuracy: right(gated(x)),
        ungatedAccuracy: right(ungated(x)),
        usefulGate,
        otherGate,
        ratio: usefulGate / otherGate,
      };
    });
  } finally {
    tf.dispose([variables, plain]);
  }
}

/** How much brighter the left half is than the right one, summed over the channels: [B]. */
function side(x: tf.Tensor4D): tf.Tensor1D {
  const [left, right] = tf.split(x, 2, 2);
  return tf.sum(tf.sub(tf.mean(left!, [1, 2]), tf.mean(right!, [1, 2])), 1);
}

function draw(random: RandomStream, count: number) {
  const useful = Int32Array.from({ length: count }, () => random.integer(CHANNELS));
  const sides = Int8Array.from({ length: count * CHANNELS }, () => 2 * random.integer(2) - 1);
  return {
    useful,
    sign: tf.tensor1d(Float32Array.from(useful, (channel, n) => sides[n * CHANNELS + channel]!)),
    x: tf.tidy(() => {
      const marks = tf.oneHot(tf.tensor1d(useful, "int32"), CHANNELS);
      const bright = tf.reshape(tf.cast(marks, "float32"), [count, 1, 1, CHANNELS]);
      const tilt = tf.reshape(tf.tensor1d(Float32Array.from(sides)), [count, 1, 1, CHANNELS]);
      const columns = Float32Array.from({ length: SIDE }, (_, w) => (w < SIDE / 2 ? 0.5 : -0.5));
      const tilted = tf.mul(tilt, tf.reshape(tf.tensor1d(columns), [1, 1, SIDE, 1]));
      const noise = normal(random, [count, SIDE, SIDE, CHANNELS], 0.5);
      return tf.add(tf.add(noise, tilted), bright) as tf.Tensor4D;
    }),
  };
}
