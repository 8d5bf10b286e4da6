import type * as tf from "@tensorflow/tfjs-core";
import { mul, sigmoid } from "@tensorflow/tfjs-core";
import { gatePenalty, learnableGate } from "../../attention/feature/index.ts";
import {
  byDefault,
  choice,
  type LayerOptions,
  MechanismLayer,
  nonNegative,
  type Shape,
  type Sizes,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = {
  /** What the loss gets for each unit of the mean penalty; from 0. @default 0 */
  penalty: byDefault(nonNegative(), 0),
  /** `"l1"` closes gates, `"entropy"` makes them decide. @default "l1" */
  penaltyKind: byDefault(choice("l1", "entropy"), "l1"),
  ...weightFields("gate", "zeros"),
};

export type LearnableGateLayerOptions = LayerOptions<typeof fields>;

/**
 * Learnable gate: one learned weight for each feature, with a penalty that closes those of no use.
 *
 *     output = x ⊙ σ(w)
 *
 * Symbols: w `gate`. Shapes: x [B, …, C] → as x; weight [C].
 * Conventions: begins half open, at w = 0. `penalty` times the mean of the gates, or of their entropy, joins the loss
 * of a model that holds the layer.
 * Cost: as `learnableGate`'s. Paper: Dauphin et al. 2017, §2, arxiv.org/abs/1612.08083, for gating in general.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const gate = new LearnableGate({ penalty: 0.1 });
 * gate.apply(tf.tensor2d([[2, 4]])); // [[1, 2]]
 */
export class LearnableGate extends MechanismLayer<typeof fields> {
  static readonly className = "LearnableGate";
  static readonly inputs = [{ name: "x", letters: "[B, …, C]" }];
  static readonly fields: typeof fields = fields;

  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    const { penalty, penaltyKind: kind } = this.config;
    if (penalty > 0) this.addLoss(() => mul(gatePenalty(sigmoid(this.weight("gate")), { kind }), penalty));
  }

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    return { gate: { shape: [C!], kind: "gate" } };
  }

  protected override compute([x]: tf.Tensor[]): tf.Tensor {
    return learnableGate(x!, { w: this.weight("gate") }).output;
  }
}
