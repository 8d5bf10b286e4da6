import * as tf from "@tensorflow/tfjs-core";
import { additiveScore } from "../../attention/score/additive.ts";
import { attend } from "../../attention/sequence/attend.ts";
import {
  byDefault,
  dropout,
  flag,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  required,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
  zeroHidden,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { queryValueInputs, queryValueShape, readQueryValue } from "./query-value.ts";

const fields = {
  /** Units of the hidden layer, A. */
  units: required(integer(1)),
  /** A bias in the hidden layer. @default true */
  useBias: byDefault(flag(), true),
  ...dropout,
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};

export type BahdanauAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Bahdanau's attention with its own weights: a small network judges each pair of query and key.
 *
 *     output_t = Σ_s α_ts value_s,    α_t = softmax_s(vᵀ tanh(W₁ key_s + W₂ query_t + b))
 *
 * Symbols: W₁ `key/kernel`, b `key/bias`, W₂ `query/kernel`, v `scale`; without a key the values are the keys.
 * Shapes: [query [B, T, Cq], value [B, S, Cv], key [B, S, Ck]?] → [B, T, Cv]; weights [Ck, A], [A], [Cq, A], [A].
 * Conventions: the mask of the values hides keys, that of the queries makes rows of the output 0; a query that sees no
 * key gives 0. Keras' `AdditiveAttention` is without W₁, W₂ and b.
 * Cost: as `additiveScore`'s, in one kernel on the `heed` backend.
 * Paper: Bahdanau, Cho & Bengio 2014, §3.1 and A.1.2, arxiv.org/abs/1409.0473.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const attention = new BahdanauAttention({ units: 8 });
 * const context = attention.apply([queries, values]);
 * context.shape; // [2, 3, 7]
 */
export class BahdanauAttention extends MechanismLayer<typeof fields> {
  static readonly className = "BahdanauAttention";
  static readonly inputs = queryValueInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ Cq, Cv, Ck = Cv }: Sizes): WeightTable<typeof fields> {
    const A = this.config.units;
    return {
      "query/kernel": { shape: [Cq, A], kind: "kernel" },
      ...kernelAndBias("key", [Ck, A], this.config.useBias),
      scale: { shape: [A], kind: "kernel", matrix: [A, 1] },
    };
  }

  protected override shapeOf(shapes: readonly Shape[]): Shape {
    return queryValueShape(shapes);
  }

  protected override compute(given: tf.Tensor[], { masks, training, seed }: LayerCall): tf.Tensor {
    const { queries, keys, values, present, visible } = readQueryValue(this.op, given, masks);
    const score = additiveScore({
      w1: this.weight("key/kernel"),
      w2: this.weight("query/kernel"),
      v: this.weight("scale"),
      b: this.weightIf("key/bias"),
    });
    const { output } = attend({
      queries,
      keys,
      values,
      score,
      training,
      mask: visible && tf.expandDims(visible, 1),
      dropout: { rate: this.config.dropout, seed },
    });
    return zeroHidden(output, present);
  }
}
