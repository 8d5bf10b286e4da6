import { refusal } from "../capture/refuse.ts";
import { type AttentionCall, attentionCalls } from "../ops/attention/observe.ts";
import { tidy } from "../ops/tidy.ts";
import { changed } from "./apply.ts";
import { checkInterventions } from "./check.ts";
import type { Intervention } from "./intervention.ts";
import { type Numbered, planOf } from "./plan.ts";
import type { Recording } from "./recording.ts";
import { checkDone, checkRun, layerNotThere } from "./refuse.ts";
import { listOf } from "./region.ts";

export interface InterveneOptions {
  /** Recorded runs by name, which `patch` takes from. @default none */
  readonly runs?: Readonly<Record<string, Recording>>;
  /**
   * A recording of this very run without changes (`keep: []` is enough): whatever interventions name is looked up there before
   * anything runs. @default none: each call is asked when its turn comes
   */
  readonly like?: Recording;
}

const OP = "intervene";

/**
 * Runs something while its attention is changed: what would come out, were this head, key, query or edge not there, were these
 * the weights, had this come from another run?
 *
 *     knockOut   α = softmax over the keys that are left ("shared"), or 0 where they stood ("lost")
 *     scale      α ← by · α          pin    α ← the given rows          swap    α of two heads, queries or keys exchanged
 *     patch      q, k, v, α or o ← those of a recorded run
 *     freeze     o = stop(α) · v: the same output, whose gradients go through the values alone
 *
 * Symbols: α weights, o output of a call of attention. Whatever calls heed's attention can be run: a function, a layer, a model,
 * a published checkpoint. Calls are counted as in a trace of `capture`: `layer: 3` is its fourth; a list, or all where it is
 * left out. So are `heads`, `queries`, `keys` and `examples`.
 * Conventions: scale, pin and swap stand between softmax and values: a row pinned to one weight of 1 gives exactly that value.
 * A query that is left with nothing gives 0. Pinned weights pass masks and dropout; nothing else does. A weight of 0 reads
 * nothing, not even NaN. In one call inputs are patched first, then keys hidden, then weights frozen and changed in the order
 * of the list, then outputs patched. Weights and lse that a call returns beside its output are those of before. Where a
 * mechanism joins several calls by their lse (`longformerAttention`, `nsaAttention`), each call is a layer of its own.
 * Interventions are plain JSON. Inside `capture` or `record` they are seen as changed: capture(() => intervene(…)). Tensors that
 * the run returns stay, all others are disposed. It must be done when it returns.
 * What is wrong with a list is said before anything runs. What a list names can be missing in the run: with `like` that is said
 * before as well, without it at the call, which is not changed then.
 * Gradients: of everything, in the changed run.
 * Cost: one more pass of the calls that are changed, none where whole rows are (heads, queries, pins, outputs), two where some
 * rows are frozen and others changed. Hiding, patching, pinning, freezing and all that is said of whole keys runs in the fused
 * kernel; arrays of T × S are made for weights of another run, for swapped heads, and for `lost` or scaled weights of some
 * queries.
 *
 * @throws OptionError OPTION, UNKNOWN, CONFLICT before anything runs; OPTION, UNSUPPORTED and ShapeError SHAPE where a call has
 *   not what is named, before anything runs with `like`, and else before that call is changed
 * @example
 * const before = attention(q, k, v).output;
 * const after = intervene(() => attention(q, k, v).output, [{ do: "knockOut", heads: 1, keys: [0, 2] }]);
 * const third = intervene(() => attention(q, k, v).output, [{ do: "pin", weights: [0, 0, 1, 0, 0] }]);
 * tf.slice(third, [0, 0, 0, 0], [1, 1, 1, 7]); // v[0, 0, 2], in every row
 * @example
 * const clean = record(() => attention(q, k, v).output);
 * intervene(() => attention(k, k, v).output, [{ do: "patch", what: "output", from: "clean", heads: 0 }], { runs: { clean } });
 * clean.dispose();
 */
export function intervene<R>(
  run: () => R,
  interventions: readonly Intervention[],
  { runs = {}, like }: InterveneOptions = {},
): R {
  checkRun(OP, run);
  checkInterventions(OP, interventions, runs);
  const numbered = [...interventions.entries()];
  if (like) checkLike(numbered, like, runs);
  const outer = attentionCalls.observer;
  let calls = 0;
  const observe = (call: AttentionCall) => {
    const layer = calls++;
    const here = ofLayer(numbered, layer);
    const now = here.length > 0 ? changed(OP, layer, call, here, runs) : call;
    outer?.(now);
    call.output = now.output;
  };
  return tidy(() => {
    const result = checkDone(OP, attentionCalls.during(observe, run));
    checkReached(numbered, calls);
    return result;
  });
}

const ofLayer = (numbered: readonly Numbered[], layer: number) =>
  numbered.filter(([, { layer: given }]) => listOf(given)?.includes(layer) ?? true);

/** Throws where a recorded run has not what interventions name, or other lengths than what they take. */
function checkLike(
  numbered: readonly Numbered[],
  { calls }: Recording,
  runs: Readonly<Record<string, Recording>>,
): void {
  checkReached(numbered, calls.length);
  for (const [layer, { op, shapes, isScored = true }] of calls.entries()) {
    // A recording that was put together by hand may not know.
    if (!shapes) continue;
    planOf(
      OP,
      layer,
      { program: { op, shapes }, scored: isScored || undefined },
      ofLayer(numbered, layer),
      runs,
    );
  }
}

/** Throws where the run was over before the call that an intervention names. */
function checkReached(numbered: readonly Numbered[], calls: number): void {
  if (calls === 0 && numbered.length > 0) {
    const remedy = "run what calls heed's attention, and put capture or record around intervene";
    throw refusal(OP, "the run", "call attention", "no call", remedy);
  }
  for (const [n, { layer }] of numbered) {
    const got = listOf(layer)?.find((one) => one >= calls);
    if (got !== undefined) throw layerNotThere(OP, `interventions[${n}].layer`, calls, got);
  }
}
