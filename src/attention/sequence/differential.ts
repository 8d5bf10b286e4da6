import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, unequal } from "../../core/faults.ts";
import type { DropoutPlan } from "../../core/program.ts";
import {
  type AttentionOptions,
  type AttentionResult,
  compileAttention,
  runAttention,
} from "../../ops/attention/run.ts";
import { checkTensors } from "../../ops/check.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import { tidyAsked } from "../../ops/tidy.ts";

export interface DifferentialParameters {
  /** [D] */
  lambdaQ1: tf.Tensor1D;
  /** [D] */
  lambdaK1: tf.Tensor1D;
  /** [D] */
  lambdaQ2: tf.Tensor1D;
  /** [D] */
  lambdaK2: tf.Tensor1D;
  /** Of the norm of every head, [Dv]. @default 1 */
  gamma?: tf.Tensor1D;
}

export interface DifferentialOptions extends Omit<AttentionOptions, "lse"> {
  /** λ_init, from 0 to below 1; `differentialLambda(layer)` is the paper's. @default 0.8 */
  lambdaInit?: number;
  /** Added to the mean square inside the norm's root; above 0. @default 1e-5 */
  epsilon?: number;
}

/** Two queries, or two keys, of every head. */
export type Pair = readonly [tf.Tensor4D, tf.Tensor4D];

/**
 * Differential attention: the difference of two attentions, in which what both attend to cancels out.
 *
 *     A = softmax(scale · q₁·k₁ᵀ) − λ softmax(scale · q₂·k₂ᵀ),    output = (1 − λ_init) · RMSNorm(A·v)
 *     λ = exp(λ_q1·λ_k1) − exp(λ_q2·λ_k2) + λ_init
 *
 * Symbols: λ_q1, λ_k1, λ_q2, λ_k2 learned, one set for all heads; RMSNorm(x) = γ ⊙ x / √(mean(x²) + ε) of each head's
 * output; scale = 1/√D.
 * Shapes: q₁, q₂ [B, H, T, D], k₁, k₂ [B, Hkv, S, D], v [B, Hkv, S, Dv] (Dv = 2·D in the paper), lambdas [D], gamma
 * [Dv] → output [B, H, T, Dv], weights A [B, H, T, S].
 * Conventions: rows of A sum to 1 − λ and may be negative. Masks and other options act on both attentions, `layout`
 * too; dropout drops independent elements of each. A query that sees no key gives 0. The papers' code keeps q₁ and q₂
 * as neighbouring heads 2h and 2h + 1 of one projection.
 * Cost: twice soft attention's, in two calls of its kernel. Paper: Ye et al. 2024, §2.1, arxiv.org/abs/2410.05258.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION · and what `attention` throws for its options
 * @draws
 * // Both attentions see the same haze; only the first sees the needle at each position's mirror. Right: the difference.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const code = tf.concat([tf.cos(at), tf.sin(at)], 1);
 * const haze = tf.reshape(tf.sin(tf.mul(tf.range(0, 12), 1.3)), [12, 1]);
 * const k = tf.reshape(tf.concat([code, haze], 1), [1, 1, 12, 9]);
 * const ask = (needle) => tf.reshape(tf.concat([tf.mul(tf.reverse(code, 0), needle), tf.fill([12, 1], 4)], 1), [1, 1, 12, 9]);
 * const zero = tf.zeros([9]);
 * const lambdas = { lambdaQ1: zero, lambdaK1: zero, lambdaQ2: zero, lambdaK2: zero };
 * const first = softAttention(ask(1.2), k, k, { weights: true }).weights;
 * const options = { lambdaInit: 0.8, weights: true };
 * const { weights } = differentialAttention([ask(1.2), ask(0)], [k, k], k, lambdas, options);
 * return tf.squeeze(tf.concat([first, weights], 1), [0]);
 * @example
 * const [lambdaQ1, lambdaK1, lambdaQ2, lambdaK2] = [1, 2, 3, 4].map((seed) => tf.randomNormal([4], 0, 0.1, "float32", seed));
 * const parameters = { lambdaQ1, lambdaK1, lambdaQ2, lambdaK2, gamma: tf.ones([7]) };
 * const options = { lambdaInit: differentialLambda(1), causal: true };
 * differentialAttention([q, tf.neg(q)], [k, k], v, parameters, options).output.shape; // [2, 3, 5, 7]
 */
