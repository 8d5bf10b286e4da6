import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { checkRank, checkSame } from "../../core/shapes.ts";
import { allowTensor } from "../mask/allow.ts";
import { scaledDotScore } from "../score/scaled-dot.ts";
import type { Score } from "../score/score.ts";
import { addConstant, cleaned, isKnownFinite, strayValues, visibleKeys } from "./guard.ts";
import { type Normalize, weigh } from "./weigh.ts";

/** What a query may see; all of it composes. */
export interface AttendMask
  extends Pick<ProgramOptions<tf.Tensor>, "causal" | "queryOffset" | "window" | "onEmptyRow" | "softCap"> {
  /** `true` where a query may attend: bool [T, S] or [B, T, S], any length may be 1. */
  allow?: tf.Tensor;
  /** Added to the scores: float [T, S] or [B, T, S], any length may be 1. */
  bias?: tf.Tensor;
  /** Valid queries per example [B]; a tensor is read from the device. */
  queryLengths?: ArrayLike<number> | tf.Tensor1D;
  /** Valid keys per example [B]; a tensor is read from the device. */
  keyLengths?: ArrayLike<number> | tf.Tensor1D;
}

export interface AttendOptions extends Pick<ProgramOptions, "dropout" | "training"> {
  /** [B, T, Dq] */
  queries: tf.Tensor3D;
  /** [B, S, Dk] */
  keys: tf.Tensor3D;
  /** [B, S, Dv] */
  values: tf.Tensor3D;
  /** @default scaledDotScore() */
  score?: Score;
  /** `score.prepare(keys)`, where one source is asked many times. @default computed here */
  prepared?: tf.Tensor3D;
  /** A bool tensor means `{ allow }`. @default everything is visible */
  mask?: tf.Tensor | AttendMask;
  /** Scores to weights over the last axis. @default softmax */
  normalize?: Normalize;
  /** Return every stage. @default false */
  trace?: boolean;
  /** Return the weights [B, T, S], before dropout. @default false */
  weights?: boolean;
  /**
   * Promise that all inputs are finite even in hidden places: saves looking for NaN, and on devices whose answer would
   * have to be waited for (WebGL) a second product. @default false
   */
  finite?: boolean;
}

/** Every stage of one call, by name; each follows from the one before. `encoded` is `values` itself. */
export interface AttendTrace {
  readonly encoded: tf.Tensor3D;
  readonly scores: tf.Tensor3D;
  readonly masked: tf.Tensor3D;
  readonly weights: tf.Tensor3D;
  readonly context: tf.Tensor3D;
  readonly output: tf.Tensor3D;
}

export type AttendResult<O> = { output: tf.Tensor3D } & (O extends { weights: true }
  ? { weights: tf.Tensor3D }
  : { weights?: tf.Tensor3D }) &
  (O extends { trace: true } ? { trace: AttendTrace } : { trace?: AttendTrace });

/**
 * Attention in its four steps: score → mask → normalise → aggregate.
 *
 *     e_ts = score(q_t, k_s),    α_t = normalize_s(e_ts, visible s),    c_t = Σ_s α_ts v_s
 *
 * Symbols: q queries, k keys, v values, e scores, α weights, c contexts.
 * Shapes: queries [B, T, Dq], keys [B, S, Dk], values [B, S, Dv] → output [B, T, Dv].
 * Conventions: masks as in the attention program (core/program.ts): `true` means attend; a row without a visible key
 * gives 0; NaN in hidden places leaks nowhere, except from keys that were prepared outside: clean those before.
 * Without a mask nothing is spent on one. Differentiable wherever score and normaliser are.
 * Cost: the score's, and O(B·T·S·Dv). Paper: Bahdanau, Cho & Bengio 2014, §3.1, arxiv.org/abs/1409.0473.
 *
 * @throws ShapeError RANK, DIMENSION, BROADCAST · what the score and `compileProgram` throw
 * @example
 * const { output, weights } = attend({ queries, keys, values, mask: { keyLengths: [3, 5] }, weights: true });
 */
