import type * as tf from "@tensorflow/tfjs-core";
import { crissCrossAttention } from "../../attention/feature/index.ts";
import {
  byDefault,
  integer,
  type LayerCall,
  type LayerOptions,
  optional,
  type Shape,
  type Sizes,
  type WeightTable,
  weightFields,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, AttendingLayer, IMAGE, returnAttention } from "./attending.ts";
import { layerFields, useBias } from "./fields.ts";

const fields = {
  /** Width of queries and keys. @default an eighth of the channels, 1 at least */
  units: optional(integer(1)),
  /** How often it is applied, with the same weights: at 2 every pixel reaches every other. @default 2 */
  recurrence: byDefault(integer(1), 2),
  useBias,
  ...layerFields,
  ...returnAttention,
  ...weightFields("gamma", "zeros"),
};

export type CrissCrossAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Criss-cross attention: each pixel reads its row and its column, in one softmax, again and again.
 *
 *     x ← x + γ·Σ_{r ∈ cross} α_r v_r,    α = softmax_{r ∈ cross}(q·k_r),    `recurrence` times
 *
 * Symbols: q `query/kernel`, `query/bias`, k `key/kernel`, v `value/kernel`, `value/bias`, γ `gamma`.
 * Shapes: x [B, H, W, C] → as x. Conventions: as `crissCrossAttention`; γ begins at 0, so that the layer begins as the
 * identity. Cost: `recurrence` times `crissCrossAttention`'s. Paper: Huang et al. 2019, §3.2, arxiv.org/abs/1811.11721.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new CrissCrossAttention({ units: 2 });
 * const x = tf.randomNormal([2, 5, 3, 8], 0, 1, "float32", 1);
 * tf.max(tf.abs(tf.sub(block.apply(x), x))); // 0
 */
export class CrissCrossAttention extends AttendingLayer<typeof fields> {
  static readonly className = "CrissCrossAttention";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { units: D = Math.max(1, Math.floor(C! / 8)), useBias: biased } = this.config;
    return {
      ...kernelAndBias("query", [C!, D], biased),
      "key/kernel": { shape: [C!, D], kind: "kernel" },
      ...kernelAndBias("value", [C!, C!], biased),
      gamma: { shape: [], kind: "gamma" },
    };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    const [B, H, W] = x!;
    return [[B!, H!, W!, H === null || W === null ? null : H! + W!]];
  }

  protected override attend([x]: tf.Tensor[], _: LayerCall, wanted: boolean): Attended {
    const parameters = {
      wq: this.weight<tf.Tensor2D>("query/kernel"),
      bq: this.weightIf<tf.Tensor1D>("query/bias"),
      wk: this.weight<tf.Tensor2D>("key/kernel"),
      wv: this.weight<tf.Tensor2D>("value/kernel"),
      bv: this.weightIf<tf.Tensor1D>("value/bias"),
      gamma: this.weight<tf.Scalar>("gamma"),
    };
    let input = x as tf.Tensor4D;
    for (let n = 1; n < this.config.recurrence; n++) input = crissCrossAttention(input, parameters).output;
    return crissCrossAttention(input, parameters, { weights: wanted });
  }
}
