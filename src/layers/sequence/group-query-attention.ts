import { checkSharing } from "../base/heads.ts";
import { integer, type LayerOptions, required } from "../base/index.ts";
import { type Heads, ProjectedLayer, projectedFields } from "./projected.ts";

const fields = {
  /** D, the width of one head. */
  headDim: required(integer(1)),
  /** H */
  numQueryHeads: required(integer(1)),
  /** Hkv, which divides H. */
  numKeyValueHeads: required(integer(1)),
  ...projectedFields,
};

export type GroupQueryAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Keras' `GroupQueryAttention`: multi-head attention whose H query heads share Hkv heads of keys and values.
 *
 *     head_h = attention(query·Wq_h, key·Wk_g, value·Wv_g),  g = ⌊h·Hkv/H⌋,    output = [head_1; …; head_H]·Wo
 *
 * Symbols: as `MultiHeadAttention`; neighbouring heads share, as in Keras and PyTorch, and nothing is copied for it.
 * Shapes: [query [B, T, C], value [B, S, Cv]?, key [B, S, Ck]?, attentionMask [B, T, S]?] → [B, T, C], weights
 * [B, H, T, S].
 * Conventions: as `MultiHeadAttention`; Hkv = 1 is multi-query attention.
 * Cost: that of `multiHeadAttention`, with projections of keys and values H/Hkv times smaller.
 * Paper: Ainslie et al. 2023, §2.2, arxiv.org/abs/2305.13245.
 *
 * @throws OptionError UNKNOWN, OPTION, UNSUPPORTED, SHAPE · ShapeError HEADS, SHAPE
 * @example
 * const layer = new GroupQueryAttention({ headDim: 3, numQueryHeads: 4, numKeyValueHeads: 2 });
 * layer.apply([queries, values]).shape; // [2, 3, 4]
 */
export class GroupQueryAttention extends ProjectedLayer<typeof fields> {
  static readonly className = "GroupQueryAttention";
  static readonly fields: typeof fields = fields;

  protected override check(): void {
    checkSharing(this.op, this.config.numQueryHeads, this.config.numKeyValueHeads);
  }

  protected override get heads(): Heads {
    const { headDim: D, numQueryHeads: H, numKeyValueHeads: Hkv } = this.config;
    return { H, Hkv, D, Dv: D };
  }
}
