import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkFinite, checkLengths } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { show } from "../../core/notation.ts";
import { checkRank, checkSame } from "../../core/shapes.ts";
import { attention } from "../../ops/attention.ts";
import { checkPadding, checkSequences } from "../linear/check.ts";
import { hide, lessLargest, quotient } from "../linear/numerics.ts";
import { bucketsOf, halves, type LshPlan, type LshSizes, planChunks, rotations } from "./lsh-plan.ts";
import { moveRows, rowMoves } from "./lsh-rows.ts";

export interface LshAttentionOptions {
  /** Buckets of a round: 1, or an even number; or even factors of it, hashed one by one. @default about T/32, even */
  buckets?: number | readonly number[];
  /** Rounds of hashing, each with directions of its own; an integer ≥ 1. @default 4 */
  rounds?: number;
  /** Positions of a chunk, which reads itself and the one before. @default 2·⌈T/buckets⌉ */
  chunkSize?: number;
  /** Position t sees those before it. @default false */
  causal?: boolean;
  /** Chooses the directions; an integer ≥ 0. @default 0 */
  seed?: number;
  /** Factor of q·k. @default 1/√D */
  scale?: number;
  /** Valid positions per example, from 0 to T; later ones are not seen and give 0. @default T */
  lengths?: ArrayLike<number>;
}

/**
 * Reformer's attention by locality-sensitive hashing: each query reads the keys that fall into its buckets.
 *
 *     out_i = Σ_{j∈P_i} e^{s_ij − z_i} v_j,    s_ij = scale · x_i·x_j/|x_j|,    z_i = log Σ_{j∈P_i} e^{s_ij}
 *     P_i = ⋃_r { j ≠ i : h_r(x_j) = h_r(x_i) },    h_r(x) = argmax [x R_r; −x R_r]
 *
 * Symbols: x queries, which divided by their length are the keys; h_r the hash of round r, R_r random directions.
 * Shapes: qk [B, H, T, D], v [B, H, T, Dv] → output [B, H, T, Dv].
 * Conventions: in every round positions are sorted by bucket and cut into chunks, each reading itself and the one
 * before; keys of the bucket beyond those are not read. Rounds are joined by their log-sum-exp, a key seen in several
 * counts once. A position sees itself only where it sees no other in any round. Padding is sorted behind all buckets.
 * The hashes are read from the device and have no gradient. One bucket is exact attention.
 * Cost: O(rounds·T·(log T + chunk·(D + Dv))) time, O(rounds·T·chunk) memory. Paper: Kitaev, Kaiser & Levskaya 2020,
 * §2 and appendix A, arxiv.org/abs/2001.04451.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · OptionError OPTION
 * @draws
 * const qk = tf.tensor4d(Array.from({ length: 16 }, (_, t) => [Math.cos(t), Math.sin(t)]).flat(), [1, 1, 16, 2]);
 * const values = tf.reshape(tf.eye(16), [1, 1, 16, 16]); // so the output is the weights
 * return lshAttention(qk, values, { buckets: 4, rounds: 2, chunkSize: 8, seed: 3, scale: 4 }).output;
 * @example
 * const { output } = lshAttention(q, v, { buckets: 2, rounds: 2, causal: true, seed: 1 }); // [B, H, T, Dv]
 */
export function lshAttention(
  qk: tf.Tensor4D,
  v: tf.Tensor4D,
  options: LshAttentionOptions = {},
): { output: tf.Tensor4D } {
  const op = "lshAttention";
  checkRank(op, "qk [B, H, T, D]", qk, 4);
  checkRank(op, "v [B, H, T, Dv]", v, 4);
  const named = (name: string, array: tf.Tensor) => ({ name, array, axis: 2 });
  checkSame(op, "T", named("qk [B, H, T, D]", qk), named("v [B, H, T, Dv]", v));
  const shapes = checkSequences(op, qk, qk, v);
  const { B, H, T, D, Dv } = shapes;
  const { rounds = 4, causal = false, seed = 0, scale = 1 / Math.sqrt(D), lengths } = options;
  checkCount(op, "rounds", rounds);
  checkCount(op, "seed", seed, 0);
  checkFinite(op, "scale", scale);
  const factors = bucketFactors(op, options.buckets, T);
  const count = factors.reduce((product, n) => product * n, 1);
  const { chunkSize = 2 * Math.ceil(T / count) } = options;
  checkCount(op, "chunkSize", chunkSize);
  if (lengths) checkLengths(op, "lengths", lengths, B, T);
  const padding = checkPadding(op, shapes, { keyLengths: lengths });
  const sizes: LshSizes = { X: B * H, T, D, rounds, factors, L: Math.min(chunkSize, T) };
  return tf.tidy(() => {
    const { keys: kept } = padding();
    const rows = tf.reshape(hide(qk, kept), [B * H * T, D]) as tf.Tensor2D;
    const values = tf.reshape(hide(v, kept), [B * H * T, Dv]) as tf.Tensor2D;
    const buckets = hashes(rows, sizes, seed);
    const plan = planChunks(buckets, sizes, { causal, lengths: (x) => lengths?.[Math.floor(x / H)] ?? T });
    return { output: tf.reshape(readChunks(rows, values, plan, sizes, scale), [B, H, T, Dv]) as tf.Tensor4D };
  });
}

