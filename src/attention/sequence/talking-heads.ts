import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { attentionShapes, checkRank } from "../../core/shapes.ts";
import { aggregate, dotScores, weigh } from "../../ops/attention/composed.ts";
import { checkTensors } from "../../ops/check.ts";
import { dropout } from "../../ops/dropout.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";

export interface TalkingHeadsParameters {
  /** Mixes scores over heads, [Hk, H]. */
  pl: tf.Tensor2D;
  /** Mixes weights over heads, [H, Hv]. */
  pw: tf.Tensor2D;
  /** Added to the mixed weights of keys that are seen, [Hv]. @default none */
  bw?: tf.Tensor1D;
}

export interface TalkingHeadsOptions extends Omit<ProgramOptions<tf.Tensor>, "onEmptyRow"> {
  /** Return the mixed weights [B, Hv, T, S], before dropout. @default false */
  weights?: boolean;
}

export type TalkingHeadsResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * Talking-heads attention: heads exchange their scores before the softmax and their weights after it.
 *
 *     J_i = scale · q_i·k_iᵀ,    L_h = Σ_i J_i Pl_ih,    W_h = softmax_s(L_h),    U_j = Σ_h W_h Pw_hj + bw_j
 *     output_j = U_j·v_j
 *
 * Symbols: i the Hk heads of queries and keys, h the H heads of the softmax, j the Hv heads of values; Pl and Pw
 * learned; scale = 1/√D.
 * Shapes: q [B, Hk, T, D], k [B, Hk, S, D], v [B, Hv, S, Dv], pl [Hk, H], pw [H, Hv], bw [Hv] → output [B, Hv, T, Dv],
 * weights [B, Hv, T, S].
 * Conventions: masks, bias, soft-cap and sink act on L, so `allow` and `bias` are [B, H, T, S]; a key that no head may
 * see has weight 0 in all. Rows of U need not sum to 1 and may be negative. A bias beside Pl would shift whole rows,
 * which the softmax ignores: there is none. bw is CaiT's (timm). Dropout drops elements of U. A query that sees no
 * key gives 0; NaN in hidden places reaches nothing. Identity matrices for Pl and Pw give `softAttention`.
 * Cost: O(B·T·S·(Hk·D + Hk·H + H·Hv + Hv·Dv)) time and O(B·T·S·H) memory: heads that talk need all their scores.
 * Paper: Shazeer et al. 2020, §3, arxiv.org/abs/2003.02436.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · and what `compileProgram` throws
 * @draws
 * // Two heads, one for the past and one for the present, and what they make of each other.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const code = (shift) => tf.concat([tf.cos(tf.add(at, shift)), tf.sin(tf.add(at, shift))], 1);
 * const shift = tf.mul(-3, tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const q = tf.expandDims(tf.mul(tf.stack([code(shift), code(0)]), 3), 0);
 * const k = tf.expandDims(tf.stack([code(0), code(0)]), 0);
 * const weights = (pw) => talkingHeadsAttention(q, k, k, { pl: tf.eye(2), pw: tf.tensor2d(pw) }, { weights: true }).weights;
 * return tf.squeeze(tf.concat([weights([[1, 0], [0, 1]]), weights([[1, 0.5], [-0.5, 0.5]])], 1), [0]);
 * @example
 * const parameters = { pl: tf.randomNormal([3, 6]), pw: tf.randomNormal([6, 3]) };
 * talkingHeadsAttention(q, k, v, parameters, { causal: true }).output.shape; // [2, 3, 5, 7]
 */
export function talkingHeadsAttention<const O extends TalkingHeadsOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { pl, pw, bw }: TalkingHeadsParameters,
  options: O = {} as O,
): TalkingHeadsResult<O> {
  const { weights, ...rest }: TalkingHeadsOptions = options;
  const op = "talkingHeadsAttention";
  const { scored, program } = compileTalking(op, { q, k, v }, { pl, pw, bw }, rest);
  return tidyAsked((): TalkingHeadsResult<TalkingHeadsOptions> => {
    const { dropout: plan } = program;
    const { weights: shares, seen } = weigh(
      { ...program, dropout: undefined },
      {
        score: (clean) => mixHeads(dotScores(scored, clean(q), clean(k)) as tf.Tensor4D, pl),
        inputs: [q, k],
      },
    );
    const mixed = mixHeads(shares as tf.Tensor4D, pw);
    const anyHead = seen && (seen.rank === 4 ? tf.any(seen, 1, true) : seen);
    const shifted = bw ? tf.add<tf.Tensor4D>(mixed, shiftOf(bw, anyHead)) : mixed;
    const Hv = v.shape[1];
    const heads = { ...program, shapes: { ...program.shapes, H: Hv, Hkv: Hv } };
    const kept = plan ? dropout(shifted, plan.rate, { seed: plan.seed }) : shifted;
    return {
      output: aggregate(heads, kept, v, anyHead) as tf.Tensor4D,
      ...(weights && { weights: shifted }),
    };
  });
}

/** bw for the keys that are seen. */
function shiftOf(bw: tf.Tensor1D, seen: tf.Tensor | undefined): tf.Tensor {
  const column = tf.reshape(bw, [bw.size, 1, 1]);
  return seen ? tf.mul(column, tf.cast(seen, "float32")) : column;
}

/** Σ_h x_h p_hj: x [B, H, T, S], p [H, J] → [B, J, T, S]. */
function mixHeads(x: tf.Tensor4D, p: tf.Tensor2D): tf.Tensor4D {
  const [B, H, T, S] = x.shape;
  const J = p.shape[1];
  // One matrix for each example, because TensorFlow.js does not sum the gradient of one that is broadcast.
  const each = tf.broadcastTo(tf.expandDims(tf.transpose(p), 0), [B, J, H]);
  return tf.reshape(tf.matMul(each, tf.reshape(x, [B, H, T * S])), [B, J, T, S]);
}

function compileTalking(
  op: string,
  { q, k, v }: { q: tf.Tensor4D; k: tf.Tensor4D; v: tf.Tensor4D },
  { pl, pw, bw }: TalkingHeadsParameters,
  options: ProgramOptions<tf.Tensor>,
) {
  checkRank(op, "v [B, Hv, S, Dv]", v, 4);
  checkRank(op, "pl [Hk, H]", pl, 2);
  checkRank(op, "pw [H, Hv]", pw, 2);
  const [, Hv, , Dv] = v.shape;
  // The values may have another number of heads than the keys.
  const likeKeys = { shape: [...k.shape.slice(0, 3), Dv], dtype: v.dtype };
  const given = attentionShapes(op, q, k, likeKeys);
  const { B, S, H: Hk } = given;
  const H = pl.shape[1];
  if (Hk !== given.Hkv) {
    const rule = "q and k must have the same number of heads Hk";
    const remedy = "pl makes of them the H heads of the softmax";
    throw new ShapeError("SHAPE", { op, rule, got: `${Hk} and ${given.Hkv}`, remedy });
  }
  checkTensors(op, [
    { name: "v", tensor: v, letters: "[B, Hv, S, Dv]", shape: [B, Hv, S, Dv] },
    { name: "pl", tensor: pl, letters: "[Hk, H]", shape: [Hk, H] },
    { name: "pw", tensor: pw, letters: "[H, Hv]", shape: [H, Hv] },
    ...(bw ? [{ name: "bw", tensor: bw, letters: "[Hv]", shape: [Hv] }] : []),
  ]);
  const program = compileProgram(op, { ...given, H, Hkv: H }, options);
  return { program, scored: { ...program, shapes: given } };
}
