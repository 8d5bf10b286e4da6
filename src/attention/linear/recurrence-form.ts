import * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import type { AttentionShapes } from "../../core/notation.ts";
import { cleaned, isKnownFinite } from "../../ops/attention/guard.ts";
import type { Asked } from "../../ops/tidy.ts";
import { checkSameLength } from "./check.ts";
import { chunkedState, type Recurrence, type StateResult } from "./chunked-state.ts";
import { recurrentState } from "./recurrent-state.ts";

/** How a recurrence is computed; all forms give the same. */
export interface FormOptions {
  /**
   * "chunked": products inside chunks and a state between them. "parallel": one masked product, O(n²). "recurrent":
   * step by step. @default "recurrent" for one step, else "chunked"
   */
  form?: "chunked" | "parallel" | "recurrent";
  /** Steps of one chunk; an integer ≥ 1. @default 64, or what the mechanism says */
  chunkSize?: number;
  /** The state that an earlier call returned, so that this one goes on. @default an empty one */
  state?: tf.Tensor4D;
  /** Return the state after the last step. @default false */
  returnState?: boolean;
  /**
   * Promise that all inputs are finite: saves looking for NaN, and on devices whose answer would have to be waited for
   * (WebGL) the work of keeping it from earlier steps. @default false
   */
  finite?: boolean;
}

export type FormResult<O> = { output: tf.Tensor4D } & Asked<O, "returnState", tf.Tensor4D, "state">;

/** Throws unless T = S and the options are in their ranges. */
export function checkForm(
  op: string,
  shapes: AttentionShapes,
  { form = "chunked", chunkSize = 1 }: FormOptions,
): void {
  checkSameLength(op, shapes);
  checkChoice(op, "form", form, ["chunked", "parallel", "recurrent"]);
  checkCount(op, "chunkSize", chunkSize);
}

/** Runs a recurrence in the form that the options name. */
export function runForm(
  r: Recurrence,
  { form, chunkSize, returnState = false }: FormOptions,
  usualChunk = 64,
): StateResult {
  const steps = r.q.shape[2];
  const chosen = form ?? (steps === 1 ? "recurrent" : "chunked");
  if (chosen === "recurrent") return recurrentState(r, returnState);
  return chunkedState(r, chosen === "parallel" ? steps : (chunkSize ?? usualChunk), returnState);
}

/**
 * Runs a recurrence on inputs free of NaN and infinities, for inside a chunk the future is hidden by a product with 0.
 * From the first step on whose inputs had one, the outputs of its head are NaN, and so is its state.
 */
export function withoutStray<K extends string>(
  inputs: Record<K, tf.Tensor | undefined>,
  finite: boolean,
  run: (clean: Record<K, tf.Tensor | undefined>) => StateResult,
): StateResult {
  const given = Object.values(inputs).filter((x) => x !== undefined) as tf.Tensor[];
  if (finite || given.every(isKnownFinite)) return run(inputs);
  const entries = (Object.entries(inputs) as [K, tf.Tensor | undefined][]).map(([name, x]) => [
    name,
    x && cleaned(x),
  ]);
  const { output, state } = run(Object.fromEntries(entries) as Record<K, tf.Tensor | undefined>);
  const strays = given.map((x) => {
    const [B, Hkv, T] = x.shape as [number, number, number];
    return tf.any(tf.reshape(tf.logicalNot(tf.isFinite(x)), [B, Hkv, T, -1]), 3);
  });
  const stray = tf.cast(
    strays.reduce((a, b) => tf.logicalOr(a, b)),
    "float32",
  );
  const [B, H, T] = output.shape;
  const Hkv = stray.shape[1]!;
  const sofar = tf.greater(tf.cumsum(stray, 2), 0); // [B, Hkv, T]
  const seen = tf.reshape(tf.tile(tf.expandDims(tf.cast(sofar, "int32"), 2), [1, 1, H / Hkv, 1]), [
    B,
    H,
    T,
    1,
  ]);
  const any = tf.reshape(tf.slice(tf.cast(sofar, "int32"), [0, 0, T - 1], [B, Hkv, 1]), [B, Hkv, 1, 1]);
  return { output: spoil(output, seen), ...(state && { state: spoil(state, any) }) };
}

/** x with NaN where `stray` is 1; no gradient comes from there. */
function spoil(x: tf.Tensor4D, stray: tf.Tensor): tf.Tensor4D {
  const select = tf.customGrad((input, save) => {
    const where = tf.cast(stray, "bool");
    (save as unknown as tf.GradSaveFunc)([where]);
    return {
      value: tf.where(where, Number.NaN, input as tf.Tensor),
      gradFunc: ((dy: tf.Tensor, [gone]: tf.Tensor[]) => tf.where(gone!, 0, dy)) as (
        dy: tf.Tensor,
      ) => tf.Tensor,
    };
  });
  return select(x) as tf.Tensor4D;
}
