import * as tf from "@tensorflow/tfjs-core";
import { checkChoice } from "../../core/check-options.ts";
import { checkFeatures } from "./check.ts";

export interface GatePenaltyOptions {
  /** `"l1"` closes gates, `"entropy"` makes them decide between open and closed. @default "l1" */
  kind?: "l1" | "entropy";
}

/** A gate's log is taken of numbers this far from 0 and 1 at least: float32's spacing below 1. */
const EDGE = 2 ** -24;

/**
 * Gate penalty: what a loss adds so that few gates stay open, or that each decides.
 *
 *     l1 = mean_i g_i,    entropy = mean_i −(g_i ln g_i + (1 − g_i) ln(1 − g_i))
 *
 * Symbols: g a gate in [0, 1]. Shapes: gate […] → a scalar.
 * Conventions: both are means, so that their weight in the loss does not depend on the number of gates. Entropy is in
 * nats, at most ln 2 at g = ½ and 0 at both ends. Cost: O(size). Paper: Tibshirani 1996 for the L1 penalty; entropy
 * regularisation: Grandvalet & Bengio 2004, §2.
 *
 * @throws OptionError OPTION · ShapeError SHAPE
 * @draws
 * const gates = Array.from({ length: 24 }, (_, n) => tf.tensor1d([n / 23]));
 * const along = (kind) => tf.reshape(tf.stack(gates.map((gate) => gatePenalty(gate, { kind }))), [1, 24]);
 * return tf.stack([along("l1"), along("entropy")]);
 * @example
 * gatePenalty(tf.tensor1d([0, 0.5, 1])); // 0.5
 * gatePenalty(tf.tensor1d([0.5, 0.5]), { kind: "entropy" }); // 0.6931
 */
export function gatePenalty(gate: tf.Tensor, { kind = "l1" }: GatePenaltyOptions = {}): tf.Scalar {
  const op = "gatePenalty";
  checkChoice(op, "kind", kind, ["l1", "entropy"]);
  checkFeatures(op, gate, "[…]", 0);
  return tf.tidy(() => {
    if (kind === "l1") return tf.mean(gate) as tf.Scalar;
    const g = tf.clipByValue(gate, EDGE, 1 - EDGE);
    const rest = tf.sub(1, g);
    return tf.neg(tf.mean(tf.add(tf.mul(g, tf.log(g)), tf.mul(rest, tf.log(rest))))) as tf.Scalar;
  });
}
