import * as tf from "@tensorflow/tfjs-core";
import { retention } from "../../attention/linear/retention.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import {
  byDefault,
  flag,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
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
  projection,
  selfInputs,
  split,
} from "./heads.ts";

const fields = {
  ...headFields,
  /** Positions of one chunk. @default 64 */
  chunkSize: optional(integer(1)),
  /** Turns queries and keys by their positions; keyDim must be even. @default true */
  xpos: byDefault(flag(), true),
};

export type MultiScaleRetentionOptions = LayerOptions<typeof fields>;

/**
 * RetNet's multi-scale retention: heads that forget at different rates, each normalised, and gated together.
 *
 *     head_h = norm(retention(x·Wq_h, x·Wk_h, x·Wv_h; γ_h)),    output = (swish(x·Wg) ⊙ [head_1; …; head_H])·Wo
 *
 * Symbols: γ_h = 1 − 2^{−5−h}; norm a group norm, of each head alone and without weights; swish(y) = y·σ(y); Wg
 * `gate/kernel`; the others as `LinearAttention`'s.
 * Shapes: x [B, T, C] → [B, T, C]; gate [C, H, Dv].
 * Conventions: causal always. The mask may hide the last positions of an example, which get 0 from every head.
 * Cost: that of `retention`. Paper: Sun et al. 2023, §2.2, arxiv.org/abs/2307.08621.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT, LAST_HIDDEN, ODD_ROTATION · ShapeError SIZE
 * @example
 * const layer = new MultiScaleRetention({ numHeads: 2, keyDim: 4 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class MultiScaleRetention extends MechanismLayer<typeof fields> {
  static readonly className = "MultiScaleRetention";
  static readonly inputs = selfInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): HeadWeights {
    const { keyDim: D, valueDim: Dv = D } = this.config;
    return { ...headWeights(this.config, C!), ...projection("gate", C!, Dv, this.config) };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query: x, valueMask } = present(this.op, inputs, call);
    const lengths = lengthsOf(this.op, valueMask);
    const { chunkSize, xpos } = this.config;
    const { output } = retention(
      split(x, "query", weight),
      split(x, "key", weight),
      split(x, "value", weight),
      { chunkSize, xpos, keyLengths: lengths, queryLengths: lengths },
    );
    const gate = split(x, "gate", weight);
    return join(tf.mul(tf.mul(gate, tf.sigmoid(gate)), layerNorm(output)), weight);
  }
}
