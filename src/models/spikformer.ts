import * as tf from "@tensorflow/tfjs-core";
import { checkSpikes } from "../attention/spiking/check.ts";
import {
  checkNeuron,
  leakyIntegrateAndFire,
  type NeuronOptions,
} from "../attention/spiking/leaky-integrate-and-fire.ts";
import { type ProjectedSpikes, spikingSelfAttention } from "../attention/spiking/spiking-self-attention.ts";
import { checkCount } from "../core/check-options.ts";
import { OptionError } from "../core/errors.ts";
import { checkTensors } from "../ops/check.ts";
import { linear } from "../ops/linear.ts";
import { tidy } from "../ops/tidy.ts";
import { type ParameterSpec, Parameters } from "./parameters.ts";

export interface SpikformerConfig extends NeuronOptions {
  /** T, the patches of the sensor. */
  patches: number;
  /** E, the places of a patch where an event may be: pixels times polarities. */
  events: number;
  /** C */
  width: number;
  /** H, which divides the width. */
  heads: number;
  /** Neurons between the two maps of a feed-forward part. */
  inner: number;
  layers: number;
  classes: number;
}

/** What a stream is read with. */
export interface SpikformerOptions {
  /** `true` where a patch may see another: bool [T, T] or [B, H, T, T], any length may be 1. @default everywhere */
  allow?: tf.Tensor;
  /** Called with each layer's spikes of queries, keys and values, which are gone after the call. @default nothing */
  onSpikes?: (layer: number, spikes: ProjectedSpikes) => void;
}

/** Deviation of a weight times the root of its inputs: where one in ten of them fires, one neuron in ten does. */
const GAIN = 6;

/**
 * Spikformer: a Transformer of spiking neurons, for streams of events.
 *
 *     u = x·We + be                                     currents of each patch, be one for each place
 *     u ← u + SSA(SN(u)),    u ← u + SN(SN(u)·W1 + b1)·W2 + b2    in each layer
 *     logits = mean of SN(u) over time and patches · Wc + bc
 *
 * Symbols: x events, SN neurons that remember over time (`leakyIntegrateAndFire`), SSA `spikingSelfAttention`, N time steps.
 * Shapes: x [N, B, T, E] → logits [B, classes].
 * Conventions: every product has spikes on one side, so a chip of spiking neurons only adds. Residual branches add
 * currents, as Spikingformer's do, where Spikformer adds spikes, which are then no longer 0 or 1. There is no batch
 * normalisation: weights begin large enough for neurons to fire. Places are learned. The gradient is the surrogate of
 * `spike`, not the true one.
 * Papers: Zhou et al. 2022 (Spikformer), arxiv.org/abs/2209.15425; Zhou et al. 2023 (Spikingformer),
 * arxiv.org/abs/2304.11954.
 *
 * @throws OptionError OPTION, CONFLICT
 * @example
 * const sizes = { patches: 9, events: 32, width: 16, heads: 2, inner: 24, layers: 1, classes: 4 };
 * const model = new Spikformer(sizes, 1);
 * const x = tf.cast(tf.less(tf.randomUniform([6, 2, 9, 32], 0, 1, "float32", 1), 0.1), "float32");
 * model.logits(x).shape; // [2, 4]
 * model.parameters.size; // 2620
 * model.dispose();
 */
export class Spikformer {
  readonly config: SpikformerConfig;
  readonly parameters: Parameters;

  /** @param start a seed, or the values of all parameters */
  constructor(config: SpikformerConfig, start: number | Readonly<Record<string, Float32Array>>) {
    const op = "Spikformer";
    const { patches, events, width, heads, inner, layers, classes } = config;
    for (const [name, count] of Object.entries({ patches, events, width, heads, inner, layers, classes }))
      checkCount(op, name, count);
    if (width % heads !== 0) {
      const got = `width=${width} and heads=${heads}`;
      const fault = { op, rule: "width must be a multiple of heads", got, remedy: "make each head as wide" };
      throw new OptionError("CONFLICT", fault);
    }
    checkNeuron(op, config);
    this.config = config;
    this.parameters = Parameters.start(op, specsOf(config), start);
  }

