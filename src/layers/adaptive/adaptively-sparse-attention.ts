import type * as tf from "@tensorflow/tfjs-core";
import { adaptivelySparse } from "../../attention/adaptive/index.ts";
import {
  byDefault,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  rate,
  type Sizes,
  type WeightTable,
  weightFields,
} from "../base/index.ts";
import { headFields, headInputs, headWeights, splitHeads } from "./heads.ts";

const fields = {
  ...headFields,
  /** Share of weights dropped in training. @default 0 */
  dropout: byDefault(rate(), 0),
  /** The shapes: α = 1 + σ(shape), so zeros mean α = 1.5. */
  ...weightFields("shape", "zeros"),
};

export type AdaptivelySparseAttentionOptions = LayerOptions<typeof fields>;

/**
 * Multi-head attention whose heads learn how sparse their weights are.
 *
 *     head_h = Σ_s entmax_{α_h}(q_h·k_hs / √D) v_hs,    output = [head_1; …; head_H]·Wo,    α = 1 + σ(shape)
 *
 * Symbols: q, k and v the projections of query, key and value, as in `MultiHeadAttention`; α the sparsity of a head.
 * Shapes: [query [B, T, C], value [B, S, Cv]?, key [B, S, Ck]?] → [B, T, C]; the weight `shape` [H]. One input
 * attends to itself.
 * Conventions: as `adaptivelySparse`. Masks of values and keys hide keys; a query that sees nothing, or is not there,
 * gives 0. `useCausalMask` aligns the first corner.
 * Cost: that of `adaptivelySparse`. Paper: Correia, Niculae & Martins 2019, §3, arxiv.org/abs/1909.00015.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const layer = new AdaptivelySparseAttention({ numHeads: 2, keyDim: 3 });
 * layer.apply([queries, values]).shape; // [2, 3, 4]
 */
export class AdaptivelySparseAttention extends MechanismLayer<typeof fields> {
  static readonly className = "AdaptivelySparseAttention";
  static readonly inputs = headInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters(sizes: Sizes): WeightTable<typeof fields> {
    return { ...headWeights(this.config, sizes), shape: { shape: [this.config.numHeads], kind: "shape" } };
  }

  protected override compute(inputs: tf.Tensor[], { masks, training, seed }: LayerCall): tf.Tensor {
    const { dropout, useCausalMask } = this.config;
    const { q, k, v, allow, join } = splitHeads(this.op, (name) => this.weightIf(name), inputs, masks);
    const { output } = adaptivelySparse(
      q,
      k,
      v,
      { a: this.weight("shape") },
      {
        ...{ training, dropout: { rate: dropout, seed } },
        ...(allow && { allow }),
        ...(useCausalMask && { causal: "topLeft" }),
      },
    );
    return join(output);
  }
}
