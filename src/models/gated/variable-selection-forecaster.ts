import * as tf from "@tensorflow/tfjs-core";
import { notifyGate } from "../../attention/feature/gated.ts";
import { multiHeadAttention } from "../../attention/sequence/multi-head.ts";
import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { dense, denseSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { attentionSpecs, readAttention } from "../set/maps.ts";

export interface VariableSelectionForecasterConfig {
  /** V, inputs at each time. */
  variables: number;
  /** T, times that are read. */
  window: number;
  /** Whether the inputs are selected; without that all have the weight 1/V. */
  gated: boolean;
  /** Hidden units of the selection. */
  narrow: number;
  /** C */
  width: number;
  /** H; it divides the width. */
  heads: number;
}

/** What a forecast is, and what it was made of. */
export interface VariableSelectionForecast {
  /** [B] */
  output: tf.Tensor1D;
  /** Which inputs were read at each time, in shares that sum to 1: [B, T, V]. */
  gate: tf.Tensor3D;
}

const OP = "VariableSelectionForecaster";

/** The parameters of such a model, by name. @throws OptionError OPTION */
export function forecasterParameters(config: VariableSelectionForecasterConfig): ParameterSpecs {
  const { variables: V, window: T, gated, narrow, width: C, heads } = config;
  for (const [name, count] of Object.entries({ variables: V, window: T, narrow, width: C, heads }))
    checkCount(OP, name, count);
  if (C % heads !== 0) {
    const fault = { op: OP, rule: `width must be a multiple of heads = ${heads}`, got: C };
    throw new OptionError("OPTION", { ...fault, remedy: "choose fewer heads" });
  }
  return {
    ...(gated && { ...denseSpecs("selection/in", V, narrow), ...denseSpecs("selection/out", narrow, V) }),
    "input/kernel": { shape: [V, C], start: "glorot" },
    "input/bias": { shape: [V, C], start: "zeros" },
    time: { shape: [T, C], start: { normal: 0.1 } },
    ...attentionSpecs("attention", C, C),
    ...denseSpecs("output", C, 1),
  };
}

/**
 * A forecast from many inputs of which few matter: the core of the Temporal Fusion Transformer.
 *
 *     v_t = softmax(W₂ elu(W₁ x_t + b₁) + b₂)    ξ_tj = tanh(x_tj w_j + c_j)    h_t = Σ_j v_tj ξ_tj
 *     o = attention of h_T over h_1 … h_T, with a vector p_t for each time    ŷ = W (h_T + o) + b
 *
 * Symbols: x inputs, v how much of each is read (the variable selection), ξ what each input says, h what a time says,
 * p the places in the window, ŷ the forecast of the time after the last. Shapes: x [B, T, V] → output [B], gate [B, T, V].
 * Conventions: with `gated: false` v is 1/V everywhere, and everything else the same. Reduced from the paper: gated residual
 * networks of one hidden layer without their gates, no LSTM before the attention, one time ahead and one number for it.
 * A capture has the gate of an example as [T, V]. Cost: O(B·T·(V·(C + narrow) + C²)).
 * Paper: Lim, Arık, Loeff, Pfister 2019, §4.2 and §4.4, arxiv.org/abs/1912.09363.
 *
 * @throws OptionError OPTION · ShapeError RANK, SHAPE, UNKNOWN
 * @example
 * const config = { variables: 5, window: 7, gated: true, narrow: 6, width: 8, heads: 2 };
 * const model = new VariableSelectionForecaster(config, 1);
 * const { output, gate } = model.forecast(tf.ones([3, 7, 5]));
 * [output.shape, gate.shape]; // [[3], [3, 7, 5]]
 * model.dispose();
 */
export class VariableSelectionForecaster {
  readonly config: VariableSelectionForecasterConfig;
  readonly parameters: Parameters;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(
    config: VariableSelectionForecasterConfig,
    start: number | Readonly<Record<string, Float32Array>> = 0,
  ) {
    this.config = { ...config };
    this.parameters = Parameters.start(OP, forecasterParameters(this.config), start);
  }

  /** @param x [B, T, V] */
  forecast(x: tf.Tensor3D): VariableSelectionForecast {
    const op = `${OP}.forecast`;
    const { window: T, variables: V, width: C, heads } = this.config;
    checkRank(op, "x [B, T, V]", x, 3);
    const [B] = x.shape;
    checkTensors(op, [{ name: "x", tensor: x, letters: "[B, T, V]", shape: [B, T, V] }]);
    const p = this.parameters;
    return tidy(() => {
      const gate = this.#select(x);
      const said = tf.tanh(
        tf.add(tf.mul(tf.expandDims(x, 3), p.matrix("input/kernel")), p.matrix("input/bias")),
      );
      const read = tf.sum(tf.mul(said, tf.expandDims(gate, 3)), 2);
      const states = tf.add(read, p.matrix("time")) as tf.Tensor3D;
      const last = tf.slice3d(states, [0, T - 1, 0], [B, 1, C]);
      const { output: seen } = multiHeadAttention(
        { query: last, value: states },
        readAttention(p, "attention", heads),
      );
      const output = dense(p, "output", tf.reshape<tf.Rank.R2>(tf.add(last, seen), [B, C]));
      return { output: tf.reshape<tf.Rank.R1>(output, [B]), gate };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #select(x: tf.Tensor3D): tf.Tensor3D {
    const { gated, variables: V } = this.config;
    if (!gated) return tf.fill(x.shape, 1 / V);
    const p = this.parameters;
    const gate = tf.softmax(dense(p, "selection/out", tf.elu(dense(p, "selection/in", x))));
    notifyGate("variableSelection", "gate", gate);
    return gate;
  }
}
