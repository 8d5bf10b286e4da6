import type * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { qkLayerNormAttention } from "../../attention/sequence/qk-layer-norm.ts";
import { qkNormAttention } from "../../attention/sequence/qk-norm.ts";
import { headWeights, outputWeights, projected } from "../base/heads.ts";
import {
  byDefault,
  choice,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  number,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { headFields, headInputs, headOptions, maskedHeads } from "./heads.ts";

const fields = {
  ...headFields,
  /** What becomes of queries and keys: vectors of length 1, LayerNorm, or RMSNorm, of each head. @default "layer" */
  norm: byDefault(choice("l2", "layer", "rms"), "layer"),
  /** Of "l2": where the factor of the cosines starts. @default 10 */
  initialFactor: byDefault(number("a finite number", Number.isFinite), 10),
  /** Inside the root; above 0. @default 0.000001 */
  epsilon: byDefault(
    number("above 0", (given) => given > 0),
    1e-6,
  ),
};

export type QkNormAttentionOptions = LayerOptions<typeof fields>;

/**
 * Multi-head attention that normalises the queries and keys of every head, so that scores cannot grow as weights do.
 *
 *     head = softmax(norm(q)·norm(k)ᵀ · scale)·v,    output = [head_1; …; head_H]·Wo + bo
 *
 * Symbols: q, k and v in the projections `query`, `key` and `value`, Wo `attention_output`. With "layer" and "rms" the
 * norms have `query_norm/gamma` and `key_norm/gamma` [D] and scale is 1/√D; with "l2" scale is the learned `factor`
 * [H].
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; one input attends to itself.
 * Conventions: masks hide keys; outputs at masked queries are the bias alone. `useCausalMask` aligns the first
 * positions.
 * Cost: that of multi-head attention, and O(B·H·(T + S)·D) for the norms.
 * Papers: Henry et al. 2020, §3, arxiv.org/abs/2010.04245 ("l2"); Dehghani et al. 2023, §2, arxiv.org/abs/2302.05442.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const layer = new QkNormAttention({ numHeads: 2, keyDim: 3, norm: "rms" });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class QkNormAttention extends MechanismLayer<typeof fields> {
  static readonly className = "QkNormAttention";
  static readonly inputs = headInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, Cv = C! }: Sizes): WeightTable<typeof fields> {
    const { numHeads: H, keyDim: D, valueDim: Dv = D, useBias, norm, initialFactor } = this.config;
    const gamma = norm !== "l2" && { shape: [D], initializer: "ones" };
    const start = initializers.constant({ value: initialFactor });
    return {
      ...headWeights("query", [C!, H, D], useBias),
      ...headWeights("key", [Cv, H, D], useBias),
      ...headWeights("value", [Cv, H, Dv], useBias),
      ...{ "query_norm/gamma": gamma, "key_norm/gamma": gamma },
      factor: norm === "l2" && { shape: [H], initializer: start },
      ...outputWeights([H, Dv, C!], useBias),
    };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query, value, allow, output } = maskedHeads(this.op, inputs, call);
    const q = projected(weight, "query", query);
    const k = projected(weight, "key", value);
    const v = projected(weight, "value", value);
    const { norm, epsilon } = this.config;
    const options = {
      ...headOptions(this.config, call),
      ...(allow && { allow }),
      epsilon,
      layout: "bthd",
    } as const;
    const heads =
      norm === "l2"
        ? qkNormAttention(q, k, v, { g: this.weight<tf.Tensor1D>("factor") }, options)
        : qkLayerNormAttention(
            ...([q, k, v] as const),
            { gammaQ: this.weight("query_norm/gamma"), gammaK: this.weight("key_norm/gamma") },
            { ...options, norm },
          );
    return output(weight, heads.output);
  }
}
