import { keep, type Tensor } from "@tensorflow/tfjs-core";
import { layoutOf } from "../capture/example.ts";
import { checkChoice } from "../core/check-options.ts";
import type { AttentionShapes } from "../core/notation.ts";
import { type AttentionCall, attentionCalls } from "../ops/attention/observe.ts";
import { tidy } from "../ops/tidy.ts";
import { PARTS, type Part } from "./intervention.ts";
import { checkDone, checkRun } from "./refuse.ts";
import { headsFirst, untaped } from "./tensors.ts";

/** What is kept of a call, heads first whatever its layout; a call of one head has an axis of one. */
export interface Recorded {
  /** The function that made it. */
  readonly op: string;
  /** Its sizes. */
  readonly shapes?: AttentionShapes;
  /** Whether it scores by dot products, so that it has q and k. */
  readonly isScored?: boolean;
  /** [B, H, T, D] */
  readonly q?: Tensor;
  /** [B, Hkv, S, D] */
  readonly k?: Tensor;
  /** [B, Hkv, S, Dv] */
  readonly v?: Tensor;
  /** [B, H, T, S], before dropout. */
  readonly weights?: Tensor;
  /** [B, H, T, Dv] */
  readonly output?: Tensor;
}

/** The calls of a run, in their order. */
export interface Recording {
  readonly calls: readonly Recorded[];
}

export interface RecordOptions {
  /** What is kept; weights take T·S numbers a head. @default all but weights */
  readonly keep?: readonly Part[];
  /** The calls that are kept, of others nothing is. @default all */
  readonly layers?: readonly number[];
}

/** A recording and what its run returned. */
export interface RunRecording<R> extends Recording {
  readonly result: R;
  /** Lets go of what was kept, not of the result. */
  dispose(): void;
}

/**
 * Runs something and keeps parts of every call of attention in it, for `intervene` to take from.
 *
 *     record(run) = { calls: [{ q, k, v, output } of call n], result: run() }
 *
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], weights [B, H, T, S], output [B, H, T, Dv], whatever layout
 * the calls have. Conventions: recorded tensors are constants, through which no gradient goes; they live until `dispose`. Calls
 * whose score is no dot product have no q and k. A run in which `intervene` changes something is recorded as changed. It must be
 * done when it returns. Cost: the run's, and the memory of what is kept.
 *
 * @throws OptionError OPTION, UNSUPPORTED
 * @example
 * const clean = record(() => attention(q, k, v), { keep: ["weights", "v"] });
 * clean.calls[0].weights.shape; // [2, 3, 5, 5]
 * clean.dispose();
 */
export function record<R>(run: () => R, options: RecordOptions = {}): RunRecording<R> {
  const op = "record";
  checkRun(op, run);
  const { keep: kept = PARTS.filter((part) => part !== "weights"), layers } = options;
  for (const part of kept) checkChoice(op, "keep", part, PARTS);
  const calls: Recorded[] = [];
  const dispose = () => {
    for (const call of calls) for (const part of PARTS) call[part]?.dispose();
    calls.length = 0;
  };
  const outer = attentionCalls.observer;
  const observe = (call: AttentionCall) => {
    const isKept = layers?.includes(calls.length) ?? true;
    const { op, shapes } = call.program;
    calls.push({ op, shapes, isScored: call.scored !== undefined, ...(isKept && partsOf(call, kept)) });
    outer?.(call);
  };
  try {
    const result = tidy(() => checkDone(op, attentionCalls.during(observe, run)));
    return { calls, result, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function partsOf(call: AttentionCall, kept: readonly Part[]): Partial<Record<Part, Tensor>> {
  const { scored, values, output, weights } = call;
  const layout = layoutOf(call);
  const read: Record<Part, (() => Tensor) | undefined> = {
    q: scored && (() => headsFirst(scored.q, layout)),
    k: scored && (() => headsFirst(scored.k, layout)),
    v: () => headsFirst(values, layout),
    weights: () => headsFirst(weights(), "bhtd"),
    output: () => headsFirst(output, layout),
  };
  const parts: Partial<Record<Part, Tensor>> = {};
  for (const part of kept) {
    const make = read[part];
    if (make) parts[part] = keep(untaped(make));
  }
  return parts;
}
