import * as tf from "@tensorflow/tfjs-core";
import { notifyGate } from "../../attention/feature/gated.ts";
import { multiHeadAttention } from "../../attention/sequence/multi-head.ts";
import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { convolution, dense, denseSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { attentionSpecs, readAttention } from "../set/maps.ts";

export interface GatedBandClassifierConfig {
  /** F, bands of a frame. */
  bands: number;
  /** Whether there is a gate. */
  gated: boolean;
  /** Bands that the gate of a band looks at, itself in the middle; odd. */
  taps: number;
  /** M, hidden units of the gate in each band. */
  narrow: number;
  /** C */
  width: number;
  /** H; it divides the width. */
  heads: number;
  classes: number;
}

/** What a sound was taken for, and what was let through of it. */
export interface BandClassification {
  /** [B, classes] */
  logits: tf.Tensor2D;
  /** How far each band is open, 0 to 1, [B, F]; 1 everywhere without a gate. */
  gate: tf.Tensor2D;
}

const OP = "GatedBandClassifier";
/** Neighbours over which the hidden units of a gate are read. */
const LAST_TAPS = 3;

/** The parameters of such a model, by name. @throws OptionError OPTION */
export function gatedBandParameters(config: GatedBandClassifierConfig): ParameterSpecs {
  const { bands: F, gated, taps, narrow: M, width: C, heads, classes } = config;
  for (const [name, count] of Object.entries({ bands: F, taps, narrow: M, width: C, heads, classes }))
    checkCount(OP, name, count);
  const refuse = (rule: string, got: number, remedy: string) => {
    throw new OptionError("OPTION", { op: OP, rule, got, remedy });
  };
  if (taps % 2 === 0) refuse("taps must be odd", taps, "use the next odd number");
  if (C % heads !== 0) refuse(`width must be a multiple of heads = ${heads}`, C, "choose fewer heads");
  return {
    ...(gated && {
      "gate/in/kernel": { shape: [1, taps, 2, M], start: { normal: Math.sqrt(1 / taps) } },
      "gate/in/bias": { shape: [M], start: "zeros" },
      "gate/out/kernel": { shape: [1, LAST_TAPS, M, 1], start: { normal: 0.3 } },
      "gate/out/bias": { shape: [1], start: "zeros" },
    }),
    ...denseSpecs("input", F, C),
    ...attentionSpecs("time", C, C),
    ...denseSpecs("output", C, classes),
  };
}

/**
 * A classifier of sounds whose gate opens the bands of frequency that are worth hearing.
 *
 *     z_f = (mean_t x_tf, min_t x_tf)    g_f = σ(W₂ * relu(W₁ * z + b₁) + b₂)_f
 *     h_t = W (x_t ⊙ g) + b    o = attention of h over its own times    logits = W_o mean_t (h_t + o_t) + b_o
 *
 * Symbols: x how loud each band is at each time, ≥ 0; z its mean and its floor, by which steady noise is told from a voice
 * that sets in (minimum statistics); * a convolution over neighbouring bands, the same for all; g the gate.
 * Shapes: x [B, T, F] → logits [B, classes], gate [B, F]. Conventions: with `gated: false` g is 1, and everything else the
 * same. A capture has the gate of an example as [F]. Cost: O(B·(F·taps·M + T·(F·C + C² + T·C))).
 * Papers: Hu, Shen & Sun 2018, arxiv.org/abs/1709.01507, and Wang et al. 2020, arxiv.org/abs/1910.03151, for gates of channels by
 * what they hold on the whole and by their neighbours; Martin 2001, doi.org/10.1109/89.928915, for the floor.
 *
 * @throws OptionError OPTION · ShapeError RANK, SHAPE, UNKNOWN
 * @example
 * const sizes = { taps: 3, narrow: 4, width: 8, heads: 2, classes: 5 };
 * const model = new GatedBandClassifier({ bands: 11, gated: true, ...sizes }, 1);
 * const { logits, gate } = model.classify(tf.ones([3, 7, 11]));
 * [logits.shape, gate.shape]; // [[3, 5], [3, 11]]
 * model.dispose();
 */
export class GatedBandClassifier {
  readonly config: GatedBandClassifierConfig;
  readonly parameters: Parameters;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: GatedBandClassifierConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    this.config = { ...config };
    this.parameters = Parameters.start(OP, gatedBandParameters(this.config), start);
  }

  /** @param x [B, T, F] */
  classify(x: tf.Tensor3D): BandClassification {
    const op = `${OP}.classify`;
    const { bands: F, heads } = this.config;
    checkRank(op, "x [B, T, F]", x, 3);
    const [B, T] = x.shape;
    checkTensors(op, [{ name: "x", tensor: x, letters: "[B, T, F]", shape: [B, T, F] }]);
    const p = this.parameters;
    return tidy(() => {
      const gate = this.#open(x);
      const states = dense(p, "input", tf.mul(x, tf.expandDims(gate, 1)) as tf.Tensor3D);
      const { output } = multiHeadAttention({ query: states }, readAttention(p, "time", heads));
      const logits = dense(p, "output", tf.mean(tf.add(states, output), 1) as tf.Tensor2D);
      return { logits, gate };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #open(x: tf.Tensor3D): tf.Tensor2D {
    const [B, , F] = x.shape;
    if (!this.config.gated) return tf.ones([B, F]);
    const p = this.parameters;
    const levels = tf.stack([tf.mean(x, 1), tf.min(x, 1)], 2);
    const hidden = tf.relu(convolution(p, "gate/in", tf.reshape<tf.Rank.R4>(levels, [B, 1, F, 2])));
    const gate = tf.sigmoid(tf.reshape<tf.Rank.R2>(convolution(p, "gate/out", hidden), [B, F]));
    notifyGate("bandGate", "gate", gate);
    return gate;
  }
}
