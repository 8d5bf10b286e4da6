import type * as tf from "@tensorflow/tfjs-core";
import { rmsNorm } from "../../ops/rms-norm.ts";
import {
  byDefault,
  integers,
  type LayerOptions,
  MechanismLayer,
  positive,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { axesOf, overAxes } from "./axes.ts";

const fields = {
  /** The axes that are normalised together; negative ones count from the end. @default -1 */
  axis: byDefault(integers(), -1),
  /** ε, added to the mean square inside the root; above 0. @default 1e-6 */
  epsilon: byDefault(positive(), 1e-6),
};

export type RMSNormalizationLayerOptions = LayerOptions<typeof fields>;

/**
 * Root mean square normalisation, Keras' layer on the fused kernel.
 *
 *     out = scale ⊙ x / √(mean(x²) + ε),    the mean over `axis`
 *
 * Shapes: x [B, …, C] → as x. Weight `scale`, of the sizes of `axis` in their order, at first 1.
 * Conventions: options and weight are those of Keras 3. The last axis is one kernel on the `heed` backend; other axes
 * are transposed to the end for it.
 * Cost: one pass over x forward, one backward. Paper: Zhang & Sennrich 2019, §3, arxiv.org/abs/1910.07467.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const norm = new RMSNormalization();
 * norm.apply(tf.tensor2d([[1, 7]])); // [[0.2, 1.4]]
 */
export class RMSNormalization extends MechanismLayer<typeof fields> {
  static readonly className = "RMSNormalization";
  static readonly inputs = [{ name: "x", letters: "[B, …]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters(_: Sizes, [x]: readonly Shape[]): WeightTable<typeof fields> {
    const shape = axesOf(this.op, this.config.axis, x!.length).map((axis) => x![axis] as number);
    return { scale: { shape, initializer: "ones" } };
  }

  protected override compute([x]: tf.Tensor[]): tf.Tensor {
    const { axis, epsilon } = this.config;
    return overAxes(x!, axesOf(this.op, axis, x!.rank), [this.weight("scale")], (rows, scale) =>
      rmsNorm(rows, scale, { epsilon }),
    );
  }
}
