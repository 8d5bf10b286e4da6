import type * as tf from "@tensorflow/tfjs-core";
import { adaptiveKernelSize, efficientChannelAttention } from "../../attention/feature/index.ts";
import {
  type LayerOptions,
  odd,
  optional,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";
import { type Attended, AttendingLayer, IMAGE, returnAttention } from "./attending.ts";

const fields = {
  /** Channels that each gate looks at; odd. @default adaptiveKernelSize of the channels */
  kernelSize: optional(odd()),
  ...weightFields("kernel", "glorotUniform"),
  seed: seed(),
  ...returnAttention,
};

export type EfficientChannelAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Efficient channel attention: each channel's gate looks at the means of its neighbours, with one small filter.
 *
 *     output_hwc = x_hwc · σ(Σ_i w_i z_{c + i − (k−1)/2}),    z_c = mean_hw x_hwc
 *
 * Symbols: w `kernel`. Shapes: x [B, H, W, C] → as x; weight [k].
 * Conventions: as `efficientChannelAttention`. Cost: as `efficientChannelAttention`'s.
 * Paper: Wang et al. 2020, §3, arxiv.org/abs/1910.03151.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new EfficientChannelAttention();
 * block.apply(tf.ones([2, 5, 5, 64])).shape; // [2, 5, 5, 64]
 * block.countParams(); // 3
 */
export class EfficientChannelAttention extends AttendingLayer<typeof fields> {
  static readonly className = "EfficientChannelAttention";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const k = this.config.kernelSize ?? adaptiveKernelSize(C!);
    return { kernel: { shape: [k], kind: "kernel", matrix: [k, 1] } };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [[x![0]!, 1, 1, x![3]!]];
  }

  protected override attend([x]: tf.Tensor[]): Attended {
    return efficientChannelAttention(x as tf.Tensor4D, { w: this.weight("kernel") });
  }
}
