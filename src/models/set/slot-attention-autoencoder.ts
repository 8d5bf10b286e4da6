import * as tf from "@tensorflow/tfjs-core";
import { fourierEncoding } from "../../attention/position/fourier.ts";
import { slotAttention } from "../../attention/set/slot-attention.ts";
import { RandomStream } from "../../core/random.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { convolution, convolutionSpecs, dense, denseSpecs, normalized, normSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { checkModelConfig, refuseConfig } from "./check-config.ts";
import { feedForwardSpecs, readFeedForward, readNorm } from "./maps.ts";

export interface SlotAttentionAutoencoderConfig {
  /** H */
  height: number;
  /** W */
  width: number;
  /** Cin */
  channels: number;
  /** Channels of the encoder's convolutions, and of its positions. */
  features: number;
  /** Convolutions of the encoder, 5 × 5 pixels each. */
  convolutions: number;
  /** T, slots in training; a call may ask for another number. */
  slots: number;
  /** C, numbers in a slot. */
  slotWidth: number;
  /** F, between the maps of slots and of the decoder. */
  inner: number;
  /** How often slots read the image. */
  iterations: number;
}

export interface SlotScene {
  /** What each slot holds, [B, T, C]. */
  readonly slots: tf.Tensor3D;
  /** The image made of all slots, [B, H, W, Cin]. */
  readonly image: tf.Tensor4D;
  /** The image that each slot paints, [B, T, H, W, Cin]. */
  readonly parts: tf.Tensor5D;
  /** Where it is seen, [B, T, H, W]; the masks of a pixel sum to 1. */
  readonly masks: tf.Tensor4D;
}

const SIDE = 5;
const BANDS = 4;
const PLACES = 2 * (2 * BANDS + 1);
const RULES = {
  sizes: ["height", "width", "channels", "features", "slots", "slotWidth", "inner", "iterations"],
  counts: ["convolutions"],
};

function specs(config: SlotAttentionAutoencoderConfig): ParameterSpecs {
  const { channels, features: E, convolutions, slotWidth: C, inner: F } = config;
  const all: Record<string, ParameterSpecs[string]> = {};
  for (let n = 0; n < convolutions; n++) {
    Object.assign(all, convolutionSpecs(`encoder/${n}`, n === 0 ? channels : E, E, { side: SIDE }));
  }
  const seen = convolutions === 0 ? channels : E;
  const map = (name: string, from: number, to: number) => ({
    [name]: { shape: [from, to], start: "glorot" as const },
  });
  return {
    ...all,
    ...denseSpecs("encoder/places", PLACES + seen, E),
    ...normSpecs("encoder/norm", E),
    ...denseSpecs("encoder/in", E, E),
    ...denseSpecs("encoder/out", E, E),
    "slots/mean": { shape: [C], start: { normal: 0.1 } },
    "slots/log-deviation": { shape: [C], start: "zeros" },
    ...normSpecs("slots/input/norm", E),
    ...normSpecs("slots/norm", C),
    ...{ ...map("slots/query", C, C), ...map("slots/key", E, C), ...map("slots/value", E, C) },
    ...denseSpecs("slots/gru/input", C, 3 * C),
    ...denseSpecs("slots/gru/hidden", C, 3 * C),
    ...normSpecs("slots/feed/norm", C),
    ...feedForwardSpecs("slots/feed", C, F),
    ...denseSpecs("decoder/slot", C, F),
    ...denseSpecs("decoder/places", PLACES, F),
    ...denseSpecs("decoder/0", F, F),
    ...denseSpecs("decoder/1", F, F),
    ...denseSpecs("decoder/output", F, channels + 1),
  };
}

/**
 * An autoencoder of slots: it takes a scene apart into slots, paints each by itself, and learns from the picture alone which
 * pixels belong together.
 *
 *     encode   image → convolutions → positions → slotAttention → slots
 *     decode   each slot, at each position → a picture and how much it is there; softmax over the slots → their sum
 *
 * Shapes: image [B, H, W, Cin] → slots [B, T, C] → image [B, H, W, Cin], parts [B, T, H, W, Cin], masks [B, T, H, W].
 * Conventions: slots begin as normal numbers of one learned mean and deviation, drawn from `seed`: another seed, another order
 * of the slots. The decoder is the same small network at each position of each slot (a spatial broadcast), of dense layers
 * where the paper has convolutions; positions are Fourier encodings. Methods leave tensors to the caller's `tf.tidy`;
 * `parameters.variables` are what is saved.
 * Paper: Locatello et al. 2020, §3.1 and appendix E, arxiv.org/abs/2006.15055; broadcast: Watters et al. 2019,
 * arxiv.org/abs/1901.07017.
 *
 * @example
 * const size = { height: 8, width: 8, channels: 3, features: 8, convolutions: 1 };
 * const model = new SlotAttentionAutoencoder({ ...size, slots: 3, slotWidth: 8, inner: 16, iterations: 3 }, 1);
 * const { masks } = model.forward(tf.ones([2, 8, 8, 3]), { seed: 5 });
 * masks.shape; // [2, 3, 8, 8]
 * tf.slice(tf.sum(masks, 1), [0, 0, 0], [1, 1, 2]); // [[[1.000, 1.000]]]
 * model.dispose();
 */
