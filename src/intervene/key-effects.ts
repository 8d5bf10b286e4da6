import type { Tensor } from "@tensorflow/tfjs-core";
import { layoutOf, numbers } from "../capture/example.ts";
import type { AttentionShapes } from "../core/notation.ts";
import { dotScores, type ScoreParts, weigh } from "../ops/attention/composed.ts";
import type { AttentionCall } from "../ops/attention/observe.ts";
import { tidyData } from "../ops/tidy.ts";
import { headsFirst, untaped } from "./tensors.ts";

/** A call's scores before and after all its keys are changed, −∞ where hidden, and what they weigh. */
export interface KeyNodes {
  readonly shapes: AttentionShapes;
  /** [B, H, T, S] */
  readonly scores: ArrayLike<number>;
  readonly others: ArrayLike<number>;
  /** [B, Hkv, S, Dv] */
  readonly values: ArrayLike<number>;
  /** A logit for each head that takes part in the softmax, −∞ without. */
  readonly sinks: readonly number[];
}

/** @param k the other keys, [B, Hkv, S, D] */
export function keyNodes(call: AttentionCall, k: Tensor): KeyNodes {
  const { program, scored, values } = call;
  const layout = layoutOf(call);
  const q = headsFirst(scored!.q, layout);
  const scoresOf = (keys: Tensor) =>
    tidyData(() => {
      const score: ScoreParts["score"] = (clean) => dotScores(program, clean(q), clean(keys));
      return numbers(untaped(() => weigh(program, { score, inputs: [q, keys] }).masked)).slice();
    });
  const { shapes, sink = Number.NEGATIVE_INFINITY } = program;
  return {
    shapes,
    scores: scoresOf(headsFirst(scored!.k, layout)),
    others: scoresOf(k),
    values: numbers(headsFirst(values, layout)).slice(),
    sinks: typeof sink === "object" ? [...numbers(sink)] : new Array<number>(shapes.H).fill(sink),
  };
}

/**
 * Effects [Hkv, S] of each key alone, where only its own score in each row changes:
 *
 *     Σ_t r·(p̂ g + c − p g) − c,    r = 1/(1 − p + p̂),    g = dout_t · v_s,    c = Σ_s p_s g_s
 *
 * In float64; 1 − p is summed over the other keys, not subtracted: a saturated row has nothing left of it otherwise.
 *
 * @param dout [B, H, T, Dv], absent where the metric does not need the call
 */
export function keyEffects(
  { shapes: { B, H, Hkv, T, S, Dv }, scores, others, values, sinks }: KeyNodes,
  dout: ArrayLike<number> | undefined,
): Float64Array {
  const effects = new Float64Array(Hkv * S);
  if (!dout) return effects;
  const [weights, slopes] = [new Float64Array(S), new Float64Array(S)];
  for (let row = 0; row < B * H * T; row++) {
    const h = Math.floor(row / T) % H;
    const group = Math.floor((h * Hkv) / H);
    const from = (Math.floor(row / (H * T)) * Hkv + group) * S * Dv;
    let most = sinks[h]!;
    for (let s = 0; s < S; s++) most = Math.max(most, scores[row * S + s]!, others[row * S + s]!);
    if (most === Number.NEGATIVE_INFINITY) continue;
    let before = Math.exp(sinks[h]! - most);
    let mean = 0;
    for (let s = 0; s < S; s++) {
      weights[s] = Math.exp(scores[row * S + s]! - most);
      let slope = 0;
      if (scores[row * S + s]! > Number.NEGATIVE_INFINITY)
        for (let d = 0; d < Dv; d++) slope += dout[row * Dv + d]! * values[from + s * Dv + d]!;
      slopes[s] = slope;
      before += weights[s]!;
      mean += weights[s]! * slope;
    }
    const was = before > 0 ? mean / before : 0;
    const rest = sumsWithout(weights, Math.exp(sinks[h]! - most));
    const restMeans = sumsWithout(
      weights.map((w, s) => w * slopes[s]!),
      0,
    );
    for (let s = 0; s < S; s++) {
      const other = Math.exp(others[row * S + s]! - most);
      const total = rest[s]! + other;
      const now = total > 0 ? (restMeans[s]! + other * slopes[s]!) / total : 0;
      effects[group * S + s]! += now - was;
    }
  }
  return effects;
}

/** For each number of a list the sum of all others and of `extra`. */
function sumsWithout(x: Float64Array, extra: number): Float64Array {
  const out = new Float64Array(x.length);
  let sum = extra;
  for (let s = 0; s < x.length; s++) {
    out[s] = sum;
    sum += x[s]!;
  }
  sum = 0;
  for (let s = x.length - 1; s >= 0; s--) {
    out[s]! += sum;
    sum += x[s]!;
  }
  return out;
}