/** The buckets of all rounds; read from the device. */
function hashes(rows: tf.Tensor2D, sizes: LshSizes, seed: number): Int32Array {
  const columns = sizes.rounds * halves(sizes.factors);
  if (columns === 0) return new Int32Array(sizes.X * sizes.rounds * sizes.T);
  return tf.tidy(() => {
    const directions = tf.tensor2d(rotations(sizes, seed), [sizes.D, columns]);
    return bucketsOf(tf.matMul(rows, directions).dataSync(), sizes);
  });
}

/** Attention inside the chunks of every round, and the rounds joined. [X·T, Dv] */
function readChunks(
  rows: tf.Tensor2D,
  values: tf.Tensor2D,
  plan: LshPlan,
  { X, T, D, rounds, L }: LshSizes,
  scale: number,
): tf.Tensor {
  const Dv = values.shape[1];
  const chunks = X * rounds * plan.C;
  const lengths = tf.sqrt(tf.maximum(tf.sum(tf.square(rows), 1, true), 1e-24));
  const { queries, keys, outputs } = rowMoves(plan, { X, T, rounds, L });
  const { output, lse } = attention(
    tf.reshape(moveRows(rows, queries), [chunks, 1, L, D]),
    tf.reshape(moveRows(tf.div(rows, lengths), keys), [chunks, 1, 2 * L, D]),
    tf.reshape(moveRows(values, keys), [chunks, 1, 2 * L, Dv]),
    { scale, bias: tf.tensor4d(plan.bias, [chunks, 1, L, 2 * L]), lse: true },
  );
  const back = (x: tf.Tensor, width: number) => {
    const sorted = tf.reshape(x, [X * rounds, plan.C * L, width]);
    const real = tf.reshape(tf.slice(sorted, [0, 0, 0], [X * rounds, T, width]), [X * rounds * T, width]);
    return tf.reshape(moveRows(real as tf.Tensor2D, outputs), [X, rounds, T, width]);
  };
  return tf.sum(tf.mul(back(output, Dv), shares(back(lse, 1))), 1);
}

/** softmax over the rounds of their log-sum-exp; 0 where no round saw anything. [X, rounds, T, 1] */
function shares(lse: tf.Tensor): tf.Tensor {
  const powers = tf.exp(lessLargest(lse, 1));
  const total = tf.sum(powers, 1, true);
  return quotient(powers, total, 1);
}

/** Even factors of the number of buckets; more than 64 are hashed as two, so that hashing stays cheap. */
function bucketFactors(op: string, buckets: LshAttentionOptions["buckets"], T: number): readonly number[] {
  if (buckets === undefined) {
    const count = 2 * Math.max(1, Math.round(T / 64));
    if (count <= 64) return [count];
    const one = 2 * Math.round(Math.sqrt(count) / 2);
    return [one, 2 * Math.round(count / one / 2)];
  }
  const factors = typeof buckets === "number" ? [buckets] : buckets;
  const isFine = (n: number) => Number.isSafeInteger(n) && n >= 1 && (n % 2 === 0 || n === 1);
  if (factors.length > 0 && factors.every(isFine)) return factors;
  throw new OptionError("OPTION", {
    op,
    rule: "buckets must be 1 or even, for each direction stands for two",
    got: show(factors),
    remedy: "double the odd ones",
  });
}
