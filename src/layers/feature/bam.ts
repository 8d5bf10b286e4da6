import type * as tf from "@tensorflow/tfjs-core";
import { bam, reducedWidth } from "../../attention/feature/index.ts";
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
import { bottleneckParameters, bottleneckWeights } from "./bottleneck.ts";
import { bottleneckFields, layerFields, useBias } from "./fields.ts";

const fields = {
  ...bottleneckFields(16),
  /** The dilation of the convolutions that see the surroundings. @default 4 */
  dilation: byDefault(integer(1), 4),
  /** The number of these convolutions. @default 2 */
  convolutions: byDefault(integer(0), 2),
  useBias,
  ...normFields,
  ...layerFields,
  ...returnAttention,
};

export type BottleneckAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * BAM, the bottleneck attention module: what matters and where, side by side, as one map of pixels and channels.
 *
 *     output = x + x ⊙ σ(norm(MLP(mean_hw x)) + norm(f₃(f₂(f₁(f₀(x))))))
 *
 * Symbols: the MLP's `channel/reduce`, `channel/expand`; f₀ `spatial/reduce`, f₁ … `spatial/context_0` …, f₃
 * `spatial/project`, each with `kernel` and `bias`; the norms `channel/norm` and `spatial/norm`.
 * Shapes: x [B, H, W, C] → as x. Conventions: as `bam`; normalised by batch in training, by moving averages otherwise.
 * Cost: as `bam`'s. Paper: Park et al. 2018, §3, arxiv.org/abs/1807.06514.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new BottleneckAttention({ ratio: 4, dilation: 2 });
 * block.apply(tf.ones([2, 5, 5, 8])).shape; // [2, 5, 5, 8]
 */
export class BottleneckAttention extends NormalizingLayer<typeof fields> {
  static readonly className = "BottleneckAttention";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { useBias: biased, normalize } = this.config;
    const R = reducedWidth(C!, this.config);
    const last = biased && !normalize;
    const table: Record<string, WeightTable<typeof fields>[string]> = {
      ...bottleneckWeights(C!, R, { useBias: biased, prefix: "channel/", last }),
      ...this.normWeights("channel/norm", C!),
      ...kernelAndBias("spatial/reduce", [1, 1, C!, R], biased),
    };
    for (const name of this.#context) {
      Object.assign(table, kernelAndBias(name, [3, 3, R, R], biased));
    }
    Object.assign(table, kernelAndBias("spatial/project", [1, 1, R, 1], last));
    return { ...table, ...this.normWeights("spatial/norm", 1) };
  }

  get #context(): string[] {
    return Array.from({ length: this.config.convolutions }, (_, n) => `spatial/context_${n}`);
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [x!];
  }

  protected override attend([x]: tf.Tensor[], call: LayerCall): Attended {
    const convolution = (name: string) => ({
      w: this.weight<tf.Tensor4D>(`${name}/kernel`),
      b: this.weightIf<tf.Tensor1D>(`${name}/bias`),
    });
    const channel = {
      ...bottleneckParameters((name) => this.weightIf(name), "channel/"),
      norm: this.norm("channel/norm", call),
    };
    const spatial = {
      reduce: convolution("spatial/reduce"),
      context: this.#context.map(convolution),
      project: { ...convolution("spatial/project"), norm: this.norm("spatial/norm", call) },
    };
    return bam(x as tf.Tensor4D, { channel, spatial }, { dilation: this.config.dilation });
  }
}
