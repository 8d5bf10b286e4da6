import * as tf from "@tensorflow/tfjs-core";
import { scoreFunctionLoss } from "../../attention/discrete/score-function.ts";
import type { ImageSize } from "../../attention/glimpse/glimpse.ts";
import { checkCount } from "../../core/check-options.ts";
import { detached } from "../../ops/attention/guard.ts";
import { checkTensors } from "../../ops/check.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../ops/tidy.ts";
import { dense, denseSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { atLeast, count, fullConfig, positive, size } from "./config.ts";
import { checkImages } from "./images.ts";
import { emptyState, flat, type LstmState, lstm, lstmSpecs, normalNoise } from "./memory.ts";
import { retina } from "./retina.ts";

export interface RecurrentAttentionConfig {
  /** [H, W] of the images. */
  image: ImageSize;
  /** C of the images. @default 1 */
  channels?: number;
  /** w, rows and columns of each patch of the retina. */
  patch: number;
  /** K, patches of the retina, each of which shows twice as much as the one before. @default 1 */
  scales?: number;
  /** T, how often the model looks, at least twice; the first time at the middle. */
  glimpses: number;
  /** Units of the hidden layers of the glimpse network. */
  hidden: number;
  /** Units of the core. */
  units: number;
  classes: number;
  /** σ of the policy, where an image reaches from −1 to 1. @default 0.1 */
  deviation?: number;
}

const DEFAULTS = { channels: 1, scales: 1, deviation: 0.1 };
const RULES = {
  image: size,
  channels: count,
  patch: count,
  scales: count,
  glimpses: atLeast(2),
  hidden: count,
  units: count,
  classes: count,
  deviation: positive,
};

/** One look. */
export interface RecurrentAttentionStep {
  /** l: where the model looked, [B, 2], y before x, −1 and 1 the centres of the outermost pixels. */
  readonly place: tf.Tensor2D;
  /** Scores of the classes after it, [B, classes]. */
  readonly logits: tf.Tensor2D;
  /** The reward that the model expects after it, [B]. */
  readonly expected: tf.Tensor1D;
  /** ln π of the place, [B]; 0 for the first, which is not chosen. */
  readonly logProbability: tf.Tensor1D;
}

function parameterSpecs(config: Required<RecurrentAttentionConfig>): ParameterSpecs {
  const { channels: C, patch: w, scales: K, hidden, units, classes } = config;
  return {
    ...denseSpecs("glimpse/what", w * w * K * C, hidden),
    ...denseSpecs("glimpse/where", 2, hidden),
    ...denseSpecs("glimpse", 2 * hidden, hidden),
    ...lstmSpecs("core", hidden, units),
    // Small weights to the place: the policy begins in the middle.
    ...denseSpecs("location", units, 2, "small"),
    ...denseSpecs("class", units, classes),
    ...denseSpecs("baseline", units, 1, "small"),
  };
}

/**
 * Recurrent attention model (RAM): it sees an image through hard crops alone, and learns by reward where to take the next.
 *
 *     g_t = relu(W_g [relu(W_x ρ(I, l_t)), relu(W_l l_t)]),    h_t = LSTM(g_t, h_{t−1})
 *     l_{t+1} ~ N(tanh(W_π h_t), σ²),    l_1 = 0,    p(class) = softmax(W_c h_T),    b_t = W_b h_t
 *     loss = −ln p(label) − mean_t [(R − b_t) ln π(l_{t+1} | h_t) − ½(R − b_t)²],    R = 1 where the label is likeliest, else 0
 *
 * Symbols: ρ the `retina`, l places, h the core, π the policy, R the reward, b its baseline. Each map has a bias.
 * Shapes: images [B, H, W, C], labels int32 [B] → logits [B, classes]; places [B, 2], y before x, from −1 to 1.
 * Conventions: the crops have no gradient in their places; the policy learns from the reward alone, by `scoreFunctionLoss`, and
 * what is seen from the labels. With a seed places are drawn, without one they are the policy's means. The first look is at the
 * middle. The baseline's gradient reaches the baseline alone. The core is an LSTM, where the paper has one for moving images
 * and a rectified layer for still ones. In a capture each look has K glimpses. Methods that return tensors leave them to the
 * caller's `tf.tidy`.
 * Cost: T looks, each O(B·C·4^K·w²) whatever the image's size. Papers: Mnih, Heess, Graves, Kavukcuoglu 2014,
 * arxiv.org/abs/1406.6247; Williams 1992.
 *
 * @throws OptionError OPTION, UNKNOWN · ShapeError RANK, SHAPE, UNKNOWN
 * @example
 * const size = { patch: 3, scales: 2, glimpses: 3, hidden: 8, units: 8, classes: 4 };
 * const model = new RecurrentAttentionModel({ image: [9, 11], ...size }, 1);
 * model.classify(tf.ones([2, 9, 11, 1])).shape; // [2, 4]
 * model.dispose();
 */
export class RecurrentAttentionModel {
  readonly config: Required<RecurrentAttentionConfig>;
  readonly parameters: Parameters;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: RecurrentAttentionConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    const op = "RecurrentAttentionModel";
    this.config = fullConfig<Required<RecurrentAttentionConfig>>(op, config, DEFAULTS, RULES);
    this.parameters = Parameters.start(op, parameterSpecs(this.config), start);
  }

  /** Looks at images. @param seed of the places @default the policy's means */
  run(images: tf.Tensor4D, seed?: number): RecurrentAttentionStep[] {
    const op = "RecurrentAttentionModel.run";
    const B = checkImages(op, "images", images, this.config);
    if (seed !== undefined) checkCount(op, "seed", seed, 0);
    return tidy(() => {
      let place = tf.zeros<tf.Rank.R2>([B, 2]);
      let logProbability = tf.zeros<tf.Rank.R1>([B]);
      let core = emptyState(B, this.config.units);
      return Array.from({ length: this.config.glimpses }, (_, t): RecurrentAttentionStep => {
        core = this.#look(images, place, core);
        const step = { place, logProbability, ...this.#judge(core.h) };
        [place, logProbability] = this.#choose(core.h, seed, t);
        return step;
      });
    });
  }

  /** Scores of the classes after the last look: [B, classes]. */
  classify(images: tf.Tensor4D): tf.Tensor2D {
    return tidy(() => this.run(images).at(-1)!.logits);
  }

  /** Cross-entropy in nats, and the loss by which the policy and its baseline learn from the reward. */
  loss(images: tf.Tensor4D, labels: tf.Tensor1D, seed: number): tf.Scalar {
    const op = "RecurrentAttentionModel.loss";
    const B = checkImages(op, "images", images, this.config);
    checkTensors(op, [{ name: "labels", tensor: labels, letters: "[B]", shape: [B], dtype: "int32" }]);
    return tidy(() => {
      const steps = this.run(images, seed);
      const { logits } = steps.at(-1)!;
      const surprise = tf.mean<tf.Scalar>(softmaxCrossEntropy(logits, labels));
      const reward = tf.cast(tf.equal(tf.argMax(logits, 1), labels), "float32");
      const chosen = steps.slice(1).map((step) => step.logProbability);
      // What the core expects after a look is the baseline of the place that it chooses then.
      const value = tf.stack(
        steps.slice(0, -1).map((step) => step.expected),
        1,
      );
      const earned = tf.tile(tf.expandDims(reward, 1), [1, chosen.length]);
      const policy = scoreFunctionLoss(tf.stack(chosen, 1), earned, { baseline: { kind: "learned", value } });
      return tf.add(surprise, policy) as tf.Scalar;
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #look(images: tf.Tensor4D, place: tf.Tensor2D, core: LstmState): LstmState {
    const { patch, scales } = this.config;
    const what = tf.relu(
      dense(this.parameters, "glimpse/what", flat(retina(images, place, { patch, scales }))),
    );
    const where = tf.relu(dense(this.parameters, "glimpse/where", place));
    const seen = tf.relu(dense(this.parameters, "glimpse", tf.concat2d([what, where], 1)));
    return lstm(this.parameters, "core", seen, core);
  }

  #judge(h: tf.Tensor2D) {
    const expected = tf.reshape<tf.Rank.R1>(dense(this.parameters, "baseline", detached(h)), [-1]);
    return { logits: dense(this.parameters, "class", h), expected };
  }

  /** The next place, which has no gradient, and ln π of it, which has. */
  #choose(h: tf.Tensor2D, seed: number | undefined, t: number): [tf.Tensor2D, tf.Tensor1D] {
    const { deviation } = this.config;
    const mean = tf.tanh(dense(this.parameters, "location", h));
    const noise = seed === undefined ? 0 : normalNoise(mean.shape, seed, t);
    const place: tf.Tensor2D = tf.add(detached(mean), tf.mul(noise, deviation));
    const off = tf.div(tf.sub(place, mean), deviation);
    const constant = Math.log(2 * Math.PI * deviation ** 2);
    return [place, tf.sub(tf.mul(tf.sum(tf.square(off), 1), -0.5), constant)];
  }
}
