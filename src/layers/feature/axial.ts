import type * as tf from "@tensorflow/tfjs-core";
import { axialAttention } from "../../attention/feature/index.ts";
import {
  byDefault,
  causalMask,
  choice,
  integer,
  type LayerCall,
  type LayerOptions,
  optional,
  required,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, AttendingLayer, IMAGE, returnAttention } from "./attending.ts";
import { layerFields, useBias } from "./fields.ts";

const fields = {
  /** The axis along which pixels see one another: `"height"` within their column, `"width"` within their row. */
  axis: required(choice("height", "width")),
  /** @default 1 */
  numHeads: byDefault(integer(1), 1),
  /** Width of queries and keys of a head. @default the channels shared among the heads, 1 at least */
  keyDim: optional(integer(1)),
  /** Width of values of a head. @default keyDim */
  valueDim: optional(integer(1)),
  /** Channels of the output. @default those of the input */
  filters: optional(integer(1)),
  ...causalMask,
  useBias,
  ...layerFields,
  ...returnAttention,
};

export type AxialAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Axial attention: each pixel reads the pixels of its own row, or of its own column.
 *
 *     output = softmax(q kᵀ/√D) v W_o + b_o along one axis,    q = x W_q + b_q, k = x W_k, v = x W_v + b_v
 *
 * Symbols: W_q `query/kernel`, W_k `key/kernel`, W_v `value/kernel`, W_o `output/kernel`, all but the keys with a
 * `bias`. Shapes: x [B, H, W, C] → [B, H, W, filters].
 * Conventions: as `axialAttention`; with `useCausalMask` pixels see those before them, and themselves. A layer for the
 * height and one for the width let every pixel reach every other. Images have no masks; keys are not shared by heads
 * (`numKeyValueHeads`), and no weights dropped.
 * Cost: as `axialAttention`'s, one kernel on `heed`. Paper: Ho et al. 2019, §3, arxiv.org/abs/1912.12180.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const columns = new AxialAttention({ axis: "height", numHeads: 2 });
 * const rows = new AxialAttention({ axis: "width", numHeads: 2 });
 * rows.apply(columns.apply(tf.ones([2, 5, 3, 8]))).shape; // [2, 5, 3, 8]
 */
export class AxialAttention extends AttendingLayer<typeof fields> {
  static readonly className = "AxialAttention";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { numHeads, useBias: biased, filters: O = C! } = this.config;
    const { keyDim: D = Math.max(1, Math.floor(C! / numHeads)) } = this.config;
    const { valueDim: Dv = D } = this.config;
    return {
      ...kernelAndBias("query", [C!, numHeads * D], biased),
      "key/kernel": { shape: [C!, numHeads * D], kind: "kernel" },
      ...kernelAndBias("value", [C!, numHeads * Dv], biased),
      ...kernelAndBias("output", [numHeads * Dv, O], biased),
    };
  }

  protected override outputShapeOf([x]: readonly Shape[]): Shape {
    return [...x!.slice(0, 3), this.config.filters ?? x![3]!];
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    const [B, H, W] = x as [number, number, number, number];
    const { axis, numHeads } = this.config;
    return [axis === "width" ? [B, H, numHeads, W, W] : [B, W, numHeads, H, H]];
  }

  protected override attend([x]: tf.Tensor[], _: LayerCall, wanted: boolean): Attended {
    const { axis, numHeads: heads, useCausalMask: causal } = this.config;
    const parameters = {
      wq: this.weight<tf.Tensor2D>("query/kernel"),
      bq: this.weightIf<tf.Tensor1D>("query/bias"),
      wk: this.weight<tf.Tensor2D>("key/kernel"),
      wv: this.weight<tf.Tensor2D>("value/kernel"),
      bv: this.weightIf<tf.Tensor1D>("value/bias"),
      wo: this.weight<tf.Tensor2D>("output/kernel"),
      bo: this.weightIf<tf.Tensor1D>("output/bias"),
    };
    return axialAttention(x as tf.Tensor4D, parameters, { axis, heads, causal, weights: wanted });
  }
}
