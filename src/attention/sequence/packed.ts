import type * as tf from "@tensorflow/tfjs-core";
import { checkChoice } from "../../core/check-options.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { type PackedProgramOptions, packedRows, type Segments } from "../../ops/attention/packed.ts";
import { type AttentionOptions, swapped } from "../../ops/attention/run.ts";
import { tidy } from "../../ops/tidy.ts";

export interface PackedAttentionOptions
  extends PackedProgramOptions,
    Pick<AttentionOptions, "layout" | "finite"> {
  /** The lengths of the sequences in each row of queries, B lists of integers ≥ 0; what follows them is padding. */
  segments: Segments;
  /** The lengths of the sequences in each row of keys, as many in each row. @default segments */
  keySegments?: Segments;
}

export interface PackedAttentionResult {
  output: tf.Tensor4D;
}

/**
 * Packed attention, of sequences of different lengths that stand one after another in rows: each attends to itself alone.
 *
 *     out_t = Σ_s α_ts v_s,    α_t = softmax over s with n(s) = n(t) of scale · q_t·k_s
 *
 * Symbols: n(t) the number of the sequence in which place t of a row stands.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv]; H a multiple of Hkv.
 * Conventions: `segments: [[3, 2]]` are two sequences of 3 and 2 places, and padding after them, which sees and gives nothing:
 * 0. With `keySegments` sequence n of the queries reads sequence n of the keys, as a target reads its source. Options are
 * those of `softAttention`, within each sequence: queries and keys count from its beginning in causality, windows, `allow` and
 * `bias`, which are [T, S] or [1, H, T, S] of the longest sequence. Dropout counts the sequences of all rows, and the padding
 * of each row, as examples. A sequence gives what it gives alone. With T = 6, S = 6, `segments: [[3, 2]]`, causal:
 *
 *     1 0 0 0 0 0
 *     1 1 0 0 0 0
 *     1 1 1 0 0 0
 *     0 0 0 1 0 0
 *     0 0 0 1 1 0
 *     0 0 0 0 0 0
 *
 * On backends with kernels nothing is moved for the layout "bthd", and nothing between sequences is computed. Elsewhere the
 * sequences are gathered as a padded batch, and `queryChunkSize` is not needed: a sequence is shorter than its row.
 * Cost: O(H·Σ_n T_n·S_n·(D + Dv)) time, T_n and S_n the lengths of sequence n; memory O(B·H·(T + S)·D) with kernels.
 * Paper: Krell et al. 2021, §3.2, arxiv.org/abs/2107.02027; `packBatch` packs.
 *
 * @throws OptionError OPTION, CONFLICT · ShapeError RANK, DIMENSION, HEADS · and what `compileProgram` throws
 * @draws
 * // Values that are the rows of a unit matrix bring the weights out.
 * const T = 12;
 * const eye = tf.reshape(tf.eye(T), [1, 1, T, T]);
 * const q = tf.randomNormal([1, 1, T, 4], 0, 2, "float32", 1);
 * return packedAttention(q, q, eye, { segments: [[5, 4, 2]], causal: true }).output;
 * @example
 * const { output } = packedAttention(q, k, v, { segments: [[2, 1], [3]], keySegments: [[1, 4], [5]] });
 */
export function packedAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: PackedAttentionOptions,
): PackedAttentionResult {
  const op = "packedAttention";
  const { segments, keySegments = segments, layout = "bhtd", finite, ...given } = options;
  checkChoice(op, "layout", layout, ["bhtd", "bthd"]);
  const shapes = attentionShapes(op, q, k, v, layout);
  /** Positions first, or back. */
  const swap = (x: tf.Tensor) => swapped(x, layout === "bhtd" ? "bthd" : "bhtd") as tf.Tensor4D;
  return tidy(() => {
    const tensors = { q: swap(q), k: swap(k), v: swap(v), segments, keySegments };
    return { output: swap(packedRows(op, shapes, tensors, given, { finite })) };
  });
}
