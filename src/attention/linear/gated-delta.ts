import * as tf from "@tensorflow/tfjs-core";
import { checkFinite } from "../../core/check-options.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { checkPadding, checkSequences, checkShape, type PaddingOptions } from "./check.ts";
import { hide } from "./numerics.ts";
import { checkForm, type FormOptions, type FormResult, runForm, withoutStray } from "./recurrence-form.ts";

/** Which rule runs is said by what is given: none is `linear`, decay `gated`, beta `delta`, both `gated_delta`. */
export interface DeltaGates {
  /**
   * Logarithm g of what a step leaves of the state, of all of it or of each of its rows; ≤ 0 where it forgets.
   * [B, Hkv, T] or [B, Hkv, T, D]
   */
  decay?: tf.Tensor;
  /** Share β by which a step corrects what the state returns for its key, from 0 to 1. [B, Hkv, T] */
  beta?: tf.Tensor3D;
}

export interface GatedDeltaOptions extends PaddingOptions, FormOptions {
  /** Factor of the queries. @default 1/√D */
  scale?: number;
}

/** Chunks of the delta rule, whose cost grows with their square, and of decays of rows, which store L²·D numbers. */
const DELTA_CHUNK = 32;
const ROWS_CHUNK = 16;

/**
 * Gated delta rule: a state that forgets, and that replaces what it holds for a key instead of adding to it.
 *
 *     S_t = e^{g_t} S_{t−1} + β_t k_t (v_t − e^{g_t} S_{t−1}ᵀ k_t)ᵀ,    out_t = scale · S_tᵀ q_t
 *
 * Symbols: S the state, g decay, β the share that is corrected; without g nothing is forgotten, without β the rule is
 * S_t = e^{g_t} S_{t−1} + k_t v_tᵀ: ONNX' `linear`, `gated` (g), `delta` (β) and `gated_delta` (both).
 * Shapes: q [B, H, T, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv], decay [B, Hkv, T] or [B, Hkv, T, D], beta [B, Hkv, T] →
 * output [B, H, T, Dv], state [B, Hkv, D, Dv]; H a multiple of Hkv.
 * Conventions: keys should have length 1 where there is β: then β = 1 stores exactly. Forms "chunked", "parallel" and
 * "recurrent" give the same. A hidden step neither writes nor forgets; a hidden query gives 0. Where an input is not
 * finite the outputs of its head are NaN from there on, and none before.
 * Cost: O(n·L·(D + Dv) + n·D·Dv) in chunks of L; β costs O(n·(L² + D²)) more, in the WY form of the product of
 * I − β k kᵀ. Papers: Yang, Kautz & Hatamizadeh 2024, §3, arxiv.org/abs/2412.06464; chunks: Yang et al. 2024, §3,
 * arxiv.org/abs/2406.06484; ONNX LinearAttention-27.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION, DTYPE
 * @draws
 * const order = tf.tensor1d([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], "int32");
 * const keys = tf.cast(tf.reshape(tf.oneHot(order, 4), [1, 1, 12, 4]), "float32");
 * const values = tf.reshape(tf.eye(12), [1, 1, 12, 12]); // so the output is what each query reads
 * return gatedDelta(keys, keys, values, { beta: tf.fill([1, 1, 12], 0.6) }, { scale: 1 }).output;
 * @example
 * const keys = tf.div(k, tf.norm(k, 2, 3, true));
 * const beta = tf.fill([2, 3, 5], 0.5);
 * const { output, state } = gatedDelta(q, keys, v, { beta }, { returnState: true }); // state [2, 3, 4, 7]
 */
export function gatedDelta<const O extends GatedDeltaOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { decay, beta }: DeltaGates = {},
  options: O = {} as O,
): FormResult<O> {
  const op = "gatedDelta";
  const shapes = checkSequences(op, q, k, v);
  const { B, Hkv, T, D, Dv } = shapes;
  const { scale = 1 / Math.sqrt(D), state, finite = false } = options;
  checkFinite(op, "scale", scale);
  checkForm(op, shapes, options);
  if (decay) checkShape(op, "decay [B, Hkv, T] or [B, Hkv, T, D]", decay, [B, Hkv, T], [B, Hkv, T, D]);
  if (beta) checkShape(op, "beta [B, Hkv, T]", beta, [B, Hkv, T]);
  if (state) checkShape(op, "state [B, Hkv, D, Dv]", state, [B, Hkv, D, Dv]);
  const padding = checkPadding(op, shapes, options);
  const usualChunk = decay?.rank === 4 ? ROWS_CHUNK : beta ? DELTA_CHUNK : undefined;
  return tidyAsked((): FormResult<GatedDeltaOptions> => {
    const { keys, queries } = padding();
    const gate = (x: tf.Tensor | undefined) =>
      x && hide(tf.reshape(x, [B, Hkv, T, x.rank === 3 ? 1 : D]) as tf.Tensor4D, keys);
    const inputs = { k: hide(k, keys), v: hide(v, keys), decay: gate(decay), beta: gate(beta) };
    const scaled = tf.mul(hide(q, queries), scale) as tf.Tensor4D;
    const result = withoutStray(inputs, finite, (clean) =>
      runForm(
        { q: scaled, ...(clean as { k: tf.Tensor4D; v: tf.Tensor4D }), ...(state && { state }) },
        options,
        usualChunk,
      ),
    );
    const output = hide(result.output, queries);
    return { ...result, output };
  });
}

/**
 * One step of the gated delta rule, for decoding: it reads and returns the state.
 *
 *     S_t = e^{g_t} S_{t−1} + β_t k_t (v_t − e^{g_t} S_{t−1}ᵀ k_t)ᵀ,    out_t = scale · S_tᵀ q_t
 *
 * Shapes: q [B, H, 1, D], k [B, Hkv, 1, D], v [B, Hkv, 1, Dv], gates as `gatedDelta`'s with T = 1.
 * Conventions: the same as the whole sequence at once; several steps may come together.
 * Cost: O(D·Dv) a step. Paper: as `gatedDelta`.
 *
 * @throws what `gatedDelta` throws
 * @example
 * const token = tf.ones([1, 2, 1, 4]);
 * const { state } = gatedDeltaStep(token, token, token, { beta: tf.ones([1, 2, 1]) }); // [1, 2, 4, 4]
 */
export function gatedDeltaStep(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  gates: DeltaGates = {},
  state?: tf.Tensor4D,
  options: Pick<GatedDeltaOptions, "scale" | "finite"> = {},
): { output: tf.Tensor4D; state: tf.Tensor4D } {
  return gatedDelta(q, k, v, gates, { ...options, ...(state && { state }), returnState: true });
}
