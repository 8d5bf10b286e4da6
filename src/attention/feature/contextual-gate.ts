import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { wrongRank } from "../../core/faults.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { checkFeatures, optional } from "./check.ts";
import { gated } from "./gated.ts";
import type { GateResult } from "./sigmoid-gate.ts";

export interface ContextualGateParameters {
  /** [C, C] @default none: the context alone decides */
  wx?: tf.Tensor2D;
  /** [K, C] */
  wc: tf.Tensor2D;
  /** [C] @default none */
  b?: tf.Tensor1D;
}

/**
 * Contextual gate: a context says which features pass.
 *
 *     g = σ(x W_x + c W_c + b) ∈ (0, 1)^C,    out = x ⊙ g
 *
 * Symbols: x features, c the context, W_x, W_c, b learned, g the gate.
 * Shapes: x [B, …, C], c [B, K] for whole examples or [B, …, K] with x's positions, W_x [C, C], W_c [K, C], b [C] →
 * output, gate [B, …, C].
 * Conventions: one weight for each feature, not one for an example. It is the gate of an LSTM, and FiLM without its
 * shift. Projecting x and c apart and adding equals projecting them joined, at less cost: an example's context is
 * projected once for all its positions. Without W_x all positions of an example share the gate, which then is
 * [B, 1, …, C]. Cost: O(size·C + B·K·C). Papers: Perez et al. 2018, §2.1, arxiv.org/abs/1709.07871; Hochreiter &
 * Schmidhuber 1997 for the gates.
 *
 * @throws ShapeError RANK or SHAPE when the shapes do not fit together
 * @draws
 * const c = tf.eye(2);
 * const wc = tf.tensor2d([[3, 3, 3, 3, 3, 3, -3, -3, -3, -3, -3, -3], [-3, -3, -3, -3, -3, -3, 3, 3, 3, 3, 3, 3]]);
 * return contextualGate(tf.ones([2, 12]), c, { wc }).gate;
 * @example
 * const x = tf.tensor2d([[1, 2], [3, 4]]);
 * const context = tf.tensor2d([[1, 0], [0, 1]]);
 * const { output } = contextualGate(x, context, { wc: tf.tensor2d([[99, -99], [-99, 99]]) });
 * output; // [[1, 0], [0, 4]]
 */
export function contextualGate<T extends tf.Tensor>(
  x: T,
  context: tf.Tensor,
  { wx, wc, b }: ContextualGateParameters,
): GateResult<T, T> {
  const op = "contextualGate";
  const C = checkFeatures(op, x, "[B, …, C]", 2);
  if (context.rank !== 2 && context.rank !== x.rank) {
    const details = { op, name: "context", rank: `2 or that of x, ${x.rank}`, shape: context.shape };
    throw new ShapeError("RANK", wrongRank(details));
  }
  const K = context.shape.at(-1)!;
  const positions = context.rank === 2 ? [x.shape[0]!] : x.shape.slice(0, -1);
  const letters = context.rank === 2 ? "[B, K]" : "[B, …, K]";
  checkTensors(op, [
    { name: "context", tensor: context, letters, shape: [...positions, K] },
    ...optional("wx", wx, "[C, C]", [C, C]),
    { name: "wc", tensor: wc, letters: "[K, C]", shape: [K, C] },
    ...optional("b", b, "[C]", [C]),
  ]);
  return gated(op, () => {
    const seen = linear(context, wc, b);
    const ones = x.shape.slice(1, -1).map(() => 1);
    const spread = context.rank === x.rank ? seen : tf.reshape(seen, [x.shape[0]!, ...ones, C]);
    const gate = tf.sigmoid((wx ? tf.add(linear(x, wx), spread) : spread) as T);
    return { output: tf.mul(x, gate), gate };
  });
}
