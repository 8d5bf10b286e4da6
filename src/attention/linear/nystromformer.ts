import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkFinite } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { attention } from "../../ops/attention.ts";
import { checkPadding, checkSequences, checkShape, type PaddingOptions } from "./check.ts";
import { hide } from "./numerics.ts";

export interface NystromParameters {
  /** Filters of the skip over the values: one of an odd length K a head, or one for all. [K, H or 1] @default none */
  conv?: tf.Tensor2D;
}

export interface NystromOptions extends Omit<PaddingOptions, "keyAllow"> {
  /** Landmarks m: an integer from 1 to the shorter of T and S. @default min(64, T, S) */
  landmarks?: number;
  /** Steps of the iteration to the pseudo-inverse. @default 6 */
  iterations?: number;
  /** Factor of the scores. @default 1/√D */
  scale?: number;
}

/**
 * Nyströmformer: the softmax matrix from the columns and rows of a few landmarks.
 *
 *     out = F A⁺ (B V) + conv(V)
 *     F = softmax(scale·Q K̃ᵀ),    A = softmax(scale·Q̃ K̃ᵀ),    B = softmax(scale·Q̃ Kᵀ)
 *
 * Symbols: Q̃, K̃ landmarks, the means of m segments; A⁺ the pseudo-inverse, by Z ← ¼ Z (13 I − AZ (15 I − AZ (7 I − AZ)))
 * from Z = Aᵀ / (‖A‖₁ ‖A‖∞); conv the depthwise skip along positions, where its filter is given and T = S.
 * Shapes: q [B, H, T, D], k [B, H, S, D], v [B, H, S, Dv], conv [K, H or 1] → output [B, H, T, Dv].
 * Conventions: segments are as equal as they can be, and of the valid positions of each example alone, so padding
 * changes nothing; an example of fewer positions than m has each as a landmark. A query without a key gives 0, without
 * the skip. The landmarks see all positions: there is no causal form. With all positions as landmarks it is exact up
 * to the pseudo-inverse, for which more iterations may be needed.
 * Cost: O(n·m·(D + Dv) + m³); the T×m and m×S matrices are never stored. Paper: Xiong et al. 2021, §3,
 * arxiv.org/abs/2102.03902.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 * @draws
 * const q = tf.tensor4d(Array.from({ length: 16 }, (_, t) => [Math.cos(t / 3), Math.sin(t / 3)]).flat(), [1, 1, 16, 2]);
 * const one = tf.reshape(tf.eye(16), [1, 1, 16, 16]); // values that show the weights
 * return nystromAttention(q, q, one, {}, { scale: 4, landmarks: 4 }).output;
 * @example
 * const { output } = nystromAttention(q, k, v, {}, { landmarks: 2 }); // [B, H, T, Dv]
 */
export function nystromAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { conv }: NystromParameters = {},
  options: NystromOptions = {},
): { output: tf.Tensor4D } {
  const op = "nystromAttention";
  const shapes = checkSequences(op, q, k, v);
  const { H, T, S, D } = shapes;
  const { landmarks: m = Math.min(64, T, S), iterations = 6, scale = 1 / Math.sqrt(D) } = options;
  checkShape(op, "k [B, H, S, D]", k, [q.shape[0], H, S, D]);
  checkCount(op, "landmarks", m, 1, Math.min(T, S));
  checkCount(op, "iterations", iterations);
  checkFinite(op, "scale", scale);
  if (conv) checkConv(op, conv, shapes);
  const padding = checkPadding(op, shapes, options);
  return tf.tidy(() => {
    const kept = padding();
    const [queries, keys, values] = [hide(q, kept.queries), hide(k, kept.keys), hide(v, kept.keys)];
    const { queryLengths, keyLengths } = options;
    const rows = countLandmarks(queryLengths, m);
    const columns = countLandmarks(keyLengths, m);
    const meanQueries = segmentMeans(queries, m, queryLengths);
    const meanKeys = segmentMeans(keys, m, keyLengths);
    const between = { scale, queryLengths: rows, keyLengths: columns, weights: true } as const;
    const inverse = pseudoInverse(attention(meanQueries, meanKeys, meanKeys, between).weights, iterations);
    const read = attention(meanQueries, keys, values, { scale, queryLengths: rows, keyLengths });
    const mixed = tf.matMul(inverse, read.output) as tf.Tensor4D;
    const { output } = attention(queries, meanKeys, mixed, { scale, queryLengths, keyLengths: columns });
    if (!conv) return { output };
    return { output: tf.add(output, hide(alongPositions(values, conv), kept.queries)) as tf.Tensor4D };
  });
}

