import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { unequal } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { logSumExp, softmax } from "../../ops/attention/softmax.ts";
import { tidy } from "../../ops/tidy.ts";

/** What attention over some of the keys gave. */
export interface AttentionPart {
  /** [B, H, T, Dv] */
  output: tf.Tensor4D;
  /** Log-sum-exp of the part's scores [B, H, T]; −∞ where it has no key. */
  lse: tf.Tensor3D;
}

/**
 * Attention over all keys from attention over disjoint sets of them; exact.
 *
 *     lse = ln Σ_p exp(lse_p),    out = Σ_p exp(lse_p − lse) · out_p
 *
 * Symbols: p a set of keys, lse_p the log-sum-exp of its scores.
 * Shapes: output [B, H, T, Dv], lse [B, H, T] each → the same.
 * Conventions: no key may be in two sets: it would count twice. A query without a key in a set takes nothing from it;
 * one without any gives 0 and lse −∞. Differentiable in outputs and lse.
 * Cost: O(parts·B·H·T·Dv).
 * Papers: Dao et al. 2022, §3.1, arxiv.org/abs/2205.14135; Beltagy, Peters & Cohan 2020, arxiv.org/abs/2004.05150,
 * merge window and global keys.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE
 * @draws
 * // How much of a query's attention each of three sets has: a large score anywhere takes it all.
 * const lse = Array.from({ length: 24 }, (_, t) => [0, 8, 16].map((s) => Math.abs(s - t) / -2));
 * return tf.transpose(softmax(tf.tensor2d(lse)));
 * @example
 * const half = (n: number) => [k, v].map((x) => tf.split(x, [2, 3], 2)[n]) as [tf.Tensor4D, tf.Tensor4D];
 * const parts = [0, 1].map((n) => softAttention(q, ...half(n), { lse: true }));
 * const { output } = mergeAttention(parts); // softAttention(q, k, v).output
 */
export function mergeAttention(parts: readonly AttentionPart[]): AttentionPart {
  const op = "mergeAttention";
  const [first] = parts;
  if (!first) {
    const rule = "parts must be 1 or more";
    throw new ShapeError("SHAPE", {
      op,
      rule,
      got: "none",
      remedy: "give what attention over each set gave",
    });
  }
  for (const { output, lse } of parts) {
    checkRank(op, "output [B, H, T, Dv]", output, 4);
    checkRank(op, "lse [B, H, T]", lse, 3);
    checkShape(op, "output [B, H, T, Dv]", output.shape, first.output.shape);
    checkShape(op, "lse [B, H, T]", lse.shape, first.output.shape.slice(0, 3));
  }
  return tidy(() => {
    const sums = tf.stack(
      parts.map(({ lse }) => lse),
      3,
    );
    const shares = softmax(sums);
    const size = first.lse.shape;
    const weighted = parts.map(({ output }, p) =>
      tf.mul(output, tf.slice(shares, [0, 0, 0, p], [...size, 1])),
    );
    return { output: tf.addN(weighted), lse: logSumExp(sums) } as AttentionPart;
  });
}

function checkShape(op: string, name: string, got: number[], expected: number[]): void {
  if (got.every((n, axis) => n === expected[axis])) return;
  const names = { letter: "shape", a: name, b: `${name} of the first part` };
  throw new ShapeError("DIMENSION", unequal({ op, ...names, aShape: got, bShape: expected }));
}
