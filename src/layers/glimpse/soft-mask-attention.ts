import type * as tf from "@tensorflow/tfjs-core";
import { squeeze } from "@tensorflow/tfjs-core";
import { softMask } from "../../attention/glimpse/soft-mask.ts";
import { linear } from "../../ops/linear.ts";
import {
  byDefault,
  choice,
  flag,
  integer,
  type LayerOptions,
  MechanismLayer,
  optional,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = {
  /** Rows of the output, which divide the features'. @default those of the features: nothing is summed */
  height: optional(integer(1)),
  /** Columns of the output. @default those of the features */
  width: optional(integer(1)),
  /** "softmax" over all locations, or a "sigmoid" at each. @default "softmax" */
  normalize: byDefault(choice("softmax", "sigmoid"), "softmax"),
  /** Returns the mask as a second output. @default false */
  returnMap: byDefault(flag(), false),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};

export type SoftMaskAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Soft attention over the locations of a feature map, each of which scores itself.
 *
 *     a = softmax_{n,m}(w·x[n, m])  or  a = σ(w·x[n, m] + b),    output = a ⊙ x, summed in height × width cells
 *
 * Symbols: w `kernel`, b `bias`, a 1 × 1 convolution; there is no bias with softmax, which would not see it. Shapes:
 * x [B, H, W, C] → [B, height, width, C], and the mask a [B, H, W] with `returnMap`; weights [C, 1] and [1].
 * Conventions: height = width = 1 gives the context vector Σ a·x. Cost: as `softMask`'s.
 * Paper: Xu et al. 2015, §4.2, arxiv.org/abs/1502.03044.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const attention = new SoftMaskAttention({ height: 1, width: 1 });
 * attention.apply(tf.ones([2, 6, 4, 3])).shape; // [2, 1, 1, 3]
 */
export class SoftMaskAttention extends MechanismLayer<typeof fields> {
  static readonly className = "SoftMaskAttention";
  static readonly inputs = [{ name: "x", letters: "[B, H, W, C]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    return {
      kernel: { shape: [C!, 1], kind: "kernel" },
      bias: this.config.normalize === "sigmoid" && { shape: [1], kind: "bias" },
    };
  }

  protected override shapeOf([x]: readonly Shape[]): Shape | Shape[] {
    const [B, H, W, C] = x as [number, number, number, number];
    const { height = H, width = W, returnMap } = this.config;
    const output = [B, height, width, C];
    return returnMap ? [output, [B, H, W]] : output;
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute([x]: tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    const [, H, W] = x!.shape as [number, number, number];
    const { height = H, width = W, normalize, returnMap } = this.config;
    const scores = linear(x as tf.Tensor4D, this.weight("kernel"), this.weightIf("bias"));
    const logits = squeeze<tf.Tensor3D>(scores, [3]);
    const { output, map } = softMask(x as tf.Tensor4D, { logits }, [height, width], { normalize });
    return returnMap ? [output, map] : output;
  }
}
