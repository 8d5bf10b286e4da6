import type * as tf from "@tensorflow/tfjs-core";
import { sentinelGate } from "../../attention/adaptive/index.ts";
import {
  type LayerOptions,
  MechanismLayer,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = { ...weightFields("kernel", "glorotUniform"), seed: seed() };
const inputs = [
  { name: "input", letters: "[B, …, E]" },
  { name: "state", letters: "[B, …, C]" },
  { name: "memory", letters: "[B, …, C]" },
];

export type SentinelGateLayerOptions = LayerOptions<typeof fields>;

/**
 * The gate that makes sentinels for `VisualSentinel`, with its own weights.
 *
 *     s_t = σ(W_x x_t + W_h h_{t−1}) ⊙ tanh(m_t)
 *
 * Symbols: x the decoder's input, h its previous state, m its memory; W_x `input/kernel`, W_h `state/kernel`.
 * Shapes: [input [B, …, E], state [B, …, C], memory [B, …, C]] → [B, …, C]; weights [E, C], [C, C].
 * Conventions: as `sentinelGate`. Cost: that of two products. Paper: Lu, Xiong, Parikh & Socher 2016, §2.3,
 * arxiv.org/abs/1612.01887.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE, DIMENSION
 * @example
 * const gate = new SentinelGate();
 * gate.apply([tf.ones([2, 3, 5]), tf.ones([2, 3, 4]), tf.ones([2, 3, 4])]).shape; // [2, 3, 4]
 */
export class SentinelGate extends MechanismLayer<typeof fields> {
  static readonly className = "SentinelGate";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ E, C }: Sizes): WeightTable<typeof fields> {
    return {
      "input/kernel": { shape: [E!, C!], kind: "kernel" },
      "state/kernel": { shape: [C!, C!], kind: "kernel" },
    };
  }

  protected override shapeOf([, state]: readonly Shape[]): Shape {
    return state!;
  }

  protected override compute([x, h, m]: tf.Tensor[]): tf.Tensor {
    return sentinelGate(x!, h!, m!, { wx: this.weight("input/kernel"), wh: this.weight("state/kernel") });
  }
}
