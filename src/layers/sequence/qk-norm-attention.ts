import type * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { qkLayerNormAttention } from "../../attention/sequence/qk-layer-norm.ts";
import { qkNormAttention } from "../../attention/sequence/qk-norm.ts";
import {
  byDefault,
  CROSS,
  causalMask,
  choice,
  dropout,
  HeadLayer,
  type Heads,
  headFields,
  type LayerOptions,
  number,
  positive,
  sharedHeads,
  type WeightTable,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  ...dropout,
  /** What becomes of queries and keys: vectors of length 1, LayerNorm, or RMSNorm, of each head. @default "layer" */
  norm: byDefault(choice("l2", "layer", "rms"), "layer"),
  /** Where the factor of the cosines starts, for "l2". @default 10 */
  initialFactor: byDefault(number("a finite number", Number.isFinite), 10),
  /** Inside the root; above 0. @default 0.000001 */
  epsilon: byDefault(positive(), 1e-6),
};

export type QkNormAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Multi-head attention that normalises the queries and keys of every head, so that scores cannot grow as weights do.
 *
 *     head = softmax(norm(q)·norm(k)ᵀ · scale)·v,    output = [head_1; …; head_H]·Wo + bo
 *
 * Symbols: q, k and v in the projections `query`, `key` and `value`, Wo `attention_output`. With "layer" and "rms" the
 * norms have `query_norm/gamma` and `key_norm/gamma` [D] and scale is 1/√D; with "l2" scale is the learned `factor`
 * [H].
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; one input attends to itself.
 * Conventions: masks hide keys; queries that are not there get 0 from every head. `useCausalMask` aligns the first
 * positions.
 * Cost: that of multi-head attention, and O(B·H·(T + S)·D) for the norms.
 * Papers: Henry et al. 2020, §3, arxiv.org/abs/2010.04245 ("l2"); Dehghani et al. 2023, §2, arxiv.org/abs/2302.05442.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new QkNormAttention({ numHeads: 2, keyDim: 3, norm: "rms" });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class QkNormAttention extends HeadLayer<typeof fields> {
  static readonly className = "QkNormAttention";
  static readonly inputs = CROSS;
  static readonly fields: typeof fields = fields;
  protected override readonly layout = "bthd";

  protected override extras(): WeightTable<typeof fields> {
    const { numHeads: H, keyDim: D, norm, initialFactor } = this.config;
    const gamma = norm !== "l2" && { shape: [D], initializer: "ones" };
    const start = initializers.constant({ value: initialFactor });
    return {
      "query_norm/gamma": gamma,
      "key_norm/gamma": gamma,
      factor: norm === "l2" && { shape: [H], initializer: start },
    };
  }

  protected override attend({ q, k, v, options: given, layout }: Heads): tf.Tensor4D {
    const { norm, epsilon } = this.config;
    const options = { ...given, epsilon, layout };
    if (norm === "l2") return qkNormAttention(q, k, v, { g: this.weight("factor") }, options).output;
    const parameters = {
      gammaQ: this.weight<tf.Tensor1D>("query_norm/gamma"),
      gammaK: this.weight<tf.Tensor1D>("key_norm/gamma"),
    };
    return qkLayerNormAttention(q, k, v, parameters, { ...options, norm }).output;
  }
}
