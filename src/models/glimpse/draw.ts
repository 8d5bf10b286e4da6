import * as tf from "@tensorflow/tfjs-core";
import { type DrawParameters, drawParameters, drawRead, drawWrite } from "../../attention/glimpse/draw.ts";
import { filtered } from "../../attention/glimpse/gaussian-glimpse.ts";
import type { ImageSize } from "../../attention/glimpse/glimpse.ts";
import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { tidy } from "../../ops/tidy.ts";
import { dense, denseSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { count, fullConfig, oneOf, positive, type Rule, size } from "./config.ts";
import { checkImages } from "./images.ts";
import { emptyState, flat, type LstmState, lstm, lstmSpecs, normalNoise } from "./memory.ts";

const PIXELS = ["bernoulli", "normal"] as const;

export interface DrawConfig {
  /** [H, W] of the images. */
  image: ImageSize;
  /** C of the images. @default 1 */
  channels?: number;
  /** T: how often the model reads and writes. */
  steps: number;
  /** [h, w] of the patch that a step reads, one of them 2 or more. */
  read: ImageSize;
  /** [h, w] of the patch that a step writes, one of them 2 or more. */
  write: ImageSize;
  /** Units of the encoder's memory. */
  encoder: number;
  /** Units of the decoder's memory. */
  decoder: number;
  /** Latent numbers of a step. */
  latent: number;
  /** What the canvas holds: logits of pixels from 0 to 1, as in the paper, or means of normal ones. @default "bernoulli" */
  pixels?: (typeof PIXELS)[number];
  /** σ of normal pixels. @default 0.1 */
  deviation?: number;
}

/** Rows and columns of a grid of Gaussians, which has a stride. */
const patch: Rule = (op, name, got: ImageSize) => {
  size(op, name, got as never);
  if (Math.max(...got) >= 2) return;
  const rule = "2 or more along one axis at least";
  throw new OptionError("OPTION", outOfRange({ op, name, rule, got: JSON.stringify(got) }));
};

const DEFAULTS = { channels: 1, pixels: "bernoulli", deviation: 0.1 } as const;
const RULES = {
  image: size,
  channels: count,
  steps: count,
  read: patch,
  write: patch,
  encoder: count,
  decoder: count,
  latent: count,
  pixels: oneOf(...PIXELS),
  deviation: positive,
};

/** What a step wrote. */
export interface DrawWriting {
  /** The canvas after it, [B, H, W, C]. */
  canvas: tf.Tensor4D;
  /** What it wrote, [B, h, w, C], and where. */
  patch: tf.Tensor4D;
  write: DrawParameters;
}

/** What a step read and wrote. */
export interface DrawStep extends DrawWriting {
  /** Where it read. */
  read: DrawParameters;
  /** KL of its latent numbers from those of the prior, in nats, [B]. */
  divergence: tf.Tensor1D;
}

function parameterSpecs(config: Required<DrawConfig>): ParameterSpecs {
  const { channels: C, encoder, decoder, latent, read, write } = config;
  return {
    // Small weights to the five numbers: every grid begins on the whole image.
    ...denseSpecs("read", decoder, 5, "small"),
    ...lstmSpecs("encoder", 2 * read[0] * read[1] * C + decoder, encoder),
    ...denseSpecs("latent", encoder, 2 * latent, "small"),
    ...lstmSpecs("decoder", latent, decoder),
    ...denseSpecs("patch", decoder, write[0] * write[1] * C),
    ...denseSpecs("write", decoder, 5, "small"),
  };
}

/**
 * DRAW: a variational autoencoder that reads an image and writes it again, patch by patch, each where its decoder looks.
 *
 *     x̂_t = x − pixels(c_{t−1}),   r_t = read([x, x̂_t], h^dec_{t−1})
 *     h^enc_t = LSTM([r_t, h^dec_{t−1}], h^enc_{t−1}),   z_t ~ N(μ(h^enc_t), σ(h^enc_t)²)
 *     h^dec_t = LSTM(z_t, h^dec_{t−1}),   c_t = c_{t−1} + write(h^dec_t)
 *     loss = −ln p(x | c_T) + Σ_t KL(N(μ_t, σ_t²) ‖ N(0, 1)),   in nats, the mean over images
 *
 * Symbols: c the canvas, r what is read, z the latent numbers, `pixels` the logistic function or, of normal pixels, the
 * canvas itself. Shapes: images [B, H, W, C] → one canvas [B, H, W, C] a step.
 * Conventions: one seed draws the same latent numbers everywhere; without one they are their means. `generate` draws them
 * from the prior and runs the decoder alone. In a capture the glimpses are those of the reading, one a step; `write` of a
 * step says where it wrote. Methods that return tensors leave them to the caller's `tf.tidy`.
 * Cost: T readings, writings and steps of two LSTMs. Paper: Gregor et al. 2015, §2 and §3, arxiv.org/abs/1502.04623.
 *
 * @throws OptionError OPTION, UNKNOWN · ShapeError RANK, SHAPE, UNKNOWN
 * @example
 * const size = { encoder: 16, decoder: 16, latent: 4 };
 * const model = new Draw({ image: [9, 11], steps: 3, read: [3, 3], write: [4, 4], ...size }, 1);
 * model.reconstruct(tf.ones([2, 9, 11, 1])).shape; // [2, 9, 11, 1]
 * model.dispose();
 */
export class Draw {
  readonly config: Required<DrawConfig>;
  readonly parameters: Parameters;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: DrawConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    this.config = fullConfig<Required<DrawConfig>>("Draw", config, DEFAULTS, RULES);
    this.parameters = Parameters.start("Draw", parameterSpecs(this.config), start);
  }

  /** Reads images and writes them again: what each step did. @param seed of the latent numbers @default their means */
  run(images: tf.Tensor4D, seed?: number): DrawStep[] {
    const B = checkImages("Draw.run", "images", images, this.config);
    if (seed !== undefined) checkCount("Draw.run", "seed", seed, 0);
    return tidy(() => {
      const { encoder: units, decoder, steps } = this.config;
      let encoder = emptyState(B, units);
      let state = emptyState(B, decoder);
      let canvas = tf.zerosLike(images);
      return Array.from({ length: steps }, (_, t): DrawStep => {
        const { seen, read } = this.#read(images, tf.sub(images, this.pixels(canvas)), state.h);
        encoder = lstm(this.parameters, "encoder", tf.concat2d([seen, state.h], 1), encoder);
        const [mean, logDeviation] = tf.split(
          dense(this.parameters, "latent", encoder.h),
          2,
          1,
        ) as tf.Tensor2D[];
        const z = seed === undefined ? mean! : drawn(mean!, logDeviation!, seed, t);
        const written = this.#write(z, state, canvas);
        state = written.state;
        canvas = written.canvas;
        return { ...written.step, read, divergence: divergence(mean!, logDeviation!) };
      });
    });
  }

  /** Images that the model makes up. @returns what each step wrote; `pixels` of the last canvas are the images */
  generate(count: number, seed: number): DrawWriting[] {
    checkCount("Draw.generate", "count", count);
    checkCount("Draw.generate", "seed", seed, 0);
    return tidy(() => {
      const { image, channels, decoder, latent, steps } = this.config;
      let state = emptyState(count, decoder);
      let canvas: tf.Tensor4D = tf.zeros([count, ...image, channels]);
      return Array.from({ length: steps }, (_, t): DrawWriting => {
        const written = this.#write(normalNoise([count, latent], seed, t), state, canvas);
        state = written.state;
        canvas = written.canvas;
        return written.step;
      });
    });
  }

  /** What a canvas shows: [B, H, W, C]. */
  pixels(canvas: tf.Tensor4D): tf.Tensor4D {
    return this.config.pixels === "bernoulli" ? tf.sigmoid(canvas) : canvas;
  }

  /** Images as the model writes them again. */
  reconstruct(images: tf.Tensor4D): tf.Tensor4D {
    return tidy(() => this.pixels(this.run(images).at(-1)!.canvas));
  }

  /** The variational bound of −ln p(images), in nats, the mean over images; of normal pixels without its constant. */
  loss(images: tf.Tensor4D, seed: number): tf.Scalar {
    return tidy(() => {
      const steps = this.run(images, seed);
      const divergence = tf.addN(steps.map((step) => step.divergence));
      const error = tf.sum(this.#surprise(images, steps.at(-1)!.canvas), [1, 2, 3]);
      return tf.mean(tf.add(error, divergence)) as tf.Scalar;
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  /** −ln p of each pixel, that of a normal one without its constant. */
  #surprise(images: tf.Tensor4D, canvas: tf.Tensor4D): tf.Tensor {
    if (this.config.pixels === "normal")
      return tf.mul(tf.square(tf.sub(images, canvas)), 0.5 / this.config.deviation ** 2);
    return tf.sub(tf.softplus(canvas), tf.mul(images, canvas));
  }

  /** The image and what is missing of it, read at the same places: [B, 2·h·w·C]. */
  #read(images: tf.Tensor4D, missing: tf.Tensor4D, h: tf.Tensor2D) {
    const read = drawParameters(dense(this.parameters, "read", h));
    const { output, filters } = drawRead(images, read, this.config.read, { filters: true });
    const intensity = tf.reshape(tf.exp(read.logIntensity), [-1, 1, 1, 1]);
    const both = [output, tf.mul(intensity, filtered(missing, filters))];
    return { seen: tf.concat2d(both.map(flat), 1), read };
  }

  #write(z: tf.Tensor2D, before: LstmState, canvas: tf.Tensor4D) {
    const { image, channels, write: size } = this.config;
    const state = lstm(this.parameters, "decoder", z, before);
    const patch: tf.Tensor4D = tf.reshape(dense(this.parameters, "patch", state.h), [-1, ...size, channels]);
    const write = drawParameters(dense(this.parameters, "write", state.h));
    const next: tf.Tensor4D = tf.add(canvas, drawWrite(patch, write, image).output);
    return { state, canvas: next, step: { canvas: next, patch, write } };
  }
}

const drawn = (mean: tf.Tensor2D, logDeviation: tf.Tensor2D, seed: number, t: number): tf.Tensor2D =>
  tf.add(mean, tf.mul(tf.exp(logDeviation), normalNoise(mean.shape, seed, t)));

/** KL(N(μ, σ²) ‖ N(0, 1)) = ½ Σ (μ² + σ² − 2 ln σ − 1): [B, L] → [B] */
function divergence(mean: tf.Tensor2D, logDeviation: tf.Tensor2D): tf.Tensor1D {
  const variance = tf.exp(tf.mul(logDeviation, 2));
  const terms = tf.sub(tf.add(tf.square(mean), variance), tf.add(tf.mul(logDeviation, 2), 1));
  return tf.mul(tf.sum(terms, 1), 0.5);
}