export function differentialAttention<const O extends DifferentialOptions>(
  [q1, q2]: Pair,
  [k1, k2]: Pair,
  v: tf.Tensor4D,
  { lambdaQ1, lambdaK1, lambdaQ2, lambdaK2, gamma }: DifferentialParameters,
  options: O = {} as O,
): AttentionResult<O> {
  const { lambdaInit = 0.8, epsilon = 1e-5, ...rest }: DifferentialOptions = options;
  const op = "differentialAttention";
  const { program, layout, asked } = compileAttention(op, { q: q1, k: k1, v }, rest);
  checkPair(op, "q", q1, q2);
  checkPair(op, "k", k1, k2);
  const { D, Dv } = program.shapes;
  const vector = (name: string, tensor: tf.Tensor) => ({ name, tensor, letters: "[D]", shape: [D] });
  checkTensors(op, [
    ...Object.entries({ lambdaQ1, lambdaK1, lambdaQ2, lambdaK2 }).map(([name, x]) => vector(name, x)),
    ...(gamma ? [{ name: "gamma", tensor: gamma, letters: "[Dv]", shape: [Dv] }] : []),
  ]);
  if (!(lambdaInit >= 0 && lambdaInit < 1)) {
    throw new OptionError(
      "OPTION",
      outOfRange({
        op,
        name: "lambdaInit",
        rule: "from 0 to below 1",
        got: lambdaInit,
      }),
    );
  }
  if (!(epsilon > 0)) {
    throw new OptionError("OPTION", outOfRange({ op, name: "epsilon", rule: "above 0", got: epsilon }));
  }
  return tidyAsked((): AttentionResult<AttentionOptions> => {
    const power = (a: tf.Tensor, b: tf.Tensor) => tf.exp(tf.sum(tf.mul(a, b)));
    const lambda = tf.add(tf.sub(power(lambdaQ1, lambdaK1), power(lambdaQ2, lambdaK2)), lambdaInit);
    const second = { ...program, dropout: program.dropout && otherSeed(program.dropout) };
    const a = runAttention(program, layout, { q: q1, k: k1, v }, asked);
    const b = runAttention(second, layout, { q: q2, k: k2, v }, asked);
    const difference = (x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D => tf.sub(x, tf.mul(lambda, y));
    const heads = rmsNorm(difference(a.output, b.output), gamma, { epsilon });
    return {
      output: tf.mul(heads, 1 - lambdaInit),
      ...(asked.weights && { weights: difference(a.weights!, b.weights!) }),
    };
  });
}

/**
 * The paper's λ_init of a layer, counted from 1: 0.8 − 0.6·exp(−0.3·(layer − 1)), from 0.2 up to 0.8.
 *
 * @throws OptionError OPTION when layer is not an integer ≥ 1
 * @draws
 * // Layers 1 to 24.
 * return tf.tensor1d(Array.from({ length: 24 }, (_, n) => differentialLambda(n + 1)));
 * @example
 * differentialLambda(1); // 0.2
 */
export function differentialLambda(layer: number): number {
  checkCount("differentialLambda", "layer", layer);
  return 0.8 - 0.6 * Math.exp(-0.3 * (layer - 1));
}

function checkPair(op: string, name: string, one: tf.Tensor, two: tf.Tensor): void {
  if (one.rank === two.rank && one.shape.every((n, axis) => n === two.shape[axis])) return;
  const names = { letter: "shape", a: `${name}1`, b: `${name}2` };
  throw new ShapeError("DIMENSION", unequal({ op, ...names, aShape: one.shape, bShape: two.shape }));
}

/** A plan of dropout that drops other elements, and those of no neighbouring seed. */
function otherSeed(plan: DropoutPlan): DropoutPlan {
  return { ...plan, seed: (plan.seed + 2 ** 32) % Number.MAX_SAFE_INTEGER };
}
