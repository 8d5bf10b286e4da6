import type * as tf from "@tensorflow/tfjs-core";
import { adaptivelySparse } from "../../attention/adaptive/index.ts";
import {
  causalMask,
  dropout,
  HeadLayer,
  type Heads,
  headFields,
  KEYED,
  type LayerOptions,
  sharedHeads,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  ...dropout,
  /** The shapes: α = 1 + σ(shape), so zeros mean α = 1.5. */
  ...weightFields("shape", "zeros"),
};

export type AdaptivelySparseAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Multi-head attention whose heads learn how sparse their weights are.
 *
 *     head_h = Σ_s entmax_{α_h}(q_h·k_hs / √D) v_hs,    output = [head_1; …; head_H]·Wo,    α = 1 + σ(shape)
 *
 * Symbols: q, k and v the projections of query, key and value, as in `MultiHeadAttention`; α the sparsity of a head.
 * Shapes: [query [B, T, C], value [B, S, Cv]?, key [B, S, Ck]?] → [B, T, C]; the weight `shape` [H]. One input
 * attends to itself.
 * Conventions: as `adaptivelySparse`. Masks of values and keys hide keys; a query that sees nothing, or is not there,
 * gets 0 from every head. `useCausalMask` aligns the first corner.
 * Cost: that of `adaptivelySparse`. Paper: Correia, Niculae & Martins 2019, §3, arxiv.org/abs/1909.00015.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new AdaptivelySparseAttention({ numHeads: 2, keyDim: 3 });
 * layer.apply([queries, values]).shape; // [2, 3, 4]
 */
export class AdaptivelySparseAttention extends HeadLayer<typeof fields> {
  static readonly className = "AdaptivelySparseAttention";
  static readonly inputs = KEYED;
  static readonly fields: typeof fields = fields;

  protected override extras(): WeightTable<typeof fields> {
    return { shape: { shape: [this.config.numHeads], kind: "shape" } };
  }

  protected override attend(heads: Heads): tf.Tensor4D {
    const parameters = { a: this.weight<tf.Tensor1D>("shape") };
    return adaptivelySparse(heads.q, heads.k, heads.v, parameters, heads.options).output;
  }
}