export function attend<const O extends AttendOptions>(options: O): AttendResult<O>;
export function attend(options: AttendOptions): AttendResult<AttendOptions> {
  const op = "attend";
  const { queries, keys, values, prepared, score = scaledDotScore(), normalize, dropout, training } = options;
  const shapes = headlessShapes(op, queries, keys, values);
  checkPrepared(op, keys, prepared);
  return tf.tidy(() => {
    const mask = headlessMask(op, shapes, options.mask);
    const program = compileProgram<tf.Tensor>(op, shapes, { ...mask, dropout, training });
    const { B, T, S } = shapes;
    const allow4 = allowTensor(program);
    const allow = allow4 && tf.reshape(allow4, [allow4.shape[0], allow4.shape[2], S]);
    const bias = mask.bias && (tf.squeeze(mask.bias, mask.bias.rank === 4 ? [1] : []) as tf.Tensor);
    const seen = options.finite ? undefined : visibleKeys(allow, bias);
    const dirtyScores = seen && ![queries, prepared ?? keys].every(isKnownFinite);
    const dirtyValues = seen && !isKnownFinite(values);
    const cleanProduct = () =>
      score.score(cleaned(queries), prepared ? cleaned(prepared) : score.prepare(cleaned(keys)));
    const product = () => score.score(queries, prepared ?? score.prepare(keys));
    const { scores, masked, weights, dropped } = weigh(program, dirtyScores ? cleanProduct() : product(), {
      allow: dirtyScores ? seen : allow,
      bias,
      normalize,
      raw: dirtyScores ? product() : undefined,
    });
    let output = tf.matMul(dropped, dirtyValues ? cleaned(values) : values) as tf.Tensor3D;
    if (dirtyValues) {
      output = addConstant(output, strayValues(dropped, tf.broadcastTo(seen, [B, T, S]), values));
    }
    const stages = { encoded: values, scores, masked, weights, context: output, output } as AttendTrace;
    return {
      output,
      ...(options.weights ? { weights: weights as tf.Tensor3D } : {}),
      ...(options.trace ? { trace: stages } : {}),
    } as unknown as tf.TensorContainerObject;
  }) as unknown as AttendResult<AttendOptions>;
}

/** Throws unless prepared keys are [B, S, *]. */
function checkPrepared(op: string, keys: tf.Tensor3D, prepared: tf.Tensor3D | undefined): void {
  if (!prepared) return;
  const name = "prepared [B, S, *]";
  checkRank(op, name, prepared, 3);
  for (const [axis, letter] of ["B", "S"].entries()) {
    checkSame(op, letter, { name: "keys [B, S, Dk]", array: keys, axis }, { name, array: prepared, axis });
  }
}

function headlessShapes(op: string, queries: tf.Tensor3D, keys: tf.Tensor3D, values: tf.Tensor3D) {
  checkRank(op, "queries [B, T, Dq]", queries, 3);
  checkRank(op, "keys [B, S, Dk]", keys, 3);
  checkRank(op, "values [B, S, Dv]", values, 3);
  const key = (axis: number) => ({ name: "keys [B, S, Dk]", array: keys, axis });
  const value = (axis: number) => ({ name: "values [B, S, Dv]", array: values, axis });
  checkSame(op, "B", { name: "queries [B, T, Dq]", array: queries, axis: 0 }, key(0));
  checkSame(op, "B", key(0), value(0));
  checkSame(op, "S", key(1), value(1));
  const [B, T, D] = queries.shape;
  const [, S, Dv] = values.shape;
  return { B, T, S, H: 1, Hkv: 1, D, Dv };
}

/** The mask as the program takes it: lengths in ordinary memory, an axis of one head in `allow` and `bias`. */
function headlessMask(
  op: string,
  { B, T, S }: { B: number; T: number; S: number },
  mask: tf.Tensor | AttendMask = {},
): ProgramOptions<tf.Tensor> {
  const given: AttendMask = mask instanceof tf.Tensor ? { allow: mask } : mask;
  const withHead = (name: string, array: tf.Tensor | undefined) => {
    if (!array || array.rank === 2) return array;
    const expected = [B, T, S];
    if (array.rank !== 3 || array.shape.some((n, axis) => n !== 1 && n !== expected[axis])) {
      throw new ShapeError("BROADCAST", { op, name, letters: "[B, T, S]", expected, got: array.shape });
    }
    return tf.expandDims(array, 1);
  };
  const read = (lengths: ArrayLike<number> | tf.Tensor1D | undefined) =>
    lengths instanceof tf.Tensor ? lengths.dataSync() : lengths;
  return {
    ...given,
    allow: withHead("allow", given.allow),
    bias: withHead("bias", given.bias),
    queryLengths: read(given.queryLengths),
    keyLengths: read(given.keyLengths),
  };
}
