import type * as tf from "@tensorflow/tfjs-core";
import { gumbelSoftmax, sampledAttention, straightThrough } from "../../attention/discrete/index.ts";
import { softmax } from "../../attention/normalize/index.ts";
import { compileProgram } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { composed, dotScores } from "../../ops/attention/composed.ts";
import {
  byDefault,
  causalMask,
  choice,
  HeadLayer,
  type Heads,
  headFields,
  KEYED,
  type LayerCall,
  type LayerOptions,
  positive,
  sharedHeads,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  /** How gradients pass the choice in training; both draw from the weights of soft attention. @default "gumbelSoftmax" */
  estimator: byDefault(choice("gumbelSoftmax", "straightThrough"), "gumbelSoftmax"),
  /** τ of Gumbel-softmax, above 0. @default 1 */
  temperature: byDefault(positive(), 1),
};

export type HardAttentionLayerOptions = LayerOptions<typeof fields>;

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
 * there, gets 0 from every head. `useCausalMask` aligns the first corner. No dropout: a head reads one value alone.
 * Cost: O(B·H·T·S·(D + Dv)) in training, that of `sampledAttention` else. Papers: Xu et al. 2015, §4.1,
 * arxiv.org/abs/1502.03044; Jang, Gu & Poole 2016, §2.2, arxiv.org/abs/1611.01144.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new HardAttention({ numHeads: 2, keyDim: 3, seed: 1 });
 * layer.apply([queries, values], { training: true }).shape; // [2, 3, 4]
 */
export class HardAttention extends HeadLayer<typeof fields> {
  static readonly className = "HardAttention";
  static readonly inputs = KEYED;
  static readonly fields: typeof fields = fields;

  protected override attend({ q, k, v, masks }: Heads, { training, seed }: LayerCall): tf.Tensor4D {
    if (!training) return sampledAttention(q, k, v, masks).output;
    const { estimator, temperature } = this.config;
    const program = compileProgram(this.op, attentionShapes(this.op, q, k, v), masks);
    const normalize = (scores: tf.Tensor) =>
      estimator === "straightThrough"
        ? straightThrough(softmax(scores), { seed })
        : gumbelSoftmax(scores, { seed, temperature, hard: true });
    const score = (clean: <X extends tf.Tensor>(x: X) => X) => dotScores(program, clean(q), clean(k));
    return composed(program, { score, inputs: [q, k], values: v, normalize }).output as tf.Tensor4D;
  }
}
