import { type Tensor, zeros } from "@tensorflow/tfjs-core";
import { numbers, oneNumber } from "../capture/example.ts";
import { checkChoice } from "../core/check-options.ts";
import { OptionError } from "../core/errors.ts";
import { KernelReplay } from "../host/replay.ts";
import { type AttentionCall, attentionCalls } from "../ops/attention/observe.ts";
import { tidyData } from "../ops/tidy.ts";
import { droppedEffects, firstOrderEffects } from "./first-order.ts";
import { intervene } from "./intervene.ts";
import type { Intervention, Part } from "./intervention.ts";
import { type Recorded, type Recording, record } from "./recording.ts";
import { checkRun } from "./refuse.ts";

/** A node of a head that an effect is of. */
export type EffectPart = Exclude<Part, "weights">;

export interface HeadEffectsOptions {
  /** By running again for each, or to first order by one run with its gradients. @default "exact" */
  readonly method?: "exact" | "gradient";
  /** What is changed of a head: its output, or what goes into it. @default "output" */
  readonly of?: EffectPart;
  /** What stands in its place: that of another run. @default zeros */
  readonly from?: Recording;
  /** Of whole heads, or of each of their queries (of k and v: keys). @default "head" */
  readonly per?: "head" | "token";
  /**
   * What a gradient of q and k goes through: AtP* computes the softmax of the changed scores and is linear after it; plain
   * attribution patching is linear from q and k on, and blind where a softmax is saturated. @default "corrected"
   */
  readonly softmax?: "corrected" | "linear";
  /**
   * GradDrop, with `method: "gradient"` and a run of two calls or more: each call in turn lets no gradient through, and the effect
   * is the mean of what is left, without its sign. Direct and indirect effects that cancel each other are seen. @default false
   */
  readonly gradDrop?: boolean;
}

/** A head and what it does. */
export interface HeadEffect {
  readonly layer: number;
  /** Of k and v the number of the key/value head. */
  readonly head: number;
  /** With `per: "token"`. */
  readonly token?: number;
  readonly effect: number;
}

export interface HeadEffects {
  /** The metric of the run as it is. */
  readonly metric: number;
  /** Of each call: [H], or with `per: "token"` [H, T]; of k and v [Hkv] or [Hkv, S]. */
  readonly effects: readonly Float64Array[];
  /** All of them, the largest first, whatever their sign. */
  readonly ranking: readonly HeadEffect[];
}

/**
 * What each head does for one number of a run: how the number changes when the head's part is that of another run, or nothing.
 *
 *     exact      effect(n) = m(run with n ← n') − m(run)
 *     gradient   effect(n) ≈ (n' − n) · ∂m/∂n                                      attribution patching
 *                of q, k:  ≈ (o(softmax of the scores with n') − o) · ∂m/∂o         AtP*, o the head's output
 *                a key s alone:  Σ_t r·(p̂·g + c − p·g) − c,  p = e^(score − lse),  p̂ = e^(score' − lse),  r = 1/(1 − p + p̂)
 *     gradDrop   1/(L − 1) Σ_ℓ |effect(n) with ∂m/∂n where the output of call ℓ is held|
 *
 * Symbols: m the metric, L the calls, n a head's q, k, v or output, n' that of `from` or zeros; g = ∂m/∂o_t · v_s and c = ∂m/∂o_t · o_t.
 * Conventions: a negative effect is that of a head which the metric needs. The run must do the same each time. Effects are sums
 * over the batch, as the metric is one number. To first order effects are exact where the metric is linear in the node, and
 * their sum over heads is not the effect of all heads together. A call that is held leaves its own heads nothing, hence L − 1;
 * the layers of the paper have an MLP each, which has no heads here and always lets gradients through.
 * Cost: exact one run for each head (or token), of which only what comes after its call is computed; gradient one run and its gradients, and one more pass of each call for q and k;
 * gradDrop all that L + 1 times.
 * Papers: Nanda 2023 (attribution patching); Kramár, Lieberum, Shah & Nanda 2024, § 3.1, arxiv.org/abs/2403.00745 (AtP*).
 *
 * @throws what `intervene` throws · OptionError OPTION, UNSUPPORTED where the metric is not one number
 * @example
 * const run = () => attention(q, k, v).output;
 * const { ranking } = headEffects(run, (output) => tf.sum(tf.square(output)), { method: "gradient" });
 * ranking.length; // 3
 */
