import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkOptionNames, type OptionNames } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { compileProgram } from "../../core/program.ts";
import { checkRank } from "../../core/shapes.ts";
import { cleaned, isKnownFinite } from "../../ops/attention/guard.ts";
import { singleHeadMask } from "../../ops/attention/mask.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { type AttendMask, type AttendOptions, attend } from "./attend.ts";

export interface LuongLocalInputs extends Pick<AttendOptions, "queries" | "keys" | "values" | "prepared"> {}

/** Of local-p; local-m has none. */
export interface LuongLocalParameters {
  /** [Dq, A] */
  wp: tf.Tensor2D;
  /** [A] */
  vp: tf.Tensor1D;
}

type Taken = "score" | "dropout" | "training" | "weights" | "finite";

export interface LuongLocalOptions extends Pick<AttendOptions, Taken> {
  /** Keys seen on each side of p_t, the paper's D: an integer ≥ 1. @default 10 */
  radius?: number;
  /** Of local-m: p_t of query 0, an integer, as where a decoder asks step by step. @default 0 */
  offset?: number;
  /** Of local-p: let the weights sum to 1 again after the Gaussian factor. @default false, as in the paper */
  renormalize?: boolean;
  /** What else hides keys from a query. @default everything within the window */
  mask?: Pick<AttendMask, "allow" | "bias" | "queryLengths" | "keyLengths" | "softCap" | "onEmptyRow">;
}

const NAMES: OptionNames<LuongLocalOptions> = {
  ...{ score: true, dropout: true, training: true, weights: true, finite: true },
  ...{ radius: true, offset: true, renormalize: true, mask: true },
};

export type LuongLocalResult<O> = {
  output: tf.Tensor3D;
  /** p_t, [B, T] */
  positions: tf.Tensor2D;
} & Asked<O, "weights", tf.Tensor3D>;

/**
 * Luong's local attention: every query reads a window around a position, which is its own step or predicted.
 *
 *     local-m:  p_t = t + offset,                    α_ts = softmax_s(score(q_t, k_s))
 *     local-p:  p_t = S · σ(v_pᵀ tanh(W_p q_t)),     α_ts = softmax_s(score(q_t, k_s)) · exp(−(s − p_t)² / 2σ²)
 *     output_t = Σ_s α_ts v_s,    |s − p_t| ≤ radius,    σ = radius/2
 *
 * Symbols: q queries (the paper's h_t), k keys, v values; W_p and v_p learned: local-p with them, local-m without; S
 * the number of keys, that of an example's `keyLengths` where they are given.
 * Shapes: queries [B, T, Dq], keys [B, S, Dk], values [B, S, Dv], wp [Dq, A], vp [A] → output [B, T, Dv], positions
 * [B, T], weights [B, T, S].
 * Conventions: the softmax runs over the window. Local-p's weights sum to less than 1, unless `renormalize` is set,
 * which is softmax(score − (s − p_t)²/2σ²). The gradient reaches W_p and v_p through the Gaussian; where the window
 * ends has none. Positions count from 0 and are real numbers. Any score of src/attention/score; masks compose, an
 * empty window gives 0.
 * Cost: the score's, and O(B·T·S·Dv). Local-m, and local-p renormalised, are one kernel where the score has one; the
 * paper's local-p is composed, because its factor comes after the softmax.
 * Paper: Luong, Pham & Manning 2015, §3.2, arxiv.org/abs/1508.04025.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · OptionError OPTION · and what `attend` throws
 * @draws
 * // Local-p: 14 queries predict where to look among 20 keys, ever later.
 * const place = tf.reshape(tf.linspace(-1.2, 1.2, 14), [1, 14, 1]);
 * const keys = tf.reshape(tf.sin(tf.mul(tf.range(0, 20), 1.7)), [1, 20, 1]);
 * const parameters = { wp: tf.ones([1, 1]), vp: tf.tensor1d([2.6]) };
 * const options = { radius: 4, weights: true };
 * return tf.squeeze(luongLocalAttention({ queries: place, keys, values: keys }, parameters, options).weights);
 * @example
 * const parameters = { wp: tf.randomNormal([4, 6]), vp: tf.randomNormal([6]) };
 * const inputs = { queries, keys, values };
 * const { positions, weights } = luongLocalAttention(inputs, parameters, { radius: 2, weights: true }); // local-p
 * luongLocalAttention(inputs, undefined, { radius: 2 }).positions; // local-m: [[0, 1, 2], [0, 1, 2]]
 */