function checkConv(op: string, conv: tf.Tensor2D, { H, T, S }: { H: number; T: number; S: number }): void {
  const K = conv.shape[0] || 1;
  checkShape(op, "conv [K, H]", conv, [K, H], [K, 1]);
  if (K % 2 === 0) {
    throw new OptionError("SHAPE", {
      op,
      rule: "conv [K, H] must have an odd length K, so that it has a middle",
      got: `K=${K}`,
      remedy: `use ${K - 1} or ${K + 1}`,
    });
  }
  if (T !== S) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "the skip over the values must have as many queries as keys",
      got: `T=${T} and S=${S}`,
      remedy: "leave conv out",
    });
  }
}

function countLandmarks(lengths: ArrayLike<number> | undefined, m: number): number[] | undefined {
  return lengths && Array.from(lengths, (n) => Math.min(m, n));
}

/** The means of m segments of the valid positions [B, H, m, D]; those beyond the positions are 0. */
function segmentMeans(x: tf.Tensor4D, m: number, lengths: ArrayLike<number> | undefined): tf.Tensor4D {
  const [B, H, n, D] = x.shape;
  if (!lengths && n % m === 0) return tf.mean(tf.reshape(x, [B, H, m, n / m, D]), 3) as tf.Tensor4D;
  const each = lengths ? Array.from(lengths) : [n];
  const shares = new Float32Array(each.length * m * n);
  for (const [b, length] of each.entries()) {
    const segments = Math.min(m, length);
    for (let j = 0; j < segments; j++) {
      const start = Math.floor((j * length) / segments);
      const end = Math.floor(((j + 1) * length) / segments);
      shares.fill(1 / (end - start), (b * m + j) * n + start, (b * m + j) * n + end);
    }
  }
  if (!lengths) {
    const means = tf.matMul(tf.tensor3d(shares, [1, m, n]), tf.reshape(x, [B * H, n, D]));
    return tf.reshape(means, [B, H, m, D]);
  }
  // Heads side by side, for the plain backend repeats a factor only along its first axis.
  const columns = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [B, n, H * D]);
  const means = tf.reshape(tf.matMul(tf.tensor3d(shares, [B, m, n]), columns), [B, m, H, D]);
  return tf.transpose(means, [0, 2, 1, 3]) as tf.Tensor4D;
}

/** The pseudo-inverse of matrices [..., m, m] whose rows sum to 1 or 0, by a fourth-order iteration. */
function pseudoInverse(a: tf.Tensor4D, iterations: number): tf.Tensor4D {
  const m = a.shape[3];
  const identity = tf.eye(m);
  const times = (n: number) => tf.mul(identity, n);
  const columns = tf.max(tf.sum(a, 2, true), 3, true);
  // A row sums to 1, so ‖A‖∞ is 1; matrices of zeros have zeros as their inverse.
  let z: tf.Tensor = tf.div(tf.transpose(a, [0, 1, 3, 2]), tf.maximum(columns, 1e-6));
  for (let step = 0; step < iterations; step++) {
    const az = tf.matMul(a, z);
    const inner = tf.sub(times(15), tf.matMul(az, tf.sub(times(7), az)));
    z = tf.mul(tf.matMul(z, tf.sub(times(13), tf.matMul(az, inner))), 0.25);
  }
  return z as tf.Tensor4D;
}

/** Each head's values, filtered along positions; as many positions as before. */
function alongPositions(v: tf.Tensor4D, conv: tf.Tensor2D): tf.Tensor4D {
  const [, H] = v.shape;
  const K = conv.shape[0];
  const filter = tf.reshape(tf.tile(conv, [1, H / conv.shape[1]]), [K, 1, H, 1]);
  const images = tf.transpose(v, [0, 2, 3, 1]); // [B, S, Dv, H]
  return tf.transpose(tf.depthwiseConv2d(images, filter as tf.Tensor4D, 1, "same"), [0, 3, 1, 2]);
}
