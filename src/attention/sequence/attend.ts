import * as tf from "@tensorflow/tfjs-core";
import { checkOptionNames, type OptionNames } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { type AttentionProgram, compileProgram, type ProgramOptions } from "../../core/program.ts";
import { checkRank, checkSame } from "../../core/shapes.ts";
import { runAdditiveProgram } from "../../ops/attention/additive.ts";
import { composed, type Normalize, overOneHead, withoutHead } from "../../ops/attention/composed.ts";
import { type AttentionTensors, fusedAttention, hasAttentionKernels } from "../../ops/attention/fused.ts";
import { type SingleHeadMask, singleHeadMask } from "../../ops/attention/mask.ts";
import { type AttentionCall, notifyOfCall } from "../../ops/attention/observe.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { type NormalizerName, normalizerOf } from "../normalize/normalizers.ts";
import { softmaxPlusOne } from "../normalize/softmax-plus-one.ts";
import { scaledDotScore } from "../score/scaled-dot.ts";
import type { HiddenLayer, Score } from "../score/score.ts";
import { project } from "./project.ts";

/** What a query may see; all of it composes. */
export type AttendMask = SingleHeadMask;

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
  /**
   * Scores [B, T, S] to weights over the last axis: a function of a tensor in which hidden keys are −∞, or one of
   * `NORMALIZERS` by name. @default "softmax"
   */
  normalize?: Normalize | NormalizerName;
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

const NAMES: OptionNames<AttendOptions> = {
  ...{ queries: true, keys: true, values: true, score: true, prepared: true, mask: true, normalize: true },
  ...{ trace: true, weights: true, finite: true, dropout: true, training: true },
};

/** Every stage of one call, by name; each follows from the one before. `encoded` is `values` itself. */
export interface AttendTrace {
  readonly encoded: tf.Tensor3D;
  readonly scores: tf.Tensor3D;
  readonly masked: tf.Tensor3D;
  readonly weights: tf.Tensor3D;
  readonly context: tf.Tensor3D;
  readonly output: tf.Tensor3D;
}

export type AttendResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor3D> &
  Asked<O, "trace", AttendTrace>;

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
 * @throws ShapeError RANK, DIMENSION, SHAPE · OptionError OPTION for a score or a mask that is none · what the score and
 *   `compileProgram` throw
 * @draws
 * const queries = tf.randomNormal([1, 8, 4], 0, 2, "float32", 1);
 * const { trace } = attend({ queries, keys: queries, values: queries, mask: { causal: true }, trace: true });
 * return trace.weights;
 * @example
 * const { output, weights } = attend({ queries, keys, values, mask: { keyLengths: [3, 5] }, weights: true });
 */
export function attend<const O extends AttendOptions>(options: O): AttendResult<O> {
  const op = "attend";
  checkOptionNames(op, options, NAMES);
  const { queries, keys, values, prepared, score = scaledDotScore(), dropout, training } = options;
  checkScore(op, score);
  const normalize = normalizerOf(op, options.normalize ?? softmax);
  const shapes = singleHeadShapes(op, queries, keys, values);
  checkPrepared(op, keys, prepared);
  return tidyAsked((): AttendResult<AttendOptions> => {
    const given = options.mask instanceof tf.Tensor ? { allow: options.mask } : (options.mask ?? {});
    const mask = singleHeadMask(op, shapes, given);
    const program = compileProgram<tf.Tensor>(op, shapes, { ...mask, dropout, training });
    const plusOne = normalize === softmaxPlusOne;
    const { hidden, factor } = score;
    if (!options.trace && (plusOne || normalize === softmax)) {
      const soft = plusOne ? { ...program, sink: 0 } : program;
      if (hidden) return attendHidden(soft, score, hidden, options);
      if (factor && hasAttentionKernels()) return attendFused(soft, score, factor, options);
    }
    return attendComposed(program, score, normalize, options);
  });
}

