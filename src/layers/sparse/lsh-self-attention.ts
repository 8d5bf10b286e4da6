import type * as tf from "@tensorflow/tfjs-core";
import { lshAttention } from "../../attention/sparse/lsh.ts";
import {
  byDefault,
  causalMask,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  integers,
  type LayerOptions,
  optional,
  type Projections,
  SELF,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...causalMask,
  /** Buckets of a round, 1 or even, or even factors of them. @default about T/32 */
  buckets: optional(integers(1)),
  /** Rounds of hashing. @default 4 */
  rounds: byDefault(integer(1), 4),
  /** Positions of a chunk. @default 2·⌈T/buckets⌉ */
  chunkSize: optional(integer(1)),
  /** Chooses the directions of the hashes, the same in training and after it. @default 0 */
  hashSeed: byDefault(integer(0), 0),
};

export type LSHSelfAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Reformer's self-attention with projections: each position reads those of its buckets.
 *
 *     head_h = lshAttention(x·Wqk_h, x·Wv_h),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: Wqk `query_key/kernel`, which serves queries and keys; Wv and Wo as `LinearAttention`'s.
 * Shapes: x [B, T, C] → [B, T, C]; kernels [C, H, D], [C, H, Dv], [H, Dv, C].
 * Conventions: the mask may hide the last positions of an example, which get 0 from every head. With `useCausalMask`
 * position t sees those before it. Keys are not shared by heads (`numKeyValueHeads`), since queries are keys. No
 * dropout: `lshAttention` has none, its rounds are softmaxes of their own, joined.
 * Cost: that of `lshAttention`. Paper: Kitaev, Kaiser & Levskaya 2020, §2, arxiv.org/abs/2001.04451.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE, MASK · ShapeError SHAPE
 * @example
 * const layer = new LSHSelfAttention({ numHeads: 2, keyDim: 3, buckets: 2 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class LSHSelfAttention extends HeadLayer<typeof fields> {
  static readonly className = "LSHSelfAttention";
  static readonly inputs = SELF;
  static readonly fields: typeof fields = fields;

  protected override projections(): Projections {
    return { query_key: "query", value: "value" };
  }

  protected override attend(heads: Heads): tf.Tensor4D {
    const { buckets, rounds, chunkSize, useCausalMask: causal, hashSeed: seed } = this.config;
    const options = { buckets, rounds, chunkSize, causal, seed, lengths: heads.lengths };
    return lshAttention(heads.project("query_key"), heads.v, options).output;
  }
}
