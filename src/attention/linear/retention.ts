import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkFinite } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { show } from "../../core/notation.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { checkPadding, checkSequences, checkShape, type PaddingOptions } from "./check.ts";
import { hide } from "./numerics.ts";
import { checkForm, type FormOptions, type FormResult, runForm, withoutStray } from "./recurrence-form.ts";

export interface RetentionOptions extends Omit<PaddingOptions, "keyAllow">, FormOptions {
  /** What a step leaves of the state, one number γ a head, above 0 and at most 1. @default retentionDecays(Hkv) */
  decays?: readonly number[];
  /** Turn queries and keys by their positions (the rotation of xPos); D must be even. @default false */
  xpos?: boolean;
  /** The position of the first step, for `xpos`; an integer. @default 0 */
  offset?: number;
  /** Factor of the queries. @default 1/√D */
  scale?: number;
}

/**
 * The decays of RetNet's heads: the first remembers some 32 steps, each next one twice as many.
 *
 *     γ_h = 1 − 2^{−5−h}
 *
 * Shapes: → H numbers. Cost: O(H). Paper: Sun et al. 2023, §2.2, arxiv.org/abs/2307.08621.
 *
 * @example
 * tf.tensor1d(retentionDecays(2)); // [0.96875, 0.984375]
 */
export function retentionDecays(H: number): number[] {
  return Array.from({ length: H }, (_, h) => 1 - 2 ** (-5 - h));
}

/**
 * Retention: attention without a softmax, whose weights fall with the distance.
 *
 *     out_t = scale · Σ_{s≤t} γ^{t−s} (q_t·k_s) v_s = scale · S_tᵀ q_t,    S_t = γ S_{t−1} + k_t v_tᵀ
 *
 * Symbols: γ the decay of a head, S its state. With `xpos` q_t and k_s are turned by t·θ and s·θ first, pair by pair of
 * neighbouring columns, θ_i = 10000^{−2i/D}: then their product knows their distance.
 * Shapes: q [B, H, T, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv] → output [B, H, T, Dv], state [B, Hkv, D, Dv].
 * Conventions: causal always. Forms "chunked" (chunkwise recurrent), "parallel" and "recurrent" give the same. The
 * group norm and the gate are the layer's. Padding neither writes nor decays, and a hidden query gives 0. Where an
 * input is not finite the outputs of its head are NaN from there on, and none before.
 * Cost: O(n·L·(D + Dv) + n·D·Dv) in chunks of L. Paper: Sun et al. 2023, §2, arxiv.org/abs/2307.08621.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION, CONFLICT
 * @draws
 * const one = tf.ones([1, 4, 12, 1]);
 * const values = tf.tile(tf.reshape(tf.eye(12), [1, 1, 12, 12]), [1, 4, 1, 1]); // so the output is the weights
 * return retention(one, one, values, { decays: [0.5, 0.75, 0.875, 1] }).output;
 * @example
 * const { output } = retention(q, k, v, { decays: [0.9, 0.95, 1], chunkSize: 2 }); // [B, H, T, Dv]
 */
export function retention<const O extends RetentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): FormResult<O> {
  const op = "retention";
  const shapes = checkSequences(op, q, k, v);
  const { B, Hkv, T, D, Dv } = shapes;
  const { decays = retentionDecays(Hkv), xpos = false, offset = 0 } = options;
  const { scale = 1 / Math.sqrt(D), state, finite = false } = options;
  if (decays.length !== Hkv || decays.some((gamma) => !(gamma > 0 && gamma <= 1))) {
    throw new OptionError("OPTION", {
      op,
      rule: `decays must be Hkv=${Hkv} numbers above 0 and at most 1`,
      got: show(decays),
      remedy: "give each head's γ, as retentionDecays makes them",
    });
  }
  checkFinite(op, "scale", scale);
  checkForm(op, shapes, options);
  checkCount(op, "offset", offset, Number.MIN_SAFE_INTEGER);
  if (xpos && D % 2 === 1) {
    throw new OptionError("CONFLICT", {
      op,
      rule: "xpos turns pairs of columns, so D must be even",
      got: `D=${D}`,
      remedy: "widen the heads by one column",
    });
  }
  if (state) checkShape(op, "state [B, Hkv, D, Dv]", state, [B, Hkv, D, Dv]);
  const padding = checkPadding(op, shapes, options);
  return tidyAsked((): FormResult<RetentionOptions> => {
    const { keys, queries } = padding();
    const turn = (x: tf.Tensor4D) => (xpos ? rotate(x, offset) : x);
    const inputs = { k: turn(hide(k, keys)), v: hide(v, keys) };
    const scaled = turn(tf.mul(hide(q, queries), scale) as tf.Tensor4D);
    const steps = tf.tile(tf.tensor4d(decays.map(Math.log), [1, Hkv, 1, 1]), [B, 1, T, 1]) as tf.Tensor4D;
    const decay = decays.some((gamma) => gamma < 1) ? hide(steps, keys) : undefined;
    const result = withoutStray(inputs, finite, (clean) =>
      runForm(
        { q: scaled, ...(clean as typeof inputs), ...(decay && { decay }), ...(state && { state }) },
        options,
      ),
    );
    const output = hide(result.output, queries);
    return { ...result, output };
  });
}

/**
 * One step of retention, for decoding: it reads and returns the state.
 *
 *     S_t = γ S_{t−1} + k_t v_tᵀ,    out_t = scale · S_tᵀ q_t
 *
 * Shapes: q [B, H, 1, D], k [B, Hkv, 1, D], v [B, Hkv, 1, Dv] → output [B, H, 1, Dv], state [B, Hkv, D, Dv].
 * Conventions: the same as the whole sequence at once; with `xpos` give the step's position as `offset`.
 * Cost: O(D·Dv) a step. Paper: as `retention`.
 *
 * @throws what `retention` throws
 * @example
 * const token = tf.ones([1, 2, 1, 4]);
 * const { state } = retentionStep(token, token, token); // [1, 2, 4, 4]
 */
export function retentionStep(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  state?: tf.Tensor4D,
  options: Pick<RetentionOptions, "decays" | "xpos" | "offset" | "scale" | "finite"> = {},
): { output: tf.Tensor4D; state: tf.Tensor4D } {
  return retention(q, k, v, { ...options, ...(state && { state }), returnState: true });
}

/** Each pair of neighbouring columns turned by position·10000^{−2i/D}. */
function rotate(x: tf.Tensor4D, offset: number): tf.Tensor4D {
  const [B, H, T, D] = x.shape;
  const angles = Float64Array.from({ length: (T * D) / 2 }, (_, e) => {
    const [t, i] = [Math.floor((2 * e) / D), e % (D / 2)];
    return (offset + t) * 10000 ** ((-2 * i) / D);
  });
  const table = (f: (angle: number) => number) => tf.tensor4d(Float32Array.from(angles, f), [1, T, D / 2, 1]);
  const pairs = tf.reshape(x, [B * H, T, D / 2, 2]);
  const [first, second] = tf.split(pairs, 2, 3) as [tf.Tensor, tf.Tensor];
  const [cos, sin] = [table(Math.cos), table(Math.sin)];
  const turned = tf.concat(
    [tf.sub(tf.mul(first, cos), tf.mul(second, sin)), tf.add(tf.mul(second, cos), tf.mul(first, sin))],
    3,
  );
  return tf.reshape(turned, [B, H, T, D]);
}
