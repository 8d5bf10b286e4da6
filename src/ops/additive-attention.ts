import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import { compileProgram, type ProgramOptions } from "../core/program.ts";
import { runAdditiveProgram } from "./attention/additive.ts";
import { type SingleHeadMask, singleHeadMask } from "./attention/mask.ts";
import { checkRank } from "./check.ts";
import { type Asked, tidyAsked } from "./tidy.ts";

export interface AdditiveAttentionOptions
  extends SingleHeadMask,
    Pick<ProgramOptions<Tensor>, "dropout" | "training"> {
  /** A logit that takes part in the softmax and has no value. @default none */
  sink?: number;
  /** Return the weights [B, T, S], before dropout. @default false */
  weights?: boolean;
  /** Return the log-sum-exp of the scores [B, T], natural logarithm. @default false */
  lse?: boolean;
  /**
   * Promise that all inputs are finite even in hidden places: saves the composed form looking for NaN. The fused kernel
   * needs no promise. @default false
   */
  finite?: boolean;
}

export type AdditiveAttentionResult<O> = { output: Tensor3D } & Asked<O, "weights", Tensor3D> &
  Asked<O, "lse", Tensor2D>;

/**
 * Additive attention: a network with one hidden layer judges each pair of query and key, a softmax turns its scores
 * into weights, and every query reads a weighted mean of the values.
 *
 *     out_t = Σ_s α_ts value_s,    α_t = softmax_s(Σ_a v_a tanh(query_ta + key_sa))
 *
 * `query` and `key` are projected already: W₂q and W₁k + b. Options are those of the attention program
 * (core/program.ts) for one head; masks, bias, lengths and windows compose. A row without a visible key gives 0 output,
 * 0 weights, lse −∞ and 0 gradients; NaN in hidden places leaks nowhere. Differentiable once, in query, key, v, value
 * and bias, through output, weights and lse.
 *
 * Shapes: query [B, T, A], key [B, S, A], v [A], value [B, S, Dv] → output [B, T, Dv], weights [B, T, S], lse [B, T].
 * Cost: O(B·T·S·(A + Dv)) time. Fused, memory is O(S·A) besides inputs and results, in the gradient too; composed,
 * O(B·T·S·A). Paper: Bahdanau, Cho & Bengio 2014, §3.1 and A.1.2, arxiv.org/abs/1409.0473.
 *
 * @throws ShapeError RANK, SHAPE · OptionError GRADIENT · and what `compileProgram` throws
 * @example
 * const [query, key, v] = [tf.randomNormal([2, 3, 8]), tf.randomNormal([2, 5, 8]), tf.randomNormal([8])];
 * const { output, weights } = additiveAttention(query, key, v, values, { keyLengths: [4, 5], weights: true });
 * output.shape; // [2, 3, 7]
 */
export function additiveAttention<const O extends AdditiveAttentionOptions>(
  query: Tensor3D,
  key: Tensor3D,
  v: Tensor1D,
  value: Tensor3D,
  options: O = {} as O,
): AdditiveAttentionResult<O> {
  const op = "additiveAttention";
  checkRank(op, "query", query, 3);
  checkRank(op, "value", value, 3);
  const [B, T, A] = query.shape;
  const [, S, Dv] = value.shape;
  const { weights, lse, finite, dropout, training, sink, ...given }: AdditiveAttentionOptions = options;
  return tidyAsked(() => {
    const rest = { dropout, training, scale: 1, ...(sink !== undefined && { sink }) };
    const mask = singleHeadMask(op, { B, T, S }, given);
    const program = compileProgram(op, { B, T, S, H: 1, Hkv: 1, D: A, Dv }, { ...mask, ...rest });
    return runAdditiveProgram(program, { query, key, v, value }, { weights, lse, finite });
  });
}
