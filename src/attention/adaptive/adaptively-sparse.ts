import * as tf from "@tensorflow/tfjs-core";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { composed, dotScores } from "../../ops/attention/composed.ts";
import { float } from "../../ops/registry.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { entmax } from "../normalize/entmax.ts";
import { checkParameter } from "./check.ts";

export interface AdaptivelySparseParameters {
  /** The shape of each head, [H]: α = 1 + σ(a), so a = 0 means α = 1.5. */
  a: tf.Tensor1D;
}

export interface AdaptivelySparseOptions extends Omit<ProgramOptions<tf.Tensor>, "sink"> {
  /** Return the weights [B, H, T, S], before dropout. @default false */
  weights?: boolean;
  /** Promise that q, k and v hold finite numbers even in hidden places. @default false */
  finite?: boolean;
}

export type AdaptivelySparseResult<O> = { output: tf.Tensor4D; alpha: tf.Tensor1D } & Asked<
  O,
  "weights",
  tf.Tensor4D
>;

/**
 * Adaptively sparse attention: every head learns how sparse its weights are, from softmax to sparsemax.
 *
 *     out_t = Σ_s p_ts v_s,    p_t = entmax_{α_h}(scale · q_t·k_s + bias_ts),    α_h = 1 + σ(a_h)
 *
 * Symbols: q queries, k keys, v values, p weights, a the parameter of a head and 1 < α < 2 its shape; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], a [H] → output [B, H, T, Dv], alpha [H]; H a multiple
 * of Hkv.
 * Conventions: masks are those of the attention program (core/program.ts); a row without a visible key gives 0. Far
 * keys get exactly 0. Gradients reach q, k, v, bias and a. Where a is below about −7, α is so near 1 that the gradient
 * of a is rounding; such a head is softmax.
 * Cost: O(B·H·T·S·(D + Dv)) time besides the passes of α-entmax, O(B·H·T·S) memory.
 * Paper: Correia, Niculae & Martins 2019, §3, arxiv.org/abs/1909.00015.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · and what `compileProgram` throws
 * @draws
 * const place = tf.reshape(tf.range(0, 12), [12, 1]);
 * const bias = tf.mul(tf.abs(tf.sub(place, tf.transpose(place))), -0.3);
 * const x = tf.zeros([1, 3, 12, 1]);
 * const a = tf.tensor1d([-6, 0, 6]);
 * return tf.squeeze(adaptivelySparse(x, x, x, { a }, { bias, weights: true }).weights, [0]);
 * @example
 * const a = tf.variable(tf.zeros([3]));
 * const { output, alpha, weights } = adaptivelySparse(q, k, v, { a }, { weights: true });
 * alpha; // [1.5, 1.5, 1.5]
 */
export function adaptivelySparse<const O extends AdaptivelySparseOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { a }: AdaptivelySparseParameters,
  options: O = {} as O,
): AdaptivelySparseResult<O> {
  const op = "adaptivelySparse";
  const { weights: wanted, finite, ...given }: AdaptivelySparseOptions = options;
  const sizes = attentionShapes(op, q, k, v);
  const { H } = sizes;
  checkParameter(op, { name: "a [H]", shape: a.shape }, [H], "give one number for each query head");
  const program = compileProgram(op, sizes, given);
  return tidyAsked((): AdaptivelySparseResult<AdaptivelySparseOptions> => {
    const alpha = tf.add<tf.Tensor1D>(tf.sigmoid(a), 1);
    const perHead = tf.reshape(alpha, [H, 1, 1]);
    const normalize = (scores: tf.Tensor) => entmax(scores, perHead);
    const heads = composed(program, {
      score: (clean) => dotScores(program, clean(float(q)), clean(float(k))),
      inputs: [q, k],
      values: float(v),
      original: v,
      normalize,
      finite,
    });
    return {
      output: heads.output as tf.Tensor4D,
      alpha,
      ...(wanted && { weights: heads.weights as tf.Tensor4D }),
    };
  });
}
