import type * as tf from "@tensorflow/tfjs-core";
import { linearAttention } from "../../attention/linear/linear-attention.ts";
import {
  CROSS,
  causalMask,
  HeadLayer,
  type Heads,
  headFields,
  type LayerOptions,
  sharedHeads,
} from "../base/index.ts";
import { chunks } from "./chunks.ts";

const fields = { ...headFields, ...sharedHeads, ...causalMask, ...chunks };

export type LinearAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Linear attention with projections: heads whose time grows with the number of positions alone.
 *
 *     head_h = linearAttention(query·Wq_h, value·Wk_h, value·Wv_h),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: Wq `query/kernel`, Wk `key/kernel`, Wv `value/kernel`, Wo `attention_output/kernel`, each with a bias unless
 * `useBias` is false; features are elu + 1.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; kernels [C, H, D], [Cv, H, D], [Cv, H, Dv], [H, Dv, C].
 * Conventions: one input attends to itself. Masks hide keys; queries that are not there get 0 from every head.
 * `useCausalMask` takes as many values as queries. No dropout: the weights are never made.
 * Cost: that of `linearAttention`. Paper: Katharopoulos et al. 2020, §3, arxiv.org/abs/2006.16236.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new LinearAttention({ numHeads: 2, keyDim: 3, useCausalMask: true });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class LinearAttention extends HeadLayer<typeof fields> {
  static readonly className = "LinearAttention";
  static readonly inputs = CROSS;
  static readonly fields: typeof fields = fields;

  protected override attend({ q, k, v, keyAllow }: Heads): tf.Tensor4D {
    const { useCausalMask: causal, chunkSize } = this.config;
    return linearAttention(q, k, v, { causal, chunkSize, keyAllow }).output;
  }
}
