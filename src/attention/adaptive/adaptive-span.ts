import * as tf from "@tensorflow/tfjs-core";
import { checkNotNegative, checkPositive } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { compileProgram } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { WANTED_OPTION_NAMES } from "../../ops/attention/run.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { checkParameter } from "./check.ts";

export interface AdaptiveSpanParameters {
  /** z, the span of each head in keys, [H]; keep it in 0 … maxSpan by clipping after each step, as the paper does. */
  z: tf.Tensor1D;
}

export interface AdaptiveSpanOptions extends Omit<AttentionOptions, "bias" | "layout"> {
  /** R > 0, the keys over which the mask falls from 1 to 0. @default 32 */
  ramp?: number;
  /** The largest span that z may take: keys beyond maxSpan + R are not even looked at. @default Infinity */
  maxSpan?: number;
  /** Added to the scores besides the span's mask: float [T, S] or [B, H, T, S], any length may be 1. */
  bias?: tf.Tensor;
}

/**
 * Adaptive span: every head learns how far back it looks.
 *
 *     α_ts = m_z(x_ts) exp(e_ts) / Σ_r m_z(x_tr) exp(e_tr),    m_z(x) = clamp((R + z − x)/R, 0, 1),    e = scale · q·k
 *
 * Symbols: z the head's span, x_ts = |t + offset − s| the distance of query and key, R the length of the ramp, m the
 * soft mask; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], z [H] → output [B, H, T, Dv]; H a multiple of Hkv.
 * Conventions: as in the attention program (core/program.ts), whose masks and bias compose with the span; where T ≠ S
 * `queryOffset` or a corner of `causal` says where the queries stand. The mask is the bias ln m, −∞ where m = 0, so a
 * key beyond z + R has the weight 0 exactly. The gradient of z comes from the keys on the ramp, 0 < m < 1, and from
 * the one at its inner end, as with the paper's clamp, whose own outer end (m = 0 exactly) counts here as hidden. A
 * loss of the spans, `spanPenalty`, is what makes them short. One kernel on the `heed` backend.
 * Cost: O(B·H·T·S·(D + Dv)) time, with `maxSpan` O(B·H·T·(maxSpan + R)·(D + Dv)); memory O(H·T·S) for the mask.
 * Paper: Sukhbaatar, Grave, Bojanowski & Joulin 2019, §2.2, (4) and (5), arxiv.org/abs/1905.07799.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION when ramp or maxSpan is not
 *   positive, CONFLICT · and what `compileProgram` throws
 * @draws
 * const x = tf.zeros([1, 3, 20, 1]);
 * const z = tf.tensor1d([1, 6, 14]);
 * const { weights } = adaptiveSpan(x, x, x, { z }, { ramp: 4, causal: true, weights: true });
 * return tf.squeeze(weights, [0]);
 * @example
 * const z = tf.tensor1d([0, 1, 4]); // one for each head
 * const { output, weights } = adaptiveSpan(q, k, v, { z }, { ramp: 2, causal: true, weights: true });
 * tf.slice(weights, [0, 0, 4, 0], [1, 1, 1, 3]).dataSync(); // [0, 0, 0]
 */
export function adaptiveSpan<const O extends AdaptiveSpanOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { z }: AdaptiveSpanParameters,
  options: O = {} as O,
): AttentionResult<O> {
  const op = "adaptiveSpan";
  const {
    ramp = 32,
    maxSpan = Number.POSITIVE_INFINITY,
    bias,
    window,
    ...given
  }: AdaptiveSpanOptions = options;
  const { B, H, T, S, ...widths } = attentionShapes(op, q, k, v);
  checkParameter(op, { name: "z [H]", shape: z.shape }, [H], "give one span for each query head");
  checkPositive(op, "ramp", ramp);
  if (!(maxSpan > 0)) {
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "maxSpan", rule: "a positive number", got: maxSpan }),
    );
  }
  // At a distance of maxSpan + R or more the mask is 0, whatever z.
  const reach = Number.isFinite(maxSpan) ? Math.ceil(maxSpan + ramp) - 1 : Number.POSITIVE_INFINITY;
  const { left = Infinity, right = Infinity } = window ?? {};
  const bounds = { left: Math.min(left, reach), right: Math.min(right, reach) };
  // A distance needs a corner as a window does: this refuses T ≠ S without one.
  const corner = { ...given, bias, window: { ...bounds, left: Math.min(bounds.left, T + S) } };
  const program = compileProgram(op, { B, H, T, S, ...widths }, corner, WANTED_OPTION_NAMES);
  return tidyAsked((): AttentionResult<AdaptiveSpanOptions> => {
    const mask = spanBias(z, distances(program.offset, { B, T, S }), ramp);
    const sum = bias ? tf.add(mask, bias) : mask;
    return attention(
      q,
      k,
      v,
      {
        ...given,
        window: bounds,
        bias: sum,
      },
      op,
    );
  });
}

