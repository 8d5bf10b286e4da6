import { div, maximum, mul, norm, reshape, square, sub, sum, type Tensor } from "@tensorflow/tfjs-core";
import { numbers } from "../capture/example.ts";
import { refusal } from "../capture/refuse.ts";
import { checkCount } from "../core/check-options.ts";
import { type AttentionMap, denseMap } from "../inspect/index.ts";
import { tidyData } from "../ops/tidy.ts";
import { intervene } from "./intervene.ts";
import type { Intervention } from "./intervention.ts";
import { record } from "./recording.ts";
import { layerNotThere } from "./refuse.ts";

/** A state of nothing has no direction; float32 has no smaller number of full precision. */
const TINY = 1.2e-38;

export interface ValueZeroing {
  /** [T, S], row-major; rows sum to 1, or to 0 where nothing turns a state. */
  readonly weights: Float64Array;
  /** The same as a map of one head, for the views and for `rollout` with `identity: false`. */
  readonly map: AttentionMap;
}

/**
 * Value zeroing: how far the state of each position turns when the value of another is nothing, in every head of one layer.
 *
 *     C_ts ∝ 1 − cos(x_t, x_t without v_s), rows summing to 1
 *
 * Symbols: x the states that the run returns, v the values of one call, whose weights stay as they are.
 * Shapes: states [T, C] or [1, T, C], one for each query of the call → [T, S].
 * Conventions: the paper takes the states behind the whole layer, its feed-forward map included: let the run end there. States
 * of later layers show what is left of it by then. The run must do the same each time.
 * Cost: one run for each key, and one more pass of the call in each.
 * Paper: Mohebbi et al. 2023, § 3, arxiv.org/abs/2301.12971.
 *
 * @throws what `intervene` throws · OptionError OPTION, UNSUPPORTED
 * @example
 * const x = tf.randomNormal([1, 3, 4]);
 * const run = () => tf.add(x, attend({ queries: x, keys: x, values: x }).output);
 * valueZeroing(run, 0).weights.length; // 9
 */
export function valueZeroing(run: () => Tensor, layer: number): ValueZeroing {
  const op = "valueZeroing";
  checkCount(op, "layer", layer, 0);
  return tidyData(() => {
    const clean = record(run, { keep: ["v"], layers: [layer] });
    const { length } = clean.calls;
    const values = clean.calls[layer]?.v;
    clean.dispose();
    if (!values) throw layerNotThere(op, "layer", length, layer);
    const S = values.shape[2]!;
    const states = rowsOf(op, clean.result);
    const T = states.shape[0]!;
    const weights = new Float64Array(T * S);
    for (let s = 0; s < S; s++) {
      const without: Intervention = { do: "knockOut", layer, keys: s, weight: "lost" };
      const turned = tidyData(() => numbers(turn(states, rowsOf(op, intervene(run, [without])))));
      for (let t = 0; t < T; t++) weights[t * S + s] = turned[t]!;
    }
    for (let t = 0; t < T; t++) {
      const row = weights.subarray(t * S, (t + 1) * S);
      const total = row.reduce((sum, x) => sum + x, 0);
      if (total > 0) row.set(row.map((x) => x / total));
    }
    return { weights, map: denseMap({ H: 1, T, S, weights, rowSums: "free" }) };
  });
}

/** States as rows [T, C]. @throws OptionError UNSUPPORTED */
function rowsOf(op: string, states: Tensor): Tensor {
  const { shape } = states;
  if (shape.length === 2 || (shape.length === 3 && shape[0] === 1)) return reshape(states, shape.slice(-2));
  const remedy = "return the states of one example";
  throw refusal(op, "the run", "return [T, C] or [1, T, C]", `shape [${shape.join(", ")}]`, remedy);
}

/** 1 − cos of each row, as ½‖a − b‖² of rows of length 1, which small turns do not lose to rounding: [T]. */
function turn(a: Tensor, b: Tensor): Tensor {
  const unit = (x: Tensor) => div(x, maximum(norm(x, 2, -1, true), TINY));
  return mul(0.5, sum(square(sub(unit(a), unit(b))), -1));
}
