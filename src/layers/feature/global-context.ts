import type * as tf from "@tensorflow/tfjs-core";
import { globalContext, reducedWidth } from "../../attention/feature/index.ts";
import {
  byDefault,
  choice,
  type LayerOptions,
  positive,
  type Shape,
  type Sizes,
  type WeightTable,
  weightFields,
} from "../base/index.ts";
import { type Attended, AttendingLayer, IMAGE, returnAttention } from "./attending.ts";
import { bottleneckParameters, bottleneckWeights } from "./bottleneck.ts";
import { bottleneckFields, layerFields, useBias } from "./fields.ts";

const fields = {
  ...bottleneckFields(16),
  /** Add the context to every pixel, or multiply the pixels by its sigmoid. @default "add" */
  fusion: byDefault(choice("add", "scale"), "add"),
  /** ε of the layer normalisation; above 0. @default 1e-5 */
  epsilon: byDefault(positive(), 1e-5),
  useBias,
  ...layerFields,
  ...returnAttention,
  ...weightFields("output", "zeros"),
};

export type GlobalContextLayerOptions = LayerOptions<typeof fields>;

/**
 * Global context block: one attention map for the whole image, and what it gathers is given to every pixel.
 *
 *     z = Σ_hw softmax_hw(w_kᵀ x_hw) x_hw,    output_hw = x_hw + W₂ relu(LN(W₁ z + b₁)) + b₂
 *
 * Symbols: w_k `context/kernel`, W₁, b₁ `reduce/kernel`, `reduce/bias`, W₂, b₂ `expand/kernel`, `expand/bias`, LN's
 * `norm/gamma` and `norm/beta`. Shapes: x [B, H, W, C] → as x.
 * Conventions: as `globalContext`; W₂ begins at 0 (`outputInitializer`), so that `add` begins as the identity.
 * Cost: as `globalContext`'s. Paper: Cao et al. 2019, §3.2, arxiv.org/abs/1904.11492.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new GlobalContext({ ratio: 4 });
 * const x = tf.randomNormal([2, 5, 5, 8], 0, 1, "float32", 1);
 * tf.max(tf.abs(tf.sub(block.apply(x), x))); // 0
 */
export class GlobalContext extends AttendingLayer<typeof fields> {
  static readonly className = "GlobalContext";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const R = reducedWidth(C!, this.config);
    return {
      "context/kernel": { shape: [C!], kind: "kernel", matrix: [C!, 1] },
      ...bottleneckWeights(C!, R, this.config),
      "expand/kernel": { shape: [R, C!], kind: "output" },
      "norm/gamma": { shape: [R], initializer: "ones" },
      "norm/beta": { shape: [R], initializer: "zeros" },
    };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [[...x!.slice(0, 3), 1]];
  }

  protected override attend([x]: tf.Tensor[]): Attended {
    const { fusion, epsilon } = this.config;
    const parameters = {
      wk: this.weight<tf.Tensor1D>("context/kernel"),
      ...bottleneckParameters((name) => this.weightIf(name)),
      gamma: this.weight<tf.Tensor1D>("norm/gamma"),
      beta: this.weight<tf.Tensor1D>("norm/beta"),
    };
    return globalContext(x as tf.Tensor4D, parameters, { fusion, epsilon });
  }
}
