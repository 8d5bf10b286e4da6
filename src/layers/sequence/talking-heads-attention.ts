import * as tf from "@tensorflow/tfjs-core";
import { talkingHeadsAttention } from "../../attention/sequence/talking-heads.ts";
import { headWeights, outputWeights, projected } from "../base/heads.ts";
import {
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { headFields, headInputs, headOptions, maskedHeads } from "./heads.ts";

const fields = {
  ...headFields,
  /** Heads of the softmax. @default numHeads */
  softmaxHeads: optional(integer(1)),
};

export type TalkingHeadsAttentionOptions = LayerOptions<typeof fields>;

/**
 * Talking-heads attention with projections of its own: heads exchange scores before the softmax and weights after it.
 *
 *     L_h = Σ_i (q_i·k_iᵀ/√D) Pl_ih,    U_j = Σ_h softmax(L_h) Pw_hj,    output = [U_1·v_1; …]·Wo + bo
 *
 * Symbols: q, k and v in the projections `query`, `key` and `value`, Wo `attention_output`; Pl `scores/kernel` [H,
 * Hs], Pw `weights/kernel` [Hs, H], Hs `softmaxHeads`.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; one input attends to itself.
 * Conventions: masks hide keys; outputs at masked queries are the bias alone. `useCausalMask` aligns the first
 * positions.
 * Cost: that of `talkingHeadsAttention`, which keeps the scores of all heads: O(B·T·S·H) memory.
 * Paper: Shazeer et al. 2020, §3, arxiv.org/abs/2003.02436.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const layer = new TalkingHeadsAttention({ numHeads: 2, keyDim: 3, softmaxHeads: 4 });
 * layer.apply([queries, values]).shape; // [2, 3, 4]
 */
export class TalkingHeadsAttention extends MechanismLayer<typeof fields> {
  static readonly className = "TalkingHeadsAttention";
  static readonly inputs = headInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, Cv = C! }: Sizes): WeightTable<typeof fields> {
    const { numHeads: H, keyDim: D, valueDim: Dv = D, softmaxHeads = H, useBias } = this.config;
    return {
      ...headWeights("query", [C!, H, D], useBias),
      ...headWeights("key", [Cv, H, D], useBias),
      ...headWeights("value", [Cv, H, Dv], useBias),
      "scores/kernel": { shape: [H, softmaxHeads], kind: "kernel" },
      "weights/kernel": { shape: [softmaxHeads, H], kind: "kernel" },
      ...outputWeights([H, Dv, C!], useBias),
    };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query, value, allow, output } = maskedHeads(this.op, inputs, call);
    const headsFirst = (x: tf.Tensor4D) => tf.transpose(x, [0, 2, 1, 3]);
    const heads = talkingHeadsAttention(
      headsFirst(projected(weight, "query", query)),
      headsFirst(projected(weight, "key", value)),
      headsFirst(projected(weight, "value", value)),
      { pl: this.weight("scores/kernel"), pw: this.weight("weights/kernel") },
      { ...headOptions(this.config, call), ...(allow && { allow }) },
    );
    return output(weight, headsFirst(heads.output));
  }
}