export function luongLocalAttention<const O extends LuongLocalOptions>(
  inputs: LuongLocalInputs,
  parameters?: LuongLocalParameters,
  options: O = {} as O,
): LuongLocalResult<O> {
  const { radius = 10, offset = 0, renormalize = false, mask = {}, ...rest }: LuongLocalOptions = options;
  checkOptionNames("luongLocalAttention", options, NAMES);
  checkLocal(inputs, parameters, { radius, offset, mask });
  const { queries, keys } = inputs;
  const [B, T] = queries.shape;
  return tidyAsked((): LuongLocalResult<LuongLocalOptions> => {
    if (!parameters) {
      const band = { window: { left: radius, right: radius }, queryOffset: offset };
      const positions = tf.broadcastTo<tf.Rank.R2>(tf.range(offset, offset + T), [B, T]);
      const result = attend({ ...inputs, ...rest, mask: { ...mask, ...band } });
      return { ...result, positions };
    }
    const positions = predict(queries, keys.shape[1], parameters, mask, rest.finite);
    // (s − p_t)² and whether s is in the window, [B, T, S].
    const away = tf.sub(tf.range(0, keys.shape[1]), tf.expandDims(positions, -1));
    const inside = tf.lessEqual(tf.abs(away), radius);
    const allow = mask.allow ? tf.logicalAnd(mask.allow, inside) : inside;
    const gauss = tf.mul(tf.square(away), -2 / radius ** 2);
    const within = { ...inputs, ...rest, mask: { ...mask, allow } };
    const result = renormalize
      ? attend({ ...within, mask: { ...within.mask, bias: mask.bias ? tf.add(mask.bias, gauss) : gauss } })
      : attend({ ...within, normalize: (scores) => tf.mul(softmax(scores), tf.exp(gauss)) });
    return { ...result, positions };
  });
}

/** p_t = S · σ(v_pᵀ tanh(W_p q_t)), [B, T]. */
function predict(
  queries: tf.Tensor3D,
  S: number,
  { wp, vp }: LuongLocalParameters,
  { keyLengths }: NonNullable<LuongLocalOptions["mask"]>,
  finite: boolean | undefined,
): tf.Tensor2D {
  const [B, T] = queries.shape;
  // NaN of hidden queries must not reach the gradients of W_p; NaN of others spoils their rows through the score.
  const clean = finite || isKnownFinite(queries) ? queries : cleaned(queries);
  const share = tf.sigmoid(linear(tf.tanh(linear(clean, wp)), tf.reshape(vp, [vp.size, 1])));
  const lengths = keyLengths instanceof tf.Tensor ? keyLengths.dataSync() : keyLengths;
  const length = lengths ? tf.tensor2d(Float32Array.from(lengths), [B, 1]) : S;
  return tf.mul(tf.reshape(share, [B, T]), length);
}

function checkLocal(
  { queries, keys }: LuongLocalInputs,
  parameters: LuongLocalParameters | undefined,
  { radius, offset, mask }: Required<Pick<LuongLocalOptions, "radius" | "offset" | "mask">>,
): void {
  const op = "luongLocalAttention";
  checkRank(op, "queries [B, T, Dq]", queries, 3);
  checkRank(op, "keys [B, S, Dk]", keys, 3);
  checkCount(op, "radius", radius);
  if (!Number.isSafeInteger(offset)) {
    throw new OptionError("OPTION", outOfRange({ op, name: "offset", rule: "an integer", got: offset }));
  }
  const [B, T, Dq] = queries.shape;
  const shapes = { B, T, S: keys.shape[1], H: 1, Hkv: 1, D: Dq, Dv: 1 };
  // Local-p makes new masks of these, which would fit where they do not.
  tf.tidy(() => void compileProgram<tf.Tensor>(op, shapes, singleHeadMask(op, shapes, mask)));
  if (!parameters) return;
  const { wp, vp } = parameters;
  const A = vp.shape[0];
  checkTensors(op, [
    { name: "wp", tensor: wp, letters: "[Dq, A]", shape: [Dq, A] },
    { name: "vp", tensor: vp, letters: "[A]", shape: [A] },
  ]);
}
