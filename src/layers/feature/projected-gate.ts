import type * as tf from "@tensorflow/tfjs-core";
import { projectedGate } from "../../attention/feature/index.ts";
import type { LayerOptions, Shape, Sizes, WeightTable } from "../base/index.ts";
import { type Attended, AttendingLayer, FEATURES, returnAttention } from "./attending.ts";
import { layerFields, useBias } from "./fields.ts";

const fields = { useBias, ...layerFields, ...returnAttention };

export type ProjectedGateLayerOptions = LayerOptions<typeof fields>;

/**
 * Projected gate: each feature is weighted by what a linear layer makes of all features of its position.
 *
 *     output = x ⊙ σ(x W + b)
 *
 * Symbols: W `kernel`, b `bias`. Shapes: x [B, …, C] → as x; weights [C, C], [C].
 * Conventions: as `projectedGate`. Cost: as `projectedGate`'s. Paper: Dauphin et al. 2017, §2,
 * arxiv.org/abs/1612.08083.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const gate = new ProjectedGate({ kernelInitializer: "zeros" });
 * gate.apply(tf.tensor2d([[2, 4]])); // [[1, 2]]
 */
export class ProjectedGate extends AttendingLayer<typeof fields> {
  static readonly className = "ProjectedGate";
  static readonly inputs = FEATURES;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    return {
      kernel: { shape: [C!, C!], kind: "kernel" },
      bias: this.config.useBias && { shape: [C!], kind: "bias" },
    };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [x!];
  }

  protected override attend([x]: tf.Tensor[]): Attended {
    return projectedGate(x!, { w: this.weight("kernel"), b: this.weightIf("bias") });
  }
}
