import type * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "../../ops/layer-norm.ts";
import {
  byDefault,
  flag,
  integers,
  type Kind,
  type LayerOptions,
  MechanismLayer,
  ours,
  positive,
  type Shape,
  type Sizes,
  type WeightTable,
  weightFields,
} from "../base/index.ts";
import { axesOf, overAxes } from "./axes.ts";

const never: Kind<boolean, boolean> = {
  rule: "false, since the root mean square alone is RMSNormalization",
  read: (given) => (given === false ? false : undefined),
  write: (value) => value,
};
const fields = {
  /** The axes that are normalised together; negative ones count from the end. @default -1 */
  axis: byDefault(integers(), -1),
  /** ε, added to the variance inside the root; above 0. @default 1e-3, as in Keras; PyTorch has 1e-5 */
  epsilon: byDefault(positive(), 1e-3),
  /** Adds β. @default true */
  center: byDefault(flag(), true),
  /** Multiplies by γ. @default true */
  scale: byDefault(flag(), true),
  /** What earlier versions of Keras 3 could do too. @default false */
  rmsScaling: ours(byDefault(never, false)),
  ...weightFields("beta", "zeros"),
  ...weightFields("gamma", "ones"),
};

export type LayerNormalizationLayerOptions = LayerOptions<typeof fields>;

/**
 * Layer normalisation, Keras' layer on the fused kernel.
 *
 *     out = γ ⊙ (x − mean) / √(variance + ε) + β,    mean and variance over `axis`
 *
 * Shapes: x [B, …, C] → as x. Weights `gamma` and `beta`, of the sizes of `axis` in their order.
 * Conventions: options and weights are those of Keras and of `tf.layers.layerNormalization`, whose saved models load
 * this one once heed/layers is imported, and the other way round. The last axis, which is what everyone uses, is one
 * kernel on the `heed` backend; other axes are transposed to the end for it.
 * Cost: one pass over x forward, one backward. Paper: Ba, Kiros & Hinton 2016, §3, arxiv.org/abs/1607.06450.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const norm = new LayerNormalization({ epsilon: 1e-6 });
 * norm.apply(tf.tensor2d([[1, 2, 3]])); // [[-1.2247, 0, 1.2247]]
 */
export class LayerNormalization extends MechanismLayer<typeof fields> {
  static readonly className = "LayerNormalization";
  static readonly inputs = [{ name: "x", letters: "[B, …]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters(_: Sizes, [x]: readonly Shape[]): WeightTable<typeof fields> {
    const { center, scale } = this.config;
    const shape = axesOf(this.op, this.config.axis, x!.length).map((axis) => x![axis] as number);
    return {
      gamma: scale && { shape, kind: "gamma" },
      beta: center && { shape, kind: "beta" },
    };
  }

  protected override compute([x]: tf.Tensor[]): tf.Tensor {
    const { axis, epsilon } = this.config;
    const weights = [this.weightIf("gamma"), this.weightIf("beta")];
    return overAxes(x!, axesOf(this.op, axis, x!.rank), weights, (rows, gamma, beta) =>
      layerNorm(rows, gamma, beta, { epsilon }),
    );
  }
}
