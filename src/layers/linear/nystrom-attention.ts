import type * as tf from "@tensorflow/tfjs-core";
import { nystromAttention } from "../../attention/linear/nystromformer.ts";
import {
  byDefault,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  number,
  optional,
  type Sizes,
} from "../base/index.ts";
import {
  type HeadWeights,
  headFields,
  headWeights,
  join,
  lengthsOf,
  present,
  selfInputs,
  split,
} from "./heads.ts";

const fields = {
  ...headFields,
  /** Landmarks m, or as many as there are positions. @default 64 */
  landmarks: byDefault(integer(1), 64),
  /** Steps to the pseudo-inverse. @default 6 */
  iterations: byDefault(integer(1), 6),
  /** Length of each head's filter along the positions of the values, which skips the attention; odd. @default none */
  convSize: optional(
    number("an odd integer ≥ 1", (given) => Number.isSafeInteger(given) && given > 0 && given % 2 === 1),
  ),
};

export type NystromAttentionOptions = LayerOptions<typeof fields>;

/**
 * Nyströmformer with projections: self-attention through a few landmarks.
 *
 *     head_h = nystromAttention(x·Wq_h, x·Wk_h, x·Wv_h),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: as `LinearAttention`'s; `conv` the filters of the skip, where `convSize` is given.
 * Shapes: x [B, T, C] → [B, T, C]; conv [convSize, H].
 * Conventions: the mask may hide the last positions of an example, which then changes nothing for the others.
 * Cost: that of `nystromAttention`. Paper: Xiong et al. 2021, §3, arxiv.org/abs/2102.03902.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT, LAST_HIDDEN · ShapeError SIZE
 * @example
 * const layer = new NystromAttention({ numHeads: 2, keyDim: 3, landmarks: 2, convSize: 3 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class NystromAttention extends MechanismLayer<typeof fields> {
  static readonly className = "NystromAttention";
  static readonly inputs = selfInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): HeadWeights {
    const { numHeads: H, convSize } = this.config;
    return {
      ...headWeights(this.config, C!),
      conv: convSize !== undefined && { shape: [convSize, H], kind: "kernel" },
    };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query: x, valueMask } = present(this.op, inputs, call);
    const lengths = lengthsOf(this.op, valueMask);
    const { landmarks, iterations } = this.config;
    const { output } = nystromAttention(
      split(x, "query", weight),
      split(x, "key", weight),
      split(x, "value", weight),
      { conv: this.weightIf("conv") },
      { landmarks: Math.min(landmarks, x.shape[1]), iterations, keyLengths: lengths, queryLengths: lengths },
    );
    return join(output, weight);
  }
}
