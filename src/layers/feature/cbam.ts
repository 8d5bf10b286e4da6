import type * as tf from "@tensorflow/tfjs-core";
import { cbam, reducedWidth } from "../../attention/feature/index.ts";
import {
  byDefault,
  type LayerCall,
  type LayerOptions,
  odd,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, IMAGE, returnAttention } from "./attending.ts";
import { NormalizingLayer, normFields } from "./batch-norm.ts";
import { bottleneckParameters, bottleneckWeights } from "./bottleneck.ts";
import { bottleneckFields, layerFields, useBias } from "./fields.ts";

const fields = {
  ...bottleneckFields(16),
  /** Height and width of the filter over space; odd. @default 7 */
  kernelSize: byDefault(odd(), 7),
  useBias,
  ...normFields,
  ...layerFields,
  ...returnAttention,
};

export type ConvolutionalBlockAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * CBAM, the convolutional block attention module: what matters, and then where.
 *
 *     y = x ⊙ σ(MLP(mean_hw x) + MLP(max_hw x)),    output = y ⊙ σ(norm(f([mean_c y ; max_c y])))
 *
 * Symbols: the MLP's `reduce/kernel`, `reduce/bias`, `expand/kernel`, `expand/bias`; f `spatial/kernel`; norm
 * `spatial/norm`, or without `normalize` a bias, `spatial/bias`. Shapes: x [B, H, W, C] → as x.
 * Conventions: as `cbam`; the map is normalised by batch in training, as in the paper's code, and by moving averages
 * otherwise. Cost: as `cbam`'s. Paper: Woo et al. 2018, §3, arxiv.org/abs/1807.06521.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new ConvolutionalBlockAttention({ ratio: 4 });
 * block.apply(tf.ones([2, 5, 5, 8])).shape; // [2, 5, 5, 8]
 */
export class ConvolutionalBlockAttention extends NormalizingLayer<typeof fields> {
  static readonly className = "ConvolutionalBlockAttention";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { kernelSize: k, normalize, useBias: biased } = this.config;
    return {
      ...bottleneckWeights(C!, reducedWidth(C!, this.config), this.config),
      ...kernelAndBias("spatial", [k, k, 2, 1], biased && !normalize),
      ...this.normWeights("spatial/norm", 1),
    };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    const [B, H, W, C] = x as [number, number, number, number];
    return [
      [B, 1, 1, C],
      [B, H, W, 1],
    ];
  }

  protected override attend([x]: tf.Tensor[], call: LayerCall): Attended {
    return cbam(x as tf.Tensor4D, {
      channel: bottleneckParameters((name) => this.weightIf(name)),
      spatial: {
        w: this.weight("spatial/kernel"),
        b: this.weightIf("spatial/bias"),
        norm: this.norm("spatial/norm", call),
      },
    });
  }
}
