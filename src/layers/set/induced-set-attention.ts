import type * as tf from "@tensorflow/tfjs-core";
import { inducedSetAttention, type MultiHeadAttentionBlockParameters } from "../../attention/set/index.ts";
import {
  boolMask,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  required,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { blockWeights, plainBlockFields, readParameters } from "../transformer/parameters.ts";

const fields = {
  /** M, through which the elements read each other. */
  inducingPoints: required(integer(1)),
  ...plainBlockFields,
};
const parts = ["crossAttention", "crossNorm", "feedForward", "feedForwardNorm"] as const;

export type InducedSetAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Induced set attention (ISAB): the elements of a set read each other through a few learned inducing points.
 *
 *     h = MAB(I, x),    output = MAB(x, h)
 *
 * Symbols: I the weight `inducing_points`; the blocks' weights are those of `gather` and `scatter`.
 * Shapes: x [B, S, C] → as x. Conventions: permuting the set permutes the output. The mask of x hides elements, whose own
 * output is 0, and goes on. Cost: that of `inducedSetAttention`.
 * Paper: Lee et al. 2018 (Set Transformer), §3.1, arxiv.org/abs/1810.00825.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new InducedSetAttention({ inducingPoints: 3, numHeads: 2, intermediateDim: 8 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class InducedSetAttention extends MechanismLayer<typeof fields> {
  static readonly className = "InducedSetAttention";
  static readonly inputs = [{ name: "x", letters: "[B, S, C]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const block = Object.entries(blockWeights(this.op, parts, this.config, { C: C!, Cm: C! }));
    const named = (prefix: string) =>
      Object.fromEntries(block.map(([name, spec]) => [`${prefix}/${name}`, spec]));
    return {
      inducing_points: { shape: [this.config.inducingPoints, C!], kind: "kernel" },
      ...named("gather"),
      ...named("scatter"),
    } as WeightTable<typeof fields>;
  }

  protected override compute([given]: tf.Tensor[], { masks }: LayerCall): tf.Tensor {
    const x = given as tf.Tensor3D;
    const allow = boolMask(this.op, "the mask of x [B, S, C]", masks[0], x.shape.slice(0, 2));
    const { activation, layerNormEpsilon: epsilon, normalizeFirst: preNorm } = this.config;
    const parameters = {
      inducingPoints: this.weight<tf.Tensor2D>("inducing_points"),
      gather: this.#block("gather"),
      scatter: this.#block("scatter"),
    };
    return inducedSetAttention(x, parameters, { activation, epsilon, preNorm, ...(allow && { allow }) })
      .output;
  }

  #block(prefix: string): MultiHeadAttentionBlockParameters {
    const weight = (name: string) => this.weightIf(`${prefix}/${name}`);
    const { crossAttention: attention, crossNorm: attentionNorm, ...feed } = readParameters(parts, weight);
    return { attention, attentionNorm, ...feed };
  }
}
