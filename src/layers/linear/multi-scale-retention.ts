import type * as tf from "@tensorflow/tfjs-core";
import { retention } from "../../attention/linear/retention.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { gatedSilu } from "../../ops/silu.ts";
import {
  byDefault,
  flag,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  type LayerOptions,
  optional,
  type Projections,
  SELF,
  sharedHeads,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  /** Positions of one chunk. @default 64 */
  chunkSize: optional(integer(1)),
  /** Turns queries and keys by their positions; keyDim must be even. @default true */
  xpos: byDefault(flag(), true),
};

export type MultiScaleRetentionLayerOptions = LayerOptions<typeof fields>;

/**
 * RetNet's multi-scale retention: heads that forget at different rates, each normalised, and gated together.
 *
 *     head_h = norm(retention(x·Wq_h, x·Wk_h, x·Wv_h; γ_h)),    output = (swish(x·Wg) ⊙ [head_1; …; head_H])·Wo
 *
 * Symbols: γ_h = 1 − 2^{−5−h} of the h-th head of keys; norm a group norm, of each head alone and without weights;
 * swish(y) = y·σ(y); Wg `gate/kernel`; the others as `LinearAttention`'s.
 * Shapes: x [B, T, C] → [B, T, C]; gate [C, H, Dv].
 * Conventions: causal always. The mask may hide the last positions of an example, which get 0 from every head. No
 * dropout: there are no weights, a state is read.
 * Cost: that of `retention`. Paper: Sun et al. 2023, §2.2, arxiv.org/abs/2307.08621.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE, MASK, CONFLICT · ShapeError SHAPE
 * @example
 * const layer = new MultiScaleRetention({ numHeads: 2, keyDim: 4 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class MultiScaleRetention extends HeadLayer<typeof fields> {
  static readonly className = "MultiScaleRetention";
  static readonly inputs = SELF;
  static readonly fields: typeof fields = fields;

  protected override projections(): Projections {
    return { ...super.projections(), gate: "gate" };
  }

  protected override attend(heads: Heads): tf.Tensor4D {
    const { q, k, v, lengths } = heads;
    const { chunkSize, xpos } = this.config;
    const options = { chunkSize, xpos, keyLengths: lengths, queryLengths: lengths };
    return gatedSilu(heads.project("gate"), layerNorm(retention(q, k, v, options).output));
  }
}