/** Any score and normaliser, of TensorFlow.js ops: one head of the composed path. */
function attendComposed(
  program: AttentionProgram<tf.Tensor>,
  score: Score,
  normalize: Normalize,
  { queries, keys, values, prepared, finite, ...wants }: AttendOptions,
): AttendResult<AttendOptions> {
  const stagesOf = (given: AttentionProgram<tf.Tensor>, values: tf.Tensor) =>
    composed(given, {
      score: (clean) => {
        const ready = prepared ? clean(prepared) : score.prepare(clean(keys));
        return tf.expandDims(score.score(clean(queries), ready), 1);
      },
      inputs: [queries, prepared ?? keys],
      values: tf.expandDims(values, 1),
      original: values,
      normalize: overOneHead(normalize),
      finite,
    });
  const all = stagesOf(program, values);
  const [scores, masked, weights] = [all.scores, all.masked, all.weights].map((stage) =>
    withoutHead<tf.Tensor3D>(stage),
  ) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  const callOf = (
    given: AttentionProgram<tf.Tensor>,
    own: tf.Tensor,
    made: ReturnType<typeof stagesOf>,
  ): AttentionCall => ({
    program: given,
    weights: () => withoutHead(made.weights),
    values: own,
    output: withoutHead(made.output),
    again: ({ program: other = given, values: others = own }) =>
      callOf(other, others, stagesOf(other, others)),
  });
  const output = notifyOfCall(callOf(program, values, all)) as tf.Tensor3D;
  const trace = { encoded: values, scores, masked, weights, context: output, output };
  return { output, ...(wants.weights && { weights }), ...(wants.trace && { trace }) };
}

/** A score that is factor · query·key, in one kernel: attention of one head. */
function attendFused(
  program: AttentionProgram<tf.Tensor>,
  score: Score,
  factor: NonNullable<Score["factor"]>,
  options: AttendOptions,
) {
  const { queries, values, weights, finite } = options;
  const { B, T, S, Dv } = program.shapes;
  const keys = preparedKeys(program, score, options);
  const scale = factor(queries, keys);
  const asked = score.query ? project(program, queries, score.query, finite) : queries;
  const scaled = { ...program, scale, shapes: { ...program.shapes, D: asked.shape[2] } };
  const shapes = { output: [B, T, Dv], lse: [B, T], weights: [B, T, S] };
  const callOf = (given: AttentionProgram<tf.Tensor>, tensors: AttentionTensors): AttentionCall => {
    const { q, k, v } = tensors;
    return {
      ...fusedAttention(given, "bhtd", tensors, shapes),
      program: given,
      scored: { layout: "bhtd", q, k },
      values: v,
      again: ({ program: other = given, values: own = v, ...scored }) =>
        callOf(other, { q, k, v: own, ...scored }),
    };
  };
  const call = callOf(scaled, { q: asked, k: keys, v: values });
  return {
    output: notifyOfCall(call) as tf.Tensor3D,
    ...(weights && { weights: call.weights() as tf.Tensor3D }),
  };
}

/** A score v·tanh(query + key), in one kernel where the backend has it. */
function attendHidden(
  program: AttentionProgram<tf.Tensor>,
  score: Score,
  { v, query }: HiddenLayer,
  options: AttendOptions,
) {
  const { queries, values, weights, finite } = options;
  const key = preparedKeys(program, score, options);
  const tensors = {
    query: project(program, queries, (x) => query(x, key), finite),
    key,
    v,
    value: values,
  };
  return runAdditiveProgram(program, tensors, { weights, finite });
}

function preparedKeys(
  program: AttentionProgram<tf.Tensor>,
  score: Score,
  { keys, prepared, finite }: AttendOptions,
): tf.Tensor3D {
  return prepared ?? project(program, keys, (x) => score.prepare(x), finite);
}

/** Throws for the function that makes a score, for a name, and for a function of queries and keys. */
function checkScore(op: string, score: Score): void {
  if (typeof score?.prepare === "function" && typeof score.score === "function") return;
  const given: unknown = score;
  throw new OptionError("OPTION", {
    op,
    rule: "score must be what scaledDotScore() or another function of its kind returns",
    got: typeof given === "string" ? given : `${typeof given === "object" ? "an" : "a"} ${typeof given}`,
    remedy: "call that function, or write an object { name, prepare, score } of your own",
  });
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

function singleHeadShapes(op: string, queries: tf.Tensor3D, keys: tf.Tensor3D, values: tf.Tensor3D) {
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
