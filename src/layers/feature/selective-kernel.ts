import type * as tf from "@tensorflow/tfjs-core";
import { reducedWidth, selectiveKernel } from "../../attention/feature/index.ts";
import {
  byDefault,
  integer,
  integers,
  type LayerCall,
  type LayerOptions,
  optional,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, IMAGE, returnAttention } from "./attending.ts";
import { NormalizingLayer, normFields } from "./batch-norm.ts";
import { bottleneckFields, layerFields, useBias } from "./fields.ts";

const fields = {
  /** Channels of the output. @default those of the input */
  filters: optional(integer(1)),
  /** Dilations of the 3×3 convolutions to choose between: 1 sees 3×3 pixels, 2 sees 5×5. @default [1, 2] */
  dilations: byDefault(integers(1), [1, 2]),
  ...bottleneckFields(16),
  /** The least width of the summary by which the branches are chosen. @default 32 */
  minWidth: byDefault(integer(1), 32),
  useBias,
  ...normFields,
  ...layerFields,
  ...returnAttention,
};

export type SelectiveKernelLayerOptions = LayerOptions<typeof fields>;

/**
 * Selective kernel unit: each channel chooses between receptive fields by what the image holds.
 *
 *     u_m = relu(norm(f_m(x))),    a = softmax_m(W₂ relu(norm(W₁ mean_hw Σ_m u_m))),    output = Σ_m a_m u_m
 *
 * Symbols: f_m `branch_0` … with `kernel` (and without `normalize` `bias`) and `norm`, W₁ `reduce/kernel` with
 * `reduce/norm`, W₂ `select/kernel`. Shapes: x [B, H, W, C] → [B, H, W, filters].
 * Conventions: as `selectiveKernel`; all branches are 3×3, larger fields by dilation, as the paper suggests.
 * Normalised by batch in training, by moving averages otherwise. Cost: as `selectiveKernel`'s.
 * Paper: Li et al. 2019, §3.1, arxiv.org/abs/1903.06586.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const unit = new SelectiveKernel({ filters: 6 });
 * unit.apply(tf.ones([2, 5, 5, 3])).shape; // [2, 5, 5, 6]
 */
export class SelectiveKernel extends NormalizingLayer<typeof fields> {
  static readonly className = "SelectiveKernel";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { filters: O = C!, dilations, minWidth, useBias: biased, normalize } = this.config;
    const R = Math.max(minWidth, reducedWidth(O, this.config));
    const table: Record<string, WeightTable<typeof fields>[string]> = {};
    for (const m of dilations.keys()) {
      Object.assign(table, kernelAndBias(`branch_${m}`, [3, 3, C!, O], biased && !normalize));
      Object.assign(table, this.normWeights(`branch_${m}/norm`, O));
    }
    return {
      ...table,
      ...kernelAndBias("reduce", [O, R], biased && !normalize),
      ...this.normWeights("reduce/norm", R),
      "select/kernel": { shape: [R, dilations.length * O], kind: "kernel" },
    };
  }

  protected override outputShapeOf([x]: readonly Shape[]): Shape {
    return [...x!.slice(0, 3), this.config.filters ?? x![3]!];
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    const { dilations, filters } = this.config;
    return [[x![0]!, dilations.length, filters ?? x![3]!]];
  }

  protected override attend([x]: tf.Tensor[], call: LayerCall): Attended {
    const branches = this.config.dilations.map((dilation, m) => ({
      w: this.weight<tf.Tensor4D>(`branch_${m}/kernel`),
      b: this.weightIf<tf.Tensor1D>(`branch_${m}/bias`),
      norm: this.norm(`branch_${m}/norm`, call),
      dilation,
    }));
    return selectiveKernel(x as tf.Tensor4D, {
      branches,
      w1: this.weight("reduce/kernel"),
      b1: this.weightIf("reduce/bias"),
      norm: this.norm("reduce/norm", call),
      w2: this.weight("select/kernel"),
    });
  }
}
