import type * as tf from "@tensorflow/tfjs-core";
import { reducedWidth, squeezeExcitation } from "../../attention/feature/index.ts";
import type { LayerOptions, Shape, Sizes, WeightTable } from "../base/index.ts";
import { type Attended, AttendingLayer, IMAGE, returnAttention } from "./attending.ts";
import { bottleneckParameters, bottleneckWeights } from "./bottleneck.ts";
import { bottleneckFields, layerFields, useBias } from "./fields.ts";

const fields = { ...bottleneckFields(16), useBias, ...layerFields, ...returnAttention };

export type SqueezeExcitationLayerOptions = LayerOptions<typeof fields>;

/**
 * Squeeze and excitation: the mean image says which channels matter.
 *
 *     output_hwc = x_hwc · σ(W₂ relu(W₁ mean_hw x + b₁) + b₂)_c
 *
 * Symbols: W₁, b₁ `reduce/kernel`, `reduce/bias`, W₂, b₂ `expand/kernel`, `expand/bias`; R = `reducedWidth(C)` of
 * `ratio` and `divisor`. Shapes: x [B, H, W, C] → as x; weights [C, R], [R], [R, C], [C].
 * Conventions: fewer channels than the ratio leave R = 1. Cost: as `squeezeExcitation`'s.
 * Paper: Hu, Shen & Sun 2018, §3, arxiv.org/abs/1709.01507.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new SqueezeExcitation({ ratio: 4 });
 * block.apply(tf.ones([2, 5, 5, 8])).shape; // [2, 5, 5, 8]
 * block.countParams(); // 42
 */
export class SqueezeExcitation extends AttendingLayer<typeof fields> {
  static readonly className = "SqueezeExcitation";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    return bottleneckWeights(C!, reducedWidth(C!, this.config), this.config);
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [[x![0]!, 1, 1, x![3]!]];
  }

  protected override attend([x]: tf.Tensor[]): Attended {
    return squeezeExcitation(
      x as tf.Tensor4D,
      bottleneckParameters((name) => this.weightIf(name)),
    );
  }
}
