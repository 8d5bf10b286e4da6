import type * as tf from "@tensorflow/tfjs-core";
import { coordinateAttention, reducedWidth } from "../../attention/feature/index.ts";
import {
  byDefault,
  integer,
  type LayerCall,
  type LayerOptions,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, IMAGE, returnAttention } from "./attending.ts";
import { NormalizingLayer, normFields } from "./batch-norm.ts";
import { bottleneckFields, layerFields, useBias } from "./fields.ts";

const fields = {
  ...bottleneckFields(32),
  /** The least width of the bottleneck. @default 8 */
  minWidth: byDefault(integer(1), 8),
  useBias,
  ...normFields,
  ...layerFields,
  ...returnAttention,
};

export type CoordinateAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Coordinate attention: channel gates that know the row and the column.
 *
 *     [p ; q] = hswish(norm(W₁ [mean_w x ; mean_h x])),    output = x ⊙ σ(W_h p + b_h) ⊙ σ(W_w q + b_w)
 *
 * Symbols: W₁ `reduce/kernel` with `reduce/norm` (without `normalize` with `reduce/bias`), W_h, b_h `rows/kernel`,
 * `rows/bias`, W_w, b_w `columns/kernel`, `columns/bias`. Shapes: x [B, H, W, C] → as x.
 * Conventions: as `coordinateAttention`; normalised by batch in training, by moving averages otherwise.
 * Cost: as `coordinateAttention`'s. Paper: Hou, Zhou & Feng 2021, §3.2, arxiv.org/abs/2103.02907.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new CoordinateAttention();
 * block.apply(tf.ones([2, 5, 3, 8])).shape; // [2, 5, 3, 8]
 */
export class CoordinateAttention extends NormalizingLayer<typeof fields> {
  static readonly className = "CoordinateAttention";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { minWidth, useBias: biased, normalize } = this.config;
    const R = Math.max(minWidth, reducedWidth(C!, this.config));
    return {
      ...kernelAndBias("reduce", [C!, R], biased && !normalize),
      ...this.normWeights("reduce/norm", R),
      ...kernelAndBias("rows", [R, C!], biased),
      ...kernelAndBias("columns", [R, C!], biased),
    };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    const [B, H, W, C] = x as [number, number, number, number];
    return [
      [B, H, 1, C],
      [B, 1, W, C],
    ];
  }

  protected override attend([x]: tf.Tensor[], call: LayerCall): Attended {
    return coordinateAttention(x as tf.Tensor4D, {
      w1: this.weight("reduce/kernel"),
      b1: this.weightIf("reduce/bias"),
      norm: this.norm("reduce/norm", call),
      wh: this.weight("rows/kernel"),
      bh: this.weightIf("rows/bias"),
      ww: this.weight("columns/kernel"),
      bw: this.weightIf("columns/bias"),
    });
  }
}
