import * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { type Pattern, patternMask } from "../mask/pattern.ts";
import { blocksOf, type Cut, cut, joined, padPositions, pieceLengths } from "./cut-positions.ts";
import { mergedResult, type SparseOptions, type SparseResult, selfShapes } from "./one-sequence.ts";

export interface FixedOptions {
  /** l: the length of a block; the paper has 128. */
  stride: number;
  /** c: how many positions at each block's end sum it up for later ones, from 1 to l. @default 1 */
  summary?: number;
  /** One of the two factorised heads, or one head that sees both. @default "both" */
  part?: "both" | "local" | "summary";
}

/**
 * Fixed pattern of the Sparse Transformer: the query's own block, and the last c keys of every block.
 *
 *     local: j ≤ i, ⌊j/l⌋ = ⌊i/l⌋        summary: j ≤ i, j mod l ≥ l − c
 *
 * 1. `true` means attend. 2. No row of "both" and "local" is empty; those before the first summary are, of "summary",
 * and give 0. 3. Query i and key i stand together. 4. A query sees itself in the local part. Causal by definition.
 *
 *     l = 2, c = 1, local    summary        both
 *     1 0 0 0 0              0 0 0 0 0      1 0 0 0 0
 *     1 1 0 0 0              0 1 0 0 0      1 1 0 0 0
 *     0 0 1 0 0              0 1 0 0 0      0 1 1 0 0
 *     0 0 1 1 0              0 1 0 1 0      0 1 1 1 0
 *     0 0 0 0 1              0 1 0 1 0      0 1 0 1 1
 *
 * Cost: O(1) a pair.
 * Paper: Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws OptionError OPTION
 * @draws
 * return patternMask(24, 24, fixedPattern({ stride: 6, summary: 2 }));
 * @example
 * patternMask(3, 3, fixedPattern({ stride: 2 })); // [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
 */
export function fixedPattern(options: FixedOptions): Pattern {
  checkFixed("fixedPattern", options);
  const { stride, summary = 1, part = "both" } = options;
  const local: Pattern = (i, j) => j <= i && Math.floor(j / stride) === Math.floor(i / stride);
  const summaries: Pattern = (i, j) => j <= i && j % stride >= stride - summary;
  if (part === "local") return local;
  return part === "summary" ? summaries : (i, j) => local(i, j) || summaries(i, j);
}

export interface FixedAttentionOptions extends FixedOptions, SparseOptions {}

/**
 * Fixed attention of the Sparse Transformer: the query's own block, and the last c keys of every block before; exact.
 *
 *     out_i = Σ_{j ∈ A_i} softmax_j(scale · q_i·k_j) v_j,    A_i = {j ≤ i: ⌊j/l⌋ = ⌊i/l⌋ ∨ j mod l ≥ l − c}
 *
 * Symbols: l the length of a block (`stride`); c how many keys sum a block up (`summary`); A_i the keys of query i.
 * Shapes: q [B, H, T, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv] → output [B, H, T, Dv].
 * Conventions: causal by definition; `part` gives one of the paper's two factorised heads. It is softmax attention
 * under `fixedPattern` (with `softAttention` it gives weights): one call of the op `attention`
 * over the blocks, one over the summaries, joined by `mergeAttention`. A row without a visible key gives 0.
 * Differentiable.
 * Cost: O(T·(l + c·T/l)·D) a head; memory O(T·D), and a byte for each query and summary, T·c·T/l.
 * Paper: Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 * @draws
 * return patternMask(24, 24, fixedPattern({ stride: 5, summary: 1 }));
 * @example
 * const { output } = fixedAttention(q, k, v, { stride: 3 });
 */
export function fixedAttention<const O extends FixedAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O,
): SparseResult<O> {
  const { stride, summary = 1, part = "both", scale, keyLengths, lse }: FixedAttentionOptions = options;
  const op = "fixedAttention";
  checkFixed(op, { stride, summary, part });
  const { T, lengths } = selfShapes(op, q, k, v, keyLengths);
  const blocks = blocksOf(T, stride);
  const local = () => {
    const pieces = [q, k, v].map((x) => cut(x, blocks)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const asked = { scale, lse: true, causal: true, keyLengths: pieceLengths(blocks, lengths) } as const;
    const own = attention(...pieces, asked, op);
    return { output: joined(own.output, blocks, T), lse: joined(own.lse, blocks, T) };
  };
  const summaries = () => {
    const count = blocks.count * summary;
    const positionOf = (s: number) => Math.floor(s / summary) * stride + (stride - summary) + (s % summary);
    const sees = (i: number, s: number) =>
      part === "summary" ? positionOf(s) <= i : Math.floor(s / summary) < Math.floor(i / stride);
    const valid = lengths.map((length) => countBelow(count, (s) => positionOf(s) < length));
    const keys = [k, v].map((x) => lastOfEach(x, blocks, summary)) as [tf.Tensor4D, tf.Tensor4D];
    const allow = patternMask(T, count, sees);
    return attention(q, ...keys, { scale, lse: true, keyLengths: valid, allow }, op);
  };
  return tidyAsked(() => {
    const parts = part === "local" ? [local()] : part === "summary" ? [summaries()] : [local(), summaries()];
    return mergedResult(parts, lse);
  });
}

/** The last `summary` positions of every block: [B, H, T, D] → [B, H, count·summary, D]. */
function lastOfEach(x: tf.Tensor4D, { count, size }: Cut, summary: number): tf.Tensor4D {
  const [B, H, , D] = x.shape;
  const blocks = tf.reshape(padPositions(x, count * size), [B, H, count, size, D]);
  const last = tf.slice(blocks, [0, 0, 0, size - summary, 0], [B, H, count, summary, D]);
  return tf.reshape(last, [B, H, count * summary, D]);
}

/** How many of 0 … n − 1 come before the first that fails. */
function countBelow(n: number, test: (s: number) => boolean): number {
  let count = 0;
  while (count < n && test(count)) count++;
  return count;
}

/** Throws unless the options fit together. */
function checkFixed(op: string, { stride, summary = 1, part = "both" }: FixedOptions): void {
  checkCount(op, "stride", stride);
  checkChoice(op, "part", part, ["both", "local", "summary"]);
  if (Number.isSafeInteger(summary) && summary >= 1 && summary <= stride) return;
  const rule = `an integer from 1 to stride = ${stride}`;
  throw new OptionError("OPTION", outOfRange({ op, name: "summary", rule, got: summary }));
}
