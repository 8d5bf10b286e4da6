import type * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { notAChoice } from "../../core/faults.ts";
import { type ContextualGateParameters, contextualGate } from "./contextual-gate.ts";
import { type ElementMlpGateParameters, elementMlpGate } from "./element-mlp-gate.ts";
import { type LearnableGateParameters, learnableGate } from "./learnable-gate.ts";
import { type ProjectedGateParameters, projectedGate } from "./projected-gate.ts";
import { type GateResult, sigmoidGate } from "./sigmoid-gate.ts";

/** Where the importance of an element comes from. */
export type ElementAttentionOptions =
  | { importance: "magnitude" }
  | { importance: "context"; context: tf.Tensor; parameters: ContextualGateParameters }
  | {
      importance: "learned";
      /** `{ w: [C] }` a weight a feature, `{ w: [C, C] }` a layer, `{ w1, … }` a network of each element alone. */
      parameters: LearnableGateParameters | ProjectedGateParameters | ElementMlpGateParameters;
    };

/**
 * Element-wise attention: a weight for each element by itself, from its size, a context, or what was learned.
 *
 *     out_i = x_i · g_i,    g = σ(x)  |  σ(x W_x + c W_c + b)  |  σ(w), σ(x W + b) or σ(m(x_i))
 *
 * Symbols: x features, g the gate, c a context; the gates are `sigmoidGate` (magnitude), `contextualGate` (context),
 * `learnableGate`, `projectedGate` and `elementMlpGate` (learned), told apart by their parameters.
 * Shapes: x [B, …, C] → output [B, …, C], and a gate that broadcasts to it.
 * Conventions: elements are not compared in pairs. out_i depends on x_i alone (and on parameters and context), except
 * through W and W_x, which let the features of one position meet. How the result is used matters: `gatedResidual` adds
 * it, `gatedPooling` sums it by its weights, and it can feed attention over positions, as below.
 * Cost: O(size), or O(size·C) with a layer: linear in the number of positions, where attention in pairs is quadratic.
 * Papers: Dauphin et al. 2017, §2, arxiv.org/abs/1612.08083; Hu, Shen & Sun 2018, §3, arxiv.org/abs/1709.01507.
 *
 * @throws OptionError OPTION · and what the gate throws
 * @draws
 * const x = tf.reshape(tf.linspace(-4, 4, 12), [1, 12]);
 * const parameters = { w: tf.tensor1d([3, -3, 3, -3, 3, -3, 3, -3, 3, -3, 3, -3]) };
 * const gates = [elementAttention(x, { importance: "magnitude" }), elementAttention(x, { importance: "learned", parameters })];
 * return tf.stack(gates.map(({ gate }) => tf.reshape(gate, [1, 12])));
 * @example
 * const x = tf.randomNormal([2, 5, 8], 0, 1, "float32", 7);
 * const { output } = elementAttention(x, { importance: "learned", parameters: { w: tf.zeros([8]) } });
 * // Gated features can feed attention over positions: here two heads of width 4.
 * const heads = tf.reshape(output, [2, 5, 2, 4]);
 * const mixed = attention(heads, heads, heads, { layout: "bthd" });
 * tf.reshape(mixed.output, [2, 5, 8]).shape; // [2, 5, 8]
 */
export function elementAttention<T extends tf.Tensor>(x: T, options: ElementAttentionOptions): GateResult<T> {
  const { importance } = options;
  switch (importance) {
    case "magnitude":
      return sigmoidGate(x);
    case "context":
      return contextualGate(x, options.context, options.parameters);
    case "learned":
      return learned(x, options.parameters);
    default:
      throw new OptionError(
        "OPTION",
        notAChoice({
          op: "elementAttention",
          name: "importance",
          choices: ['"magnitude"', '"context"', '"learned"'],
          got: importance satisfies never,
        }),
      );
  }
}

function learned<T extends tf.Tensor>(
  x: T,
  parameters: LearnableGateParameters | ProjectedGateParameters | ElementMlpGateParameters,
): GateResult<T> {
  if ("w1" in parameters) return elementMlpGate(x, parameters);
  return parameters.w.rank === 1
    ? learnableGate(x, parameters as LearnableGateParameters)
    : projectedGate(x, parameters as ProjectedGateParameters);
}