  /**
   * Scores of classes: events [N, B, T, E] → [B, classes].
   *
   * @throws ShapeError SHAPE · OptionError DTYPE when an event is neither 0 nor 1
   */
  logits(x: tf.Tensor4D, { allow, onSpikes }: SpikformerOptions = {}): tf.Tensor2D {
    const { patches, events, width, heads, inner, layers, classes, ...neuron } = this.config;
    const [N, B] = x.shape;
    const shape = [N, B, patches, events];
    checkTensors("Spikformer", [{ name: "x", tensor: x, letters: "[N, B, T, E]", shape }]);
    checkSpikes("Spikformer", "x", x);
    const { parameters } = this;
    const map = (given: tf.Tensor4D, name: string): tf.Tensor4D =>
      linear(given, parameters.matrix(`${name}/weight`), parameters.vector(`${name}/bias`));
    const fire = (current: tf.Tensor4D) => leakyIntegrateAndFire(current, neuron).spikes as tf.Tensor4D;
    return tidy(() => {
      let u = tf.add<tf.Tensor4D>(
        linear(x, parameters.matrix("embedding/weight")),
        parameters.matrix("embedding/place"),
      );
      for (let layer = 0; layer < layers; layer++) {
        const at = (name: string) => `layers/${layer}/${name}`;
        const { output, spikes } = spikingSelfAttention(fire(u), this.#attention(layer), {
          ...neuron,
          ...(allow && { allow }),
          spikes: true,
        });
        onSpikes?.(layer, spikes);
        u = tf.add(u, output);
        u = tf.add(u, map(fire(map(fire(u), at("up"))), at("down")));
      }
      const rates = tf.mean<tf.Tensor2D>(fire(u), [0, 2]);
      return linear(rates, parameters.matrix("classes/weight"), parameters.vector("classes/bias"));
    });
  }

  #attention(layer: number) {
    const { width: C, heads: H } = this.config;
    const D = C / H;
    const weight = (name: string) => this.parameters.matrix(`layers/${layer}/${name}/weight`);
    const bias = (name: string) => this.parameters.vector(`layers/${layer}/${name}/bias`);
    const toHeads = (name: string) => ({
      w: tf.reshape<tf.Rank.R3>(weight(name), [C, H, D]),
      b: tf.reshape<tf.Rank.R2>(bias(name), [H, D]),
    });
    const [q, k, v] = [toHeads("query"), toHeads("key"), toHeads("value")];
    const wo = tf.reshape<tf.Rank.R3>(weight("output"), [H, D, C]);
    return { wq: q.w, bq: q.b, wk: k.w, bk: k.b, wv: v.w, bv: v.b, wo, bo: bias("output") };
  }

  dispose(): void {
    this.parameters.dispose();
  }
}

function specsOf({ patches, events, width, inner, layers, classes }: SpikformerConfig) {
  const specs: Record<string, ParameterSpec> = {};
  const matrix = (name: string, from: number, to: number, gain = GAIN) => {
    specs[`${name}/weight`] = { shape: [from, to], start: { normal: gain / Math.sqrt(from) } };
  };
  const map = (name: string, from: number, to: number, gain = GAIN) => {
    matrix(name, from, to, gain);
    specs[`${name}/bias`] = { shape: [to], start: "zeros" };
  };
  matrix("embedding", events, width);
  specs["embedding/place"] = { shape: [patches, width], start: { normal: 0.1 } };
  for (let layer = 0; layer < layers; layer++) {
    for (const name of ["query", "key", "value", "output"]) map(`layers/${layer}/${name}`, width, width);
    map(`layers/${layer}/up`, width, inner);
    map(`layers/${layer}/down`, inner, width);
  }
  map("classes", width, classes, 1);
  return specs;
}
