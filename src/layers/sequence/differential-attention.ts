import type * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { differentialAttention } from "../../attention/sequence/differential.ts";
import {
  byDefault,
  CROSS,
  causalMask,
  dropout,
  HeadLayer,
  type Heads,
  headFields,
  type LayerOptions,
  number,
  type Projections,
  positive,
  sharedHeads,
  type WeightTable,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  ...dropout,
  /** λ_init; `differentialLambda(layer)` is the paper's for each layer of a model. @default 0.8 */
  lambdaInit: byDefault(
    number("from 0 to below 1", (given) => given >= 0 && given < 1),
    0.8,
  ),
  /** Inside the root of the norm of every head. @default 0.00001 */
  epsilon: byDefault(positive(), 1e-5),
};

export type DifferentialAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Differential attention with projections of its own: what two attentions have in common cancels out.
 *
 *     head = (1 − λ_init) · RMSNorm((softmax(q₁k₁ᵀ/√D) − λ softmax(q₂k₂ᵀ/√D))·v),    output = [head_1; …; head_H]·Wo + bo
 *
 * Symbols: q₁, q₂, k₁, k₂ and v in the projections `query1`, `query2`, `key1`, `key2` and `value`, Wo
 * `attention_output`; λ of `lambda_q1` … `lambda_k2` as in `differentialAttention`; `norm/gamma` one for all heads.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; one input attends to itself. Dv is 2·keyDim by default,
 * as in the paper.
 * Conventions: masks hide keys; queries that are not there get 0 from every head. `useCausalMask` aligns the first
 * positions.
 * Cost: twice that of multi-head attention's kernel. Paper: Ye et al. 2024, §2.1, arxiv.org/abs/2410.05258.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new DifferentialAttention({ numHeads: 2, keyDim: 3, useCausalMask: true });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class DifferentialAttention extends HeadLayer<typeof fields> {
  static readonly className = "DifferentialAttention";
  static readonly inputs = CROSS;
  static readonly fields: typeof fields = fields;
  protected override readonly layout = "bthd";

  protected override projections(): Projections {
    return { query1: "query", query2: "query", key1: "key", key2: "key", value: "value" };
  }

  protected override get sizes() {
    const { valueDim = 2 * this.config.keyDim } = this.config;
    return { ...super.sizes, Dv: valueDim };
  }

  protected override extras(): WeightTable<typeof fields> {
    const { D, Dv } = this.sizes;
    const lambda = { shape: [D], initializer: initializers.randomNormal({ mean: 0, stddev: 0.1 }) };
    return {
      lambda_q1: lambda,
      lambda_k1: lambda,
      lambda_q2: lambda,
      lambda_k2: lambda,
      "norm/gamma": { shape: [Dv], initializer: "ones" },
    };
  }

  protected override attend(heads: Heads): tf.Tensor4D {
    const { lambdaInit, epsilon } = this.config;
    const pair = (name: string) => [heads.project(`${name}1`), heads.project(`${name}2`)] as const;
    const parameters = {
      lambdaQ1: this.weight<tf.Tensor1D>("lambda_q1"),
      lambdaK1: this.weight<tf.Tensor1D>("lambda_k1"),
      lambdaQ2: this.weight<tf.Tensor1D>("lambda_q2"),
      lambdaK2: this.weight<tf.Tensor1D>("lambda_k2"),
      gamma: this.weight<tf.Tensor1D>("norm/gamma"),
    };
    const options = { ...heads.options, lambdaInit, epsilon, layout: heads.layout };
    return differentialAttention(pair("query"), pair("key"), heads.v, parameters, options).output;
  }
}
