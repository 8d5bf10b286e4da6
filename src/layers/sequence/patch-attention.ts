import type * as tf from "@tensorflow/tfjs-core";
import { type PatchAttentionParameters, patchAttention } from "../../attention/sequence/patch-attention.ts";
import { projectionFields } from "../base/heads.ts";
import {
  boolMask,
  dropout,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  required,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { PROJECTION_WEIGHTS, readWeights } from "./attention-weights.ts";

const fields = {
  /** D, the width in which query and patches are compared. */
  units: required(integer(1)),
  /** Dv, the width of the output. @default units */
  valueDim: optional(integer(1)),
  ...projectionFields,
  ...dropout,
};
const inputs = [
  { name: "query", letters: "[B, C]" },
  { name: "patches", letters: "[B, S, Ck]" },
];

export type PatchAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Patch attention with projections of its own: one squashed query looks over the patches of an image.
 *
 *     output = Σ_s softmax_s(tanh(query·Wq + bq)·(patch_s·Wk + bk)/√D) (patch_s·Wv + bv)
 *
 * Symbols: Wq, bq `query`, Wk, bk `key`, Wv, bv `value`. Shapes: [query [B, C], patches [B, S, Ck]] → [B, Dv].
 * Conventions: the mask of patches hides them; an example that sees none gives 0. Give feature maps [B, H, W, C] as
 * [B, H·W, C].
 * Cost: that of `patchAttention`. Paper: Xu et al. 2015, §3.1.2, arxiv.org/abs/1502.03044, with dot-product scores.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new PatchAttention({ units: 128 });
 * layer.apply([tf.randomNormal([1, 32]), tf.randomNormal([1, 100, 128])]).shape; // [1, 128]
 */
export class PatchAttention extends MechanismLayer<typeof fields> {
  static readonly className = "PatchAttention";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, Ck }: Sizes): WeightTable<typeof fields> {
    const { units: D, valueDim: Dv = D, useBias } = this.config;
    return {
      ...kernelAndBias("query", [C!, D], useBias),
      ...kernelAndBias("key", [Ck!, D], useBias),
      ...kernelAndBias("value", [Ck!, Dv], useBias),
    };
  }

  protected override shapeOf([query]: readonly Shape[]): Shape {
    return [query![0]!, this.config.valueDim ?? this.config.units];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute(given: tf.Tensor[], { masks, training, seed }: LayerCall): tf.Tensor {
    const [query, patches] = given as [tf.Tensor2D, tf.Tensor3D];
    const allow = boolMask(this.op, "the mask of patches [B, S, Ck]", masks[1], patches.shape.slice(0, 2));
    const parameters = readWeights<PatchAttentionParameters>(
      (name) => this.weightIf(name),
      PROJECTION_WEIGHTS,
    );
    return patchAttention(query, patches, parameters, {
      ...(allow && { allow }),
      dropout: { rate: this.config.dropout, seed },
      training,
    }).output;
  }
}
