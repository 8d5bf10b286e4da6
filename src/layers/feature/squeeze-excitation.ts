import type * as tf from "@tensorflow/tfjs-core";
import { reducedWidth, squeezeExcitation } from "../../attention/feature/index.ts";
import { type LayerOptions, MechanismLayer, type Sizes, type WeightTable } from "../base/index.ts";
import { bottleneckParameters, bottleneckWeights } from "./bottleneck.ts";
import { bottleneckFields, layerFields, useBias } from "./fields.ts";

const fields = { ...bottleneckFields(16), useBias, ...layerFields };

export type SqueezeExcitationOptions = LayerOptions<typeof fields>;

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
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const block = new SqueezeExcitation({ ratio: 4 });
 * block.apply(tf.ones([2, 5, 5, 8])).shape; // [2, 5, 5, 8]
 * block.countParams(); // 42
 */
export class SqueezeExcitation extends MechanismLayer<typeof fields> {
  static readonly className = "SqueezeExcitation";

  constructor(args: SqueezeExcitationOptions = {}) {
    super({ inputs: [{ name: "x", letters: "[B, H, W, C]" }], fields }, args);
  }

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    return bottleneckWeights(C!, reducedWidth(C!, this.config), this.config);
  }

  protected override compute([x]: tf.Tensor[]): tf.Tensor {
    return squeezeExcitation(
      x as tf.Tensor4D,
      bottleneckParameters((name) => this.weightIf(name)),
    ).output;
  }
}
