import type * as tf from "@tensorflow/tfjs-core";
import { elementMlpGate } from "../../attention/feature/index.ts";
import {
  byDefault,
  integer,
  type LayerOptions,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { type Attended, AttendingLayer, returnAttention } from "./attending.ts";
import { layerFields } from "./fields.ts";

const fields = {
  /** Hidden units of the network. @default 8 */
  units: byDefault(integer(1), 8),
  ...layerFields,
  ...returnAttention,
};

export type ElementMlpGateLayerOptions = LayerOptions<typeof fields>;

/**
 * Element-wise network gate: one small network looks at every element alone and says how much of it passes.
 *
 *     output_i = x_i · σ(w₂ᵀ tanh(w₁x_i + b₁) + b₂)
 *
 * Symbols: w₁, b₁ `hidden/kernel`, `hidden/bias`, w₂, b₂ `gate/kernel`, `gate/bias`.
 * Shapes: x [B, …] → as x; weights [M], [M], [M], [1] for M units.
 * Conventions: as `elementMlpGate`. Cost: as `elementMlpGate`'s. Paper: Dauphin et al. 2017, §2,
 * arxiv.org/abs/1612.08083, for gating in general.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const gate = new ElementMlpGate({ units: 4 });
 * gate.apply(tf.ones([2, 3])).shape; // [2, 3]
 */
export class ElementMlpGate extends AttendingLayer<typeof fields> {
  static readonly className = "ElementMlpGate";
  static readonly inputs = [{ name: "x", letters: "[B, …]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters(_: Sizes): WeightTable<typeof fields> {
    const M = this.config.units;
    return {
      "hidden/kernel": { shape: [M], kind: "kernel", matrix: [1, M] },
      "hidden/bias": { shape: [M], kind: "bias" },
      "gate/kernel": { shape: [M], kind: "kernel", matrix: [M, 1] },
      "gate/bias": { shape: [1], kind: "bias" },
    };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [x!];
  }

  protected override attend([x]: tf.Tensor[]): Attended {
    const parameters = {
      w1: this.weight<tf.Tensor1D>("hidden/kernel"),
      b1: this.weight<tf.Tensor1D>("hidden/bias"),
      w2: this.weight<tf.Tensor1D>("gate/kernel"),
      b2: this.weight<tf.Tensor1D>("gate/bias"),
    };
    return elementMlpGate(x!, parameters);
  }
}
