import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { wrongRank } from "../../core/faults.ts";
import { detached } from "../../ops/attention/guard.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";

/** A first-in, first-out memory after something was added. */
export interface Appended<X extends tf.Tensor> {
  /** The last `length` of what was there and what was added; fewer at the beginning. */
  memory: X;
  /** What had to go, the oldest first; undefined when nothing had to. */
  evicted?: X;
}

/**
 * Segment-level recurrence: the states of earlier segments stay as a memory, which the next one attends to.
 *
 *     memory' = last `length` of [memory ∘ SG(added)]
 *
 * Symbols: ∘ puts positions one after the other, SG stops the gradient. Shapes: memory [..., M, C], added [..., T, C] →
 * memory' [..., min(length, M + T), C], evicted [..., E, C]: states [B, M, C], or keys and values [B, H, M, D].
 * Conventions: no gradient flows from a segment into the one before, as in the paper, so a step of training costs the same
 * however long the memory is. `undefined` is the empty memory. What is returned stays until it is disposed; what was given is
 * left alone.
 * Cost: O(size). Papers: Dai et al. 2019, §3.2, arxiv.org/abs/1901.02860; as the first-in, first-out memory of Rae et al.
 * 2019, §3, arxiv.org/abs/1911.05507; of keys and values in Wu et al. 2022, §3.1, arxiv.org/abs/2203.08913.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * // Which of the steps stand in a memory of eight after each segment of three.
 * const rows = [];
 * let memory;
 * for (let n = 0; n < 8; n++) {
 *   memory = appendToMemory(memory, tf.oneHot(tf.range(3 * n, 3 * n + 3, 1, "int32"), 24, 1, 0, "float32"), 8).memory;
 *   rows.push(tf.sum(memory, 0));
 * }
 * return tf.stack(rows);
 * @example
 * const first = appendToMemory(undefined, tf.tensor2d([[1], [2]]), 3);
 * const { memory, evicted } = appendToMemory(first.memory, tf.tensor2d([[3], [4]]), 3);
 * memory; // [[2], [3], [4]]
 * evicted; // [[1]]
 */
export function appendToMemory<X extends tf.Tensor>(
  memory: X | undefined,
  added: X,
  length: number,
): Appended<X> {
  const op = "appendToMemory";
  checkCount(op, "length", length);
  if (added.rank < 2)
    throw new ShapeError("RANK", wrongRank({ op, name: "added", rank: "2 or more", shape: added.shape }));
  const axis = added.rank - 2;
  const widths = (n: number) => added.shape.map((size, a) => (a === axis ? n : size));
  const M = memory?.shape[axis] ?? 0;
  const T = added.shape[axis]!;
  checkTensors(op, [
    { name: "added", tensor: added, letters: "[..., T, C]", shape: added.shape },
    ...(memory ? [{ name: "memory", tensor: memory, letters: "[..., M, C]", shape: widths(M) }] : []),
  ]);
  return tidy(() => {
    const all = memory && M > 0 ? tf.concat([memory, added as tf.Tensor], axis) : added;
    const E = Math.max(0, M + T - length);
    const part = (from: number, n: number) =>
      detached(
        tf.slice(
          all,
          all.shape.map((_, a) => (a === axis ? from : 0)),
          widths(n),
        ),
      ) as X;
    return { memory: part(E, M + T - E), ...(E > 0 && { evicted: part(0, E) }) };
  });
}
