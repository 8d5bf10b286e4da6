import * as tf from "@tensorflow/tfjs-core";
import { dotScore } from "../../attention/score/dot.ts";
import { attend } from "../../attention/sequence/attend.ts";
import { additiveAttention } from "../../ops/additive-attention.ts";
import {
  byDefault,
  choice,
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
  /** One learned factor of the scores, at first 1. @default false */
  useScale: byDefault(flag(), false),
  /** `query·key`, or Keras' concat. @default "dot" */
  scoreMode: byDefault(choice("dot", "concat"), "dot"),
  ...kerasAttentionFields,
};

export type AttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Keras' `Attention`: dot-product attention of one head, without projections.
 *
 *     output_t = Σ_s α_ts value_s,    α_t = softmax_s(scale · query_t·key_s)                 "dot"
 *                                     α_t = softmax_s(w · Σ_d tanh(scale · (query_td + key_sd)))  "concat"
 *
 * Symbols: `scale` and w (`concat_score_weight`) single numbers, learned, at first 1; without `useScale` scale is 1, and
 * not 1/√D. Without a key the values are the keys.
 * Shapes: [query [B, T, D], value [B, S, Dv], key [B, S, D]?] → [B, T, Dv], weights [B, T, S].
 * Conventions: options, call options and weights are Keras 3's. The mask of the values hides keys, that of the queries
 * makes rows of the output 0; `useCausalMask` lets position i see positions up to i, in the first corner. A query that
 * sees nothing gives 0, where Keras gives the mean of all values; the weights returned are those before dropout, where
 * Keras has them after it. The call options `useCausalMask` and `returnAttentionScores` are fields too, for models.
 * Cost: O(B·T·S·(D + Dv)), in one kernel on the `heed` backend.
 * Papers: Luong, Pham & Manning 2015, §3.1, arxiv.org/abs/1508.04025; concat is Keras' own.
 *
 * @throws OptionError UNKNOWN, OPTION, UNSUPPORTED · ShapeError SHAPE
 * @example
 * const [output, weights] = new Attention().apply([queries, values, keys], { returnAttentionScores: true });
 * output.shape; // [2, 3, 7]
 * weights.shape; // [2, 3, 5]
 */
export class Attention extends MechanismLayer<typeof fields> {
  static readonly className = "Attention";
  static readonly inputs = kerasAttentionInputs;
  static readonly fields: typeof fields = fields;
  static readonly callOptions = kerasAttentionCall.fields;
  static readonly kerasCall = kerasAttentionCall;

  protected override parameters(_: Sizes, shapes: readonly Shape[]): WeightTable<typeof fields> {
    checkKeys(this.op, shapes);
    const one = { shape: [], initializer: "ones" };
    return {
      scale: this.config.useScale && one,
      concat_score_weight: this.config.scoreMode === "concat" && one,
    };
  }

  protected override shapeOf(shapes: readonly Shape[]): Shape | Shape[] {
    return kerasAttentionShape(shapes, this.config.returnAttentionScores);
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor | tf.Tensor[] {
    const scale = this.weightIf("scale");
    const scaled = <T extends tf.Tensor>(x: T): T => (scale ? tf.mul(x, scale) : x);
    return kerasAttention(this.op, this.config, inputs, call, ({ queries, keys, values, mask, ...rest }) => {
      if (this.config.scoreMode === "dot") {
        return attend({ queries: scaled(queries), keys, values, mask, score: dotScore(), ...rest });
      }
      const w = tf.mul<tf.Tensor1D>(tf.ones([queries.shape[2]]), this.weight("concat_score_weight"));
      return additiveAttention(scaled(queries), scaled(keys), w, values, { ...mask, ...rest });
    });
  }
}
