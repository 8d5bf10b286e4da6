import type * as tf from "@tensorflow/tfjs-core";
import { linformerAttention } from "../../attention/linear/linformer.ts";
import {
  byDefault,
  flag,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  rate,
  required,
  type Sizes,
} from "../base/index.ts";
import {
  crossInputs,
  type HeadWeights,
  headFields,
  headWeights,
  join,
  present,
  seen,
  split,
} from "./heads.ts";

const fields = {
  ...headFields,
  /** r, to how many the positions are mixed. */
  mixtures: required(integer(1)),
  /** The longest sequence of values there will be. @default that which the layer is built for */
  maxLength: optional(integer(1)),
  /** Mixes keys and values alike. @default false */
  shareMixtures: byDefault(flag(), false),
  /** Share of weights dropped in training. @default 0 */
  dropout: byDefault(rate(), 0),
};

export type LinformerAttentionOptions = LayerOptions<typeof fields>;

/**
 * Linformer with projections: attention to r mixtures of the positions.
 *
 *     head_h = linformerAttention(query·Wq_h, value·Wk_h, value·Wv_h, E, F),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: E `key_mixtures`, F `value_mixtures`, shared by the heads; the others as `LinearAttention`'s.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; mixtures [maxLength, r].
 * Conventions: one input attends to itself. Masks hide keys, and queries get 0 from every head. Shorter sequences take
 * the first rows of E and F. There is no causal form.
 * Cost: that of `linformerAttention`. Paper: Wang et al. 2020, §4, arxiv.org/abs/2006.04768.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE, INPUT_SHAPE
 * @example
 * const layer = new LinformerAttention({ numHeads: 2, keyDim: 3, mixtures: 2 });
 * layer.apply([queries, values]).shape; // [2, 3, 4]
 */
export class LinformerAttention extends MechanismLayer<typeof fields> {
  static readonly className = "LinformerAttention";
  static readonly inputs = crossInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, Cv, T, S = T }: Sizes): HeadWeights {
    const { mixtures: r, maxLength = S!, shareMixtures } = this.config;
    return {
      ...headWeights(this.config, C!, Cv),
      key_mixtures: { shape: [maxLength, r], kind: "kernel" },
      value_mixtures: !shareMixtures && { shape: [maxLength, r], kind: "kernel" },
    };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query, value, queryMask, valueMask } = present(this.op, inputs, call);
    const { output } = linformerAttention(
      split(query, "query", weight),
      split(value, "key", weight),
      split(value, "value", weight),
      { e: this.weight("key_mixtures"), f: this.weightIf("value_mixtures") },
      {
        keyAllow: valueMask,
        dropout: { rate: this.config.dropout, seed: call.seed },
        training: call.training,
      },
    );
    return join(seen(output, queryMask), weight);
  }
}