export class SlotAttentionAutoencoder {
  readonly config: SlotAttentionAutoencoderConfig;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION, UNKNOWN where the configuration is none · ShapeError SHAPE, UNKNOWN
   */
  constructor(
    config: SlotAttentionAutoencoderConfig,
    start: number | Readonly<Record<string, Float32Array>> = 0,
  ) {
    checkModelConfig("SlotAttentionAutoencoder", config, RULES);
    this.config = { ...config };
    this.parameters = Parameters.start("SlotAttentionAutoencoder", specs(config), start);
  }

  /**
   * The slots of images: [B, T, C].
   *
   * @param options.seed of what the slots begin with
   * @param options.slots T, those of the configuration if left out
   * @throws ShapeError SHAPE · OptionError OPTION
   */
  encode(
    image: tf.Tensor4D,
    { seed, slots: T = this.config.slots }: { seed: number; slots?: number },
  ): tf.Tensor3D {
    const { height: H, width: W, channels, convolutions, slotWidth: C, iterations } = this.config;
    const B = image.shape[0]!;
    const op = "SlotAttentionAutoencoder.encode";
    checkTensors(op, [
      { name: "image", tensor: image, letters: "[B, H, W, Cin]", shape: [B, H, W, channels] },
    ]);
    if (!(Number.isSafeInteger(T) && T >= 1)) refuseConfig(op, "slots must be an integer ≥ 1", T);
    return tidy(() => {
      const p = this.parameters;
      let x = image;
      for (let n = 0; n < convolutions; n++) {
        x = tf.relu(convolution(p, `encoder/${n}`, x));
      }
      const seen = tf.reshape(x, [B, H * W, -1]) as tf.Tensor3D;
      const places = tf.broadcastTo(this.#places(), [B, H * W, PLACES]) as tf.Tensor3D;
      const placed = dense(p, "encoder/places", tf.concat([seen, places], 2));
      const features = dense(
        p,
        "encoder/out",
        tf.relu(dense(p, "encoder/in", normalized(p, "encoder/norm", placed))),
      );
      const noise = new RandomStream(seed).fillNormal(new Float32Array(B * T * C));
      const deviation = tf.exp(p.vector("slots/log-deviation"));
      const first = tf.add(
        p.vector("slots/mean"),
        tf.mul(tf.tensor3d(noise, [B, T, C]), deviation),
      ) as tf.Tensor3D;
      const parameters = {
        inputNorm: readNorm(p, "slots/input/norm"),
        slotNorm: readNorm(p, "slots/norm"),
        ...{ wq: p.matrix("slots/query"), wk: p.matrix("slots/key"), wv: p.matrix("slots/value") },
        gru: {
          ...{ input: p.matrix("slots/gru/input/kernel"), inputBias: p.vector("slots/gru/input/bias") },
          ...{ hidden: p.matrix("slots/gru/hidden/kernel"), hiddenBias: p.vector("slots/gru/hidden/bias") },
        },
        feedForwardNorm: readNorm(p, "slots/feed/norm"),
        feedForward: readFeedForward(p, "slots/feed"),
      };
      return slotAttention(features, first, parameters, { iterations }).output;
    });
  }

  /** The picture that slots [B, T, C] paint together, what each of them paints, and where. */
  decode(slots: tf.Tensor3D): Omit<SlotScene, "slots"> {
    const { height: H, width: W, channels, inner: F } = this.config;
    const [B, T] = slots.shape;
    return tidy(() => {
      const p = this.parameters;
      const own = tf.reshape(dense(p, "decoder/slot", slots), [B * T, 1, F]);
      const places = dense(p, "decoder/places", this.#places());
      let x = tf.relu(tf.add(own, places)) as tf.Tensor3D;
      for (const layer of ["decoder/0", "decoder/1"]) x = tf.relu(dense(p, layer, x));
      const painted = tf.reshape(dense(p, "decoder/output", x), [B, T, H * W, channels + 1]);
      const [parts, presence] = tf.split(painted, [channels, 1], 3) as [tf.Tensor4D, tf.Tensor4D];
      // The softmax is over the slots, which come last for it.
      const shares = tf.softmax(tf.transpose(tf.reshape(presence, [B, T, H * W]), [0, 2, 1]));
      const masks = tf.transpose(shares, [0, 2, 1]);
      const image = tf.sum(tf.mul(parts, tf.expandDims(masks, 3)), 1);
      return {
        image: tf.reshape(image, [B, H, W, channels]) as tf.Tensor4D,
        parts: tf.reshape(parts, [B, T, H, W, channels]) as tf.Tensor5D,
        masks: tf.reshape(masks, [B, T, H, W]) as tf.Tensor4D,
      };
    });
  }

  /** Slots of images, and what they paint. */
  forward(image: tf.Tensor4D, options: { seed: number; slots?: number }): SlotScene {
    return tidy(() => {
      const slots = this.encode(image, options);
      return { slots, ...this.decode(slots) };
    });
  }

  /** The mean squared error of the picture that the slots paint: what the model learns from. */
  loss(image: tf.Tensor4D, options: { seed: number; slots?: number }): tf.Scalar {
    return tidy(() => tf.mean(tf.squaredDifference(image, this.forward(image, options).image)) as tf.Scalar);
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #places(): tf.Tensor3D {
    const { height, width } = this.config;
    return tf.reshape(fourierEncoding([height, width], BANDS), [1, height * width, PLACES]) as tf.Tensor3D;
  }
}
