import type * as tf from "@tensorflow/tfjs-core";
import { talkingHeadsAttention } from "../../attention/sequence/talking-heads.ts";
import {
  CROSS,
  causalMask,
  dropout,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  type LayerOptions,
  optional,
  type WeightTable,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...causalMask,
  ...dropout,
  /** Heads of the softmax. @default numHeads */
  softmaxHeads: optional(integer(1)),
};

export type TalkingHeadsAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Talking-heads attention with projections of its own: heads exchange scores before the softmax and weights after it.
 *
 *     L_h = Σ_i (q_i·k_iᵀ/√D) Pl_ih,    U_j = Σ_h softmax(L_h) Pw_hj,    output = [U_1·v_1; …]·Wo + bo
 *
 * Symbols: q, k and v in the projections `query`, `key` and `value`, Wo `attention_output`; Pl `scores/kernel` [H,
 * Hs], Pw `weights/kernel` [Hs, H], Hs `softmaxHeads`.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; one input attends to itself.
 * Conventions: masks hide keys; queries that are not there get 0 from every head. `useCausalMask` aligns the first
 * positions. Keys are not shared by heads (`numKeyValueHeads`), since the scores of each head go into all others.
 * Cost: that of `talkingHeadsAttention`, which keeps the scores of all heads: O(B·T·S·H) memory.
 * Paper: Shazeer et al. 2020, §3, arxiv.org/abs/2003.02436.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new TalkingHeadsAttention({ numHeads: 2, keyDim: 3, softmaxHeads: 4 });
 * layer.apply([queries, values]).shape; // [2, 3, 4]
 */
export class TalkingHeadsAttention extends HeadLayer<typeof fields> {
  static readonly className = "TalkingHeadsAttention";
  static readonly inputs = CROSS;
  static readonly fields: typeof fields = fields;

  protected override extras(): WeightTable<typeof fields> {
    const { numHeads: H, softmaxHeads: Hs = H } = this.config;
    return {
      "scores/kernel": { shape: [H, Hs], kind: "kernel" },
      "weights/kernel": { shape: [Hs, H], kind: "kernel" },
    };
  }

  protected override attend({ q, k, v, options }: Heads): tf.Tensor4D {
    const mixers = {
      pl: this.weight<tf.Tensor2D>("scores/kernel"),
      pw: this.weight<tf.Tensor2D>("weights/kernel"),
    };
    return talkingHeadsAttention(q, k, v, mixers, options).output;
  }
}
