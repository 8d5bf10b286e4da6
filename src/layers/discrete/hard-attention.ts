import type * as tf from "@tensorflow/tfjs-core";
import { gumbelSoftmax, sampledAttention, straightThrough } from "../../attention/discrete/index.ts";
import { softmax } from "../../attention/normalize/index.ts";
import { compileProgram } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { composed, dotScores } from "../../ops/attention/composed.ts";
import { headFields, headInputs, headWeights, splitHeads } from "../adaptive/heads.ts";
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

const fields = {
  ...headFields,
  /** How gradients pass the choice in training; both draw from the weights of soft attention. @default "gumbelSoftmax" */
  estimator: byDefault(choice("gumbelSoftmax", "straightThrough"), "gumbelSoftmax"),
  /** τ of Gumbel-softmax, above 0. @default 1 */
  temperature: byDefault(
    number("a positive number", (given) => given > 0 && given < Infinity),
    1,
  ),
};

export type HardAttentionOptions = LayerOptions<typeof fields>;

/**
 * Multi-head attention that reads one value a query and head: drawn in training, the best one at inference.
 *
 *     head_ht = v_h,s,    s ~ Categorical(softmax(q_ht·k_h / √D)) in training,  s = argmax_s q_ht·k_hs else
 *     output = [head_1; …; head_H]·Wo
 *
 * Symbols: q, k and v the projections of query, key and value, as in `MultiHeadAttention`; s the key that is read.
 * Shapes: [query [B, T, C], value [B, S, Cv]?, key [B, S, Ck]?] → [B, T, C]. One input attends to itself.
 * Conventions: the draw of a step is a function of the seed and the step. Gradients are those of the estimator, which is
 * biased; the unbiased score function needs the loss as its reward, which a layer does not see: train it with
 * `sampledAttention` and `scoreFunctionLoss`. Masks of values and keys hide keys; a query that sees nothing, or is not
 * there, gives 0. `useCausalMask` aligns the first corner.
 * Cost: O(B·H·T·S·(D + Dv)) in training, that of `sampledAttention` else. Papers: Xu et al. 2015, §4.1,
 * arxiv.org/abs/1502.03044; Jang, Gu & Poole 2016, §2.2, arxiv.org/abs/1611.01144.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const layer = new HardAttention({ numHeads: 2, keyDim: 3, seed: 1 });
 * layer.apply([queries, values], { training: true }).shape; // [2, 3, 4]
 */
export class HardAttention extends MechanismLayer<typeof fields> {
  static readonly className = "HardAttention";
  static readonly inputs = headInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters(sizes: Sizes): WeightTable<typeof fields> {
    return headWeights(this.config, sizes);
  }

  protected override compute(inputs: tf.Tensor[], { masks, training, seed }: LayerCall): tf.Tensor {
    const { estimator, temperature, useCausalMask } = this.config;
    const { q, k, v, allow, join } = splitHeads(this.op, (name) => this.weightIf(name), inputs, masks);
    const options = { ...(allow && { allow }), ...(useCausalMask && { causal: "topLeft" as const }) };
    if (!training) return join(sampledAttention(q, k, v, options).output);
    const program = compileProgram(this.op, attentionShapes(this.op, q, k, v), options);
    const normalize = (scores: tf.Tensor) =>
      estimator === "straightThrough"
        ? straightThrough(softmax(scores), { seed })
        : gumbelSoftmax(scores, { seed, temperature, hard: true });
    const score = (clean: <X extends tf.Tensor>(x: X) => X) => dotScores(program, clean(q), clean(k));
    const { output } = composed(program, { score, inputs: [q, k], values: v, normalize });
    return join(output as tf.Tensor4D);
  }
}
