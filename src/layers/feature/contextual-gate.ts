import type * as tf from "@tensorflow/tfjs-core";
import { contextualGate } from "../../attention/feature/index.ts";
import {
  byDefault,
  flag,
  type LayerOptions,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { type Attended, AttendingLayer, returnAttention } from "./attending.ts";
import { layerFields, useBias } from "./fields.ts";

const fields = {
  /** Let the features decide too; else the context alone does. @default true */
  useFeatures: byDefault(flag(), true),
  useBias,
  ...layerFields,
  ...returnAttention,
};

export type ContextualGateLayerOptions = LayerOptions<typeof fields>;

/**
 * Contextual gate: a context says which features pass.
 *
 *     output = x ⊙ σ(x W_x + c W_c + b)
 *
 * Symbols: W_x `features/kernel`, W_c `context/kernel`, b `bias`.
 * Shapes: [x [B, …, C], context [B, K] or [B, …, K]] → as x; weights [C, C], [K, C], [C].
 * Conventions: as `contextualGate`. Cost: as `contextualGate`'s. Paper: Perez et al. 2018, §2.1,
 * arxiv.org/abs/1709.07871.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError RANK, SHAPE
 * @example
 * const gate = new ContextualGate({ seed: 1 });
 * gate.apply([tf.ones([2, 5, 4]), tf.ones([2, 3])]).shape; // [2, 5, 4]
 */
export class ContextualGate extends AttendingLayer<typeof fields> {
  static readonly className = "ContextualGate";
  static readonly inputs = [
    { name: "x", letters: "[B, …, C]" },
    { name: "context", letters: "[B, …, K]" },
  ];
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, K }: Sizes): WeightTable<typeof fields> {
    const { useFeatures, useBias: biased } = this.config;
    return {
      "features/kernel": useFeatures && { shape: [C!, C!], kind: "kernel" },
      "context/kernel": { shape: [K!, C!], kind: "kernel" },
      bias: biased && { shape: [C!], kind: "bias" },
    };
  }

  protected override attentionShapes([x, context]: readonly Shape[]): Shape[] {
    // Without the features, an example's context alone makes one gate for all its positions.
    const shared = !this.config.useFeatures && context!.length < x!.length;
    return [shared ? x!.map((n, axis) => (axis === 0 || axis === x!.length - 1 ? n : 1)) : x!];
  }

  protected override attend([x, context]: tf.Tensor[]): Attended {
    const parameters = {
      wx: this.weightIf<tf.Tensor2D>("features/kernel"),
      wc: this.weight<tf.Tensor2D>("context/kernel"),
      b: this.weightIf<tf.Tensor1D>("bias"),
    };
    return contextualGate(x!, context!, parameters);
  }
}
