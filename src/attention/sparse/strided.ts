import type * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import { attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import type { Pattern } from "../mask/pattern.ts";
import { cut, joined, phasesOf, pieceLengths } from "./cut-positions.ts";
import { mergedResult, type SparseOptions, type SparseResult, selfShapes } from "./one-sequence.ts";

export interface StridedOptions {
  /** l: how far the local part reaches back, and the distance of the keys beyond; √T is the paper's choice. */
  stride: number;
  /** One of the two factorised heads, or one head that sees both. @default "both" */
  part?: "both" | "local" | "strided";
}

/**
 * Strided pattern of the Sparse Transformer: the last l keys, and every l-th before.
 *
 *     local: i − l ≤ j ≤ i        strided: j ≤ i, (i − j) mod l = 0
 *
 * 1. `true` means attend. 2. No row is empty. 3. Query i and key i stand together. 4. A query sees itself: l + 1 keys
 * in the local part. Causal by definition.
 *
 *     l = 2, local      strided        both
 *     1 0 0 0 0         1 0 0 0 0      1 0 0 0 0
 *     1 1 0 0 0         0 1 0 0 0      1 1 0 0 0
 *     1 1 1 0 0         1 0 1 0 0      1 1 1 0 0
 *     0 1 1 1 0         0 1 0 1 0      0 1 1 1 0
 *     0 0 1 1 1         1 0 1 0 1      1 0 1 1 1
 *
 * Cost: O(1) a pair.
 * Paper: Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws OptionError OPTION
 * @draws
 * return patternMask(24, 24, stridedPattern({ stride: 6 }));
 * @example
 * patternMask(3, 3, stridedPattern({ stride: 2, part: "strided" })); // [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
 */
export function stridedPattern({ stride, part = "both" }: StridedOptions): Pattern {
  checkCount("stridedPattern", "stride", stride);
  checkChoice("stridedPattern", "part", part, ["both", "local", "strided"]);
  const local: Pattern = (i, j) => j <= i && j >= i - stride;
  const strided: Pattern = (i, j) => j <= i && (i - j) % stride === 0;
  if (part === "local") return local;
  return part === "strided" ? strided : (i, j) => local(i, j) || strided(i, j);
}

export interface StridedAttentionOptions extends StridedOptions, SparseOptions {}

/**
 * Strided attention of the Sparse Transformer: the last l keys, and every l-th before; exact.
 *
 *     out_i = Σ_{j ∈ A_i} softmax_j(scale · q_i·k_j) v_j,    A_i = {i − l … i} ∪ {j ≤ i: (i − j) mod l = 0}
 *
 * Symbols: l the stride; A_i the keys of query i.
 * Shapes: q [B, H, T, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv] → output [B, H, T, Dv].
 * Conventions: causal by definition; `part` gives one of the paper's two factorised heads. It is softmax attention
 * under `stridedPattern` (with `softAttention` it gives weights). The window is one call of the
 * op `attention`, the far keys another over the l phases of the sequence; `mergeAttention` joins them. A row without
 * a visible key gives 0. Differentiable.
 * Cost: O(T·(l + T/l)·D) a head, O(T√T·D) at l = √T; memory O(T·D), never T × T.
 * Paper: Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 * @draws
 * return patternMask(24, 24, stridedPattern({ stride: 5 }));
 * @example
 * const { output } = stridedAttention(q, k, v, { stride: 2 });
 */
export function stridedAttention<const O extends StridedAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O,
): SparseResult<O> {
  const { stride, part = "both", scale, keyLengths, lse }: StridedAttentionOptions = options;
  const op = "stridedAttention";
  checkCount(op, "stride", stride);
  checkChoice(op, "part", part, ["both", "local", "strided"]);
  const { T, lengths } = selfShapes(op, q, k, v, keyLengths);
  const local = () =>
    attention(q, k, v, { scale, keyLengths, lse: true, causal: true, window: { left: stride } }, op);
  // In a phase the keys i and i − l are a query's last two, which the local part has as well.
  const far = (nearest: number) => {
    const phases = phasesOf(T, stride);
    const pieces = [q, k, v].map((x) => cut(x, phases)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const queryOffset = -nearest;
    const keyLengths = pieceLengths(phases, lengths);
    const far = attention(...pieces, { scale, lse: true, causal: true, queryOffset, keyLengths }, op);
    return { output: joined(far.output, phases, T), lse: joined(far.lse, phases, T) };
  };
  return tidyAsked(() => {
    const parts = part === "local" ? [local()] : part === "strided" ? [far(0)] : [local(), far(2)];
    return mergedResult(parts, lse);
  });
}