interface Distances {
  /** |t + offset − s|: int32 [1 or B, T, S]. */
  readonly x: tf.Tensor3D;
  readonly farthest: number;
}

function distances(offset: number | Int32Array, { B, T, S }: { B: number; T: number; S: number }): Distances {
  const offsets = typeof offset === "number" ? [offset] : offset;
  const all = new Int32Array(offsets.length * T * S);
  let farthest = 0;
  for (let e = 0; e < all.length; e++) {
    all[e] = Math.abs((Math.floor(e / S) % T) + offsets[Math.floor(e / (T * S))]! - (e % S));
    farthest = Math.max(farthest, all[e]!);
  }
  const x = tf.tensor3d(all, [typeof offset === "number" ? 1 : B, T, S], "int32");
  return { x, farthest };
}

/**
 * ln clamp((R + z − x)/R, 0, 1) of spans z [H] and distances x [1 or B, T, S] → [1 or B, H, T, S]. It is computed once
 * for each distance, and read by every pair of positions.
 */
function spanBias(z: tf.Tensor1D, { x, farthest }: Distances, ramp: number): tf.Tensor {
  const [N, T, S] = x.shape;
  const place = (table: tf.Tensor, at: tf.Tensor) => {
    const placed = tf.gather(table, at, 1);
    return N === 1 ? tf.reshape(placed, [1, z.shape[0], T, S]) : tf.transpose(placed, [1, 0, 2, 3]);
  };
  const bias = tf.customGrad((given, save) => {
    const spans = tf.reshape(given as tf.Tensor, [z.shape[0], 1]);
    const open = tf.div(tf.sub(tf.add(spans, ramp), tf.range(0, farthest + 1)), ramp);
    const mask = tf.clipByValue(open, 0, 1);
    // 1/(R m) on the ramp, its inner end included: the derivative of ln m at z.
    const onRamp = tf.logicalAnd(tf.greater(open, 0), tf.lessEqual(open, 1));
    const slope = tf.where(onRamp, tf.div(1 / ramp, tf.maximum(mask, 1e-30)), tf.zerosLike(mask));
    (save as tf.GradSaveFunc)([slope, x]);
    return {
      value: place(tf.log(mask), x),
      gradFunc: (dbias: tf.Tensor, [table, at]: tf.Tensor[]) =>
        tf.sum(tf.mul(dbias, place(table!, at!)), [0, 2, 3]),
    };
  });
  return bias(z);
}

/**
 * The penalty on spans: what a head pays for looking far.
 *
 *     penalty = λ/H Σ_h z_h
 *
 * Symbols: z the spans, H heads, λ the weight. Shapes: [H] → []. Conventions: added to the loss; its gradient is λ/H for
 * each span, whatever its length. The paper has λ = 2·10⁻⁶ for spans of up to 8192 keys.
 * Cost: O(H). Paper: Sukhbaatar et al. 2019, §2.2, (6), arxiv.org/abs/1905.07799.
 *
 * @throws OptionError OPTION when λ is below 0
 * @example
 * spanPenalty(tf.tensor1d([2, 4, 6]), 0.5); // 2
 */
export function spanPenalty(z: tf.Tensor, weight: number): tf.Scalar {
  checkNotNegative("spanPenalty", "weight", weight);
  return tf.tidy(() => tf.mul(tf.mean(z), weight)) as tf.Scalar;
}
