import * as tf from "@tensorflow/tfjs-core";
import { rope } from "../../attention/position/rope.ts";
import type { RopeScaling } from "../../attention/position/rope-frequencies.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import {
  byDefault,
  choice,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  number,
  optional,
  ours,
  positive,
} from "../base/index.ts";
import { encodingOptions, startOf } from "./encoding.ts";

const fields = {
  /** The slowest pair turns once in 2π times this many positions. @default 10000 */
  maxWavelength: byDefault(positive(), 10_000),
  /** How many times longer than in training sequences may be. @default 1 */
  scalingFactor: byDefault(
    number("a number ≥ 1", (given) => given >= 1 && given < Infinity),
    1,
  ),
  /** The axis of positions: 1 for [B, T, C] and [B, T, H, D], 2 for [B, H, T, D]. @default 1 */
  sequenceAxis: byDefault(integer(1, 2), 1),
  /** How the factor acts; KerasHub has "linear". @default "linear" */
  scaling: ours(byDefault(choice("linear", "ntk", "yarn", "llama3"), "linear")),
  /** Positions of training, which "yarn" and "llama3" need. @default none */
  originalLength: ours(optional(integer(1))),
  /** Which channels turn together: c and c + D/2, or 2c and 2c + 1. @default "half" */
  pairs: ours(byDefault(choice("half", "interleaved"), "half")),
  /** How many channels are rotated. @default all */
  width: ours(optional(integer(2))),
};

export type RotaryEmbeddingLayerOptions = LayerOptions<typeof fields>;

/**
 * KerasHub's `RotaryEmbedding`: queries or keys turned by their position.
 *
 *     (x_a, x_b) → (x_a cos tθ_i − x_b sin tθ_i,  x_b cos tθ_i + x_a sin tθ_i),    θ_i = maxWavelength^(−2i/D)
 *
 * Symbols: t a position, (a, b) the pair i of channels.
 * Shapes: x [B, T, C], [B, T, H, D] or, with `sequenceAxis: 2`, [B, H, T, D] → as x.
 * Conventions: apply it to queries and keys, with the call option `startIndex` where a cache holds earlier ones.
 * Features are the last axis. No weights; masks pass.
 * Cost: O(size of x).
 * Paper: Su et al. 2021, §3.2.2, arxiv.org/abs/2104.09864; what scales it: see `ropeFrequencies`.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const rotary = new RotaryEmbedding({ sequenceAxis: 2 });
 * rotary.apply(q).shape; // [2, 3, 5, 4]
 */
export class RotaryEmbedding extends MechanismLayer<typeof fields> {
  static readonly className = "RotaryEmbedding";
  static readonly inputs = [{ name: "x", letters: "[B, …, D]" }];
  static readonly fields: typeof fields = fields;
  static readonly callOptions = encodingOptions;
  static readonly ignored = ["featureAxis"];

  protected override check(): void {
    const { scaling, scalingFactor, originalLength } = this.config;
    if (scalingFactor > 1 && (scaling === "yarn" || scaling === "llama3") && originalLength === undefined) {
      throw new OptionError("OPTION", {
        op: this.op,
        rule: `originalLength must be an integer ≥ 1 with scaling "${scaling}"`,
        got: "nothing",
        remedy: "give the number of positions of training",
        name: "originalLength",
      });
    }
  }

  get #scaling(): RopeScaling | undefined {
    const { scaling, scalingFactor: factor, originalLength: original } = this.config;
    if (factor === 1) return undefined;
    return scaling === "linear" || scaling === "ntk"
      ? { type: scaling, factor }
      : { type: scaling, factor, original: original! };
  }

  protected override compute([x]: tf.Tensor[], call: LayerCall): tf.Tensor {
    const { maxWavelength: base, sequenceAxis, pairs, width } = this.config;
    const { rank, shape } = x!;
    if (rank > 4 || rank < sequenceAxis + 2) {
      throw new ShapeError("SHAPE", {
        op: this.op,
        rule: `x must be ${sequenceAxis === 1 ? "[B, T, C] or [B, T, H, D]" : "[B, H, T, D]"}`,
        got: `shape [${shape.join(", ")}]`,
        remedy: "reshape it, or set sequenceAxis",
      });
    }
    const heads = rank === 3 ? tf.expandDims<tf.Tensor4D>(x!, 2) : (x as tf.Tensor4D);
    const layout = sequenceAxis === 1 ? "bthd" : "bhtd";
    const options = { base, pairs, width, layout, scaling: this.#scaling, offset: startOf(call) } as const;
    return tf.reshape(rope(heads, options), shape);
  }
}