export function headEffects<R>(
  run: () => R,
  metric: (result: R) => Tensor,
  options: HeadEffectsOptions = {},
): HeadEffects {
  const op = "headEffects";
  checkRun(op, run);
  const { method = "exact", of = "output", per = "head", softmax = "corrected", from } = options;
  const { gradDrop = false } = options;
  checkChoice(op, "method", method, ["exact", "gradient"]);
  checkChoice(op, "of", of, ["q", "k", "v", "output"]);
  checkChoice(op, "per", per, ["head", "token"]);
  checkChoice(op, "softmax", softmax, ["corrected", "linear"]);
  if (gradDrop && method === "exact") {
    const fault = { op, rule: "gradDrop must go with the method that has gradients", got: 'method "exact"' };
    throw new OptionError("CONFLICT", {
      ...fault,
      remedy: 'choose method: "gradient", or leave gradDrop out',
    });
  }
  const plan = { op, of, per, softmax, from };
  const gradient = gradDrop ? droppedEffects : firstOrderEffects;
  const { value, effects, heads } =
    method === "exact" ? exactEffects(run, metric, plan) : gradient(run, metric, plan);
  return { metric: value, effects, ranking: rankingOf(effects, heads, per) };
}

/** What is asked for. */
export interface EffectPlan {
  readonly op: string;
  readonly of: EffectPart;
  readonly per: "head" | "token";
  readonly softmax: "corrected" | "linear";
  readonly from: Recording | undefined;
}

/** Effects of each call, and how many heads they are of. */
export interface Effects {
  readonly value: number;
  readonly effects: readonly Float64Array[];
  readonly heads: readonly number[];
}

function exactEffects<R>(run: () => R, metric: (result: R) => Tensor, plan: EffectPlan): Effects {
  const { op, of, per } = plan;
  const measure = (work: () => R) => tidyData(() => numbers(oneNumber(op, "the metric", metric(work())))[0]!);
  const { shapes, value } = tidyData(() => {
    const clean = record(run, { keep: [of] });
    try {
      const value = numbers(oneNumber(op, "the metric", metric(clean.result)))[0]!;
      return { value, shapes: clean.calls.map((call) => call[of]?.shape) };
    } finally {
      clean.dispose();
    }
  });
  // Up to the call that is changed a run does what it did before.
  const before = new KernelReplay();
  const fromLayer = (layer: number) => () => {
    const outer = attentionCalls.observer;
    let calls = 0;
    const observe = (call: AttentionCall) => {
      if (calls++ === layer) before.stop();
      outer?.(call);
    };
    return before.play(() => attentionCalls.during(observe, run));
  };
  try {
    return tidyData(() => {
      tidyData(() => void before.record(() => attentionCalls.during(() => {}, run)));
      const other = plan.from ?? {
        calls: shapes.map((shape): Recorded => ({ op, ...(shape && { [of]: zeros(shape) }) })),
      };
      const rows = of === "k" || of === "v" ? "keys" : "queries";
      const effects = shapes.map((shape, layer) => {
        // Where a call has none, intervene says so.
        const [, heads, length] = (shape ?? [1, 1, 1, 1]) as [number, number, number];
        const many = per === "head" ? 1 : length;
        return Float64Array.from({ length: heads * many }, (_, at) => {
          const token = per === "token" && { [rows]: at % many };
          const patch = {
            do: "patch",
            what: of,
            from: "other",
            layer,
            heads: Math.floor(at / many),
            ...token,
          };
          const changed = () => intervene(fromLayer(layer), [patch as Intervention], { runs: { other } });
          return measure(changed) - value;
        });
      });
      return { value, effects, heads: shapes.map((shape) => shape?.[1] ?? 1) };
    });
  } finally {
    before.dispose();
  }
}

function rankingOf(
  effects: readonly Float64Array[],
  heads: readonly number[],
  per: "head" | "token",
): HeadEffect[] {
  const all = effects.flatMap((of, layer) => {
    const many = of.length / heads[layer]!;
    return [...of].map(
      (effect, at): HeadEffect => ({
        layer,
        head: Math.floor(at / many),
        ...(per === "token" && { token: at % many }),
        effect,
      }),
    );
  });
  return all.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
}
