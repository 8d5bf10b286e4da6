import * as tf from "@tensorflow/tfjs-core";
import { additiveAttention } from "../../ops/additive-attention.ts";
import {
  byDefault,
  flag,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import {
  checkKeys,
  kerasAttention,
  kerasAttentionCall,
  kerasAttentionFields,
  kerasAttentionInputs,
  kerasAttentionShape,
} from "./keras-attention.ts";

const fields = {
  /** A learned factor for each of the D sums. @default true */
  useScale: byDefault(flag(), true),
  ...kerasAttentionFields,
};

export type AdditiveAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Keras' `AdditiveAttention`: Bahdanau's score of queries and keys that are projected already.
 *
 *     output_t = Σ_s α_ts value_s,    α_t = softmax_s(Σ_d scale_d · tanh(query_td + key_sd))
 *
 * Symbols: `scale` [D] learned, 1 without `useScale`. Without a key the values are the keys.
 * Shapes: [query [B, T, D], value [B, S, Dv], key [B, S, D]?] → [B, T, Dv], weights [B, T, S].
 * Conventions: as `Attention`. There are no W₁ and W₂ in it: `BahdanauAttention` has them.
 * Cost: O(B·T·S·(D + Dv)) time and O(S·D) memory, in one kernel on the `heed` backend.
 * Paper: Bahdanau, Cho & Bengio 2014, §3.1, arxiv.org/abs/1409.0473.
 *
 * @throws OptionError UNKNOWN, OPTION, UNSUPPORTED · ShapeError SHAPE
 * @example
 * const output = new AdditiveAttention().apply([queries, values, keys]);
 * output.shape; // [2, 3, 7]
 */
export class AdditiveAttention extends MechanismLayer<typeof fields> {
  static readonly className = "AdditiveAttention";
  static readonly inputs = kerasAttentionInputs;
  static readonly fields: typeof fields = fields;
  static readonly callOptions = kerasAttentionCall.fields;
  static readonly kerasCall = kerasAttentionCall;

  protected override parameters({ D }: Sizes, shapes: readonly Shape[]): WeightTable<typeof fields> {
    checkKeys(this.op, shapes);
    return { scale: this.config.useScale && { shape: [D], initializer: "glorotUniform", matrix: [D, 1] } };
  }

  protected override shapeOf(shapes: readonly Shape[]): Shape | Shape[] {
    return kerasAttentionShape(shapes, this.config.returnAttentionScores);
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor | tf.Tensor[] {
    return kerasAttention(this.op, this.config, inputs, call, ({ queries, keys, values, mask, ...rest }) => {
      const scale = this.weightIf<tf.Tensor1D>("scale") ?? tf.ones<tf.Rank.R1>([queries.shape[2]]);
      return additiveAttention(queries, keys, scale, values, { ...mask, ...rest });
    });
  }
}
