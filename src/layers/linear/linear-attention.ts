import type * as tf from "@tensorflow/tfjs-core";
import { linearAttention } from "../../attention/linear/linear-attention.ts";
import { type LayerCall, type LayerOptions, MechanismLayer, type Sizes } from "../base/index.ts";
import {
  causalFields,
  crossInputs,
  type HeadWeights,
  headFields,
  headWeights,
  join,
  present,
  seen,
  split,
} from "./heads.ts";

const fields = { ...headFields, ...causalFields };

export type LinearAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Linear attention with projections: heads whose time grows with the number of positions alone.
 *
 *     head_h = linearAttention(query·Wq_h, value·Wk_h, value·Wv_h),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: Wq `query/kernel`, Wk `key/kernel`, Wv `value/kernel`, Wo `attention_output/kernel`, each with a bias unless
 * `useBias` is false; features are elu + 1.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; kernels [C, H, D], [Cv, H, D], [Cv, H, Dv], [H, Dv, C].
 * Conventions: one input attends to itself. Masks hide keys, and queries get 0 from every head.
 * Cost: that of `linearAttention`. Paper: Katharopoulos et al. 2020, §3, arxiv.org/abs/2006.16236.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE, RECURRENT_LENGTHS
 * @example
 * const layer = new LinearAttention({ numHeads: 2, keyDim: 3, useCausalMask: true });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class LinearAttention extends MechanismLayer<typeof fields> {
  static readonly className = "LinearAttention";
  static readonly inputs = crossInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, Cv }: Sizes): HeadWeights {
    return headWeights(this.config, C!, Cv);
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query, value, queryMask, valueMask } = present(this.op, inputs, call);
    const { useCausalMask: causal, chunkSize } = this.config;
    const { output } = linearAttention(
      split(query, "query", weight),
      split(value, "key", weight),
      split(value, "value", weight),
      { causal, chunkSize, keyAllow: valueMask },
    );
    return join(seen(output, queryMask), weight);
  }
}
