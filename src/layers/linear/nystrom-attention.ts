import type * as tf from "@tensorflow/tfjs-core";
import { nystromAttention } from "../../attention/linear/nystromformer.ts";
import {
  byDefault,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  type LayerOptions,
  odd,
  optional,
  SELF,
  type WeightTable,
} from "../base/index.ts";

const fields = {
  ...headFields,
  /** Landmarks m, or as many as there are positions. @default 64 */
  landmarks: byDefault(integer(1), 64),
  /** Steps to the pseudo-inverse. @default 6 */
  iterations: byDefault(integer(1), 6),
  /** Length of each head's filter along the positions of the values, which skips the attention; odd. @default none */
  convSize: optional(odd()),
};

export type NystromAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Nyströmformer with projections: self-attention through a few landmarks.
 *
 *     head_h = nystromAttention(x·Wq_h, x·Wk_h, x·Wv_h),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: as `LinearAttention`'s; `conv` the filters of the skip, where `convSize` is given.
 * Shapes: x [B, T, C] → [B, T, C]; conv [convSize, H].
 * Conventions: the mask may hide the last positions of an example, which get 0 from every head and change nothing for
 * the others. No causal form, since landmarks have all positions in them, and no dropout, since the weights are never
 * made. Keys are not shared by heads (`numKeyValueHeads`): `nystromAttention` takes as many of keys as of queries.
 * Cost: that of `nystromAttention`. Paper: Xiong et al. 2021, §3, arxiv.org/abs/2102.03902.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE, MASK · ShapeError SHAPE
 * @example
 * const layer = new NystromAttention({ numHeads: 2, keyDim: 3, landmarks: 2, convSize: 3 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class NystromAttention extends HeadLayer<typeof fields> {
  static readonly className = "NystromAttention";
  static readonly inputs = SELF;
  static readonly fields: typeof fields = fields;

  protected override extras(): WeightTable<typeof fields> {
    const { numHeads: H, convSize } = this.config;
    return { conv: convSize !== undefined && { shape: [convSize, H], kind: "kernel" } };
  }

  protected override attend({ q, k, v, lengths }: Heads): tf.Tensor4D {
    const { landmarks, iterations } = this.config;
    return nystromAttention(
      q,
      k,
      v,
      { conv: this.weightIf("conv") },
      {
        landmarks: Math.min(landmarks, q.shape[2]),
        iterations,
        keyLengths: lengths,
        queryLengths: lengths,
      },
    ).output;
  }
}
