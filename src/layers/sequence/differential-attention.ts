import type * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { differentialAttention } from "../../attention/sequence/differential.ts";
import { headWeights, outputWeights, projected } from "../base/heads.ts";
import {
  byDefault,
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
  /** λ_init; `differentialLambda(layer)` is the paper's for each layer of a model. @default 0.8 */
  lambdaInit: byDefault(
    number("from 0 to below 1", (given) => given >= 0 && given < 1),
    0.8,
  ),
  /** Inside the root of the norm of every head. @default 0.00001 */
  epsilon: byDefault(
    number("above 0", (given) => given > 0),
    1e-5,
  ),
};

export type DifferentialAttentionOptions = LayerOptions<typeof fields>;

/**
 * Differential attention with projections of its own: what two attentions have in common cancels out.
 *
 *     head = (1 − λ_init) · RMSNorm((softmax(q₁k₁ᵀ/√D) − λ softmax(q₂k₂ᵀ/√D))·v),    output = [head_1; …; head_H]·Wo + bo
 *
 * Symbols: q₁, q₂, k₁, k₂ and v in the projections `query1`, `query2`, `key1`, `key2` and `value`, Wo
 * `attention_output`; λ of `lambda_q1` … `lambda_k2` as in `differentialAttention`; `norm/gamma` one for all heads.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; one input attends to itself. Dv is 2·keyDim by default,
 * as in the paper.
 * Conventions: masks hide keys; outputs at masked queries are the bias alone. `useCausalMask` aligns the first
 * positions.
 * Cost: twice that of multi-head attention's kernel. Paper: Ye et al. 2024, §2.1, arxiv.org/abs/2410.05258.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const layer = new DifferentialAttention({ numHeads: 2, keyDim: 3, useCausalMask: true });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class DifferentialAttention extends MechanismLayer<typeof fields> {
  static readonly className = "DifferentialAttention";
  static readonly inputs = headInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, Cv = C! }: Sizes): WeightTable<typeof fields> {
    const { numHeads: H, keyDim: D, valueDim: Dv = 2 * D, useBias } = this.config;
    const lambda = { shape: [D], initializer: initializers.randomNormal({ mean: 0, stddev: 0.1 }) };
    return {
      ...headWeights("query1", [C!, H, D], useBias),
      ...headWeights("query2", [C!, H, D], useBias),
      ...headWeights("key1", [Cv, H, D], useBias),
      ...headWeights("key2", [Cv, H, D], useBias),
      ...headWeights("value", [Cv, H, Dv], useBias),
      ...{ lambda_q1: lambda, lambda_k1: lambda, lambda_q2: lambda, lambda_k2: lambda },
      "norm/gamma": { shape: [Dv], initializer: "ones" },
      ...outputWeights([H, Dv, C!], useBias),
    };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query, value, allow, output } = maskedHeads(this.op, inputs, call);
    const { lambdaInit, epsilon } = this.config;
    const pair = (name: string, x: tf.Tensor3D) =>
      [projected(weight, `${name}1`, x), projected(weight, `${name}2`, x)] as const;
    const heads = differentialAttention(
      pair("query", query),
      pair("key", value),
      projected(weight, "value", value),
      {
        ...{ lambdaQ1: this.weight("lambda_q1"), lambdaK1: this.weight("lambda_k1") },
        ...{ lambdaQ2: this.weight("lambda_q2"), lambdaK2: this.weight("lambda_k2") },
        gamma: this.weight("norm/gamma"),
      },
      { ...headOptions(this.config, call), ...(allow && { allow }), lambdaInit, epsilon, layout: "bthd" },
    );
    return output(weight, heads.output);
  }
}
