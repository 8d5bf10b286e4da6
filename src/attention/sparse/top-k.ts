import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkOptionNames, type OptionNames } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { compileProgram } from "../../core/program.ts";
import { keyRange } from "../../core/program-rows.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { LargestKeeper } from "./keep-largest.ts";

export interface TopKOptions
  extends Pick<
    AttentionOptions,
    "scale" | "causal" | "queryOffset" | "window" | "keyLengths" | "queryLengths" | "weights" | "lse"
  > {
  /** Keys that each query keeps, from 1 to S. */
  k: number;
  /** Scores held at once; more are faster up to a point. @default 4194304 */
  held?: number;
}

const NAMES: OptionNames<TopKOptions> = {
  ...{ scale: true, causal: true, queryOffset: true, window: true, keyLengths: true, queryLengths: true },
  ...{ weights: true, lse: true, k: true, held: true },
};

/**
 * Top-k attention: every query keeps the k keys that score highest, exactly, and the softmax is over them.
 *
 *     out_t = Σ_{s ∈ K_t} softmax_s(scale · q_t·k_s) v_s,    K_t the k visible keys with the largest q_t·k_s
 *
 * Symbols: K_t the kept keys; scale = 1/√D, not negative.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv].
 * Conventions: of equal scores the earlier keys are kept; a query that sees k keys or fewer keeps them all; k = S is
 * softmax attention. The choice has no gradient: it flows through what was kept, which is right wherever no two
 * scores tie. NaN in hidden places leaks nowhere. The queries are gone through by chunks whose scores fit in `held`,
 * so no T × S array exists unless weights are asked for; for gradients one byte of each pair is kept. An exact choice
 * needs all scores: this attends sharply in little memory, it does not save time.
 * Cost: O(B·H·T·S·D); memory O(held + B·H·T·D).
 * Papers: Gupta et al. 2021, arxiv.org/abs/2106.06899; Wu et al. 2022, §3.1, arxiv.org/abs/2203.08913.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION · and what `compileProgram` throws
 * @draws
 * const x = tf.randomNormal([1, 1, 24, 6], 0, 1, "float32", 3);
 * return topKAttention(x, x, x, { k: 3, causal: true, weights: true }).weights;
 * @example
 * const { output } = topKAttention(q, k, v, { k: 2 });
 */
export function topKAttention<const O extends TopKOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O,
): AttentionResult<O> {
  const op = "topKAttention";
  const { k: keep, held = 2 ** 22, ...given }: TopKOptions = options;
  const shapes = attentionShapes(op, q, k, v);
  const { B, H, T, S, D } = shapes;
  checkCount(op, "k", keep);
  if (keep > S)
    throw new OptionError("OPTION", outOfRange({ op, name: "k", rule: `from 1 to S = ${S}`, got: keep }));
  checkCount(op, "held", held);
  checkOptionNames(op, options, NAMES);
  const program = compileProgram(op, shapes, given, NAMES);
  const { scale } = program;
  if (scale < 0)
    throw new OptionError("OPTION", outOfRange({ op, name: "scale", rule: "0 or more", got: scale }));
  const ranges = (b: number, i: number) => keyRange(program, b, i);
  // Queries [from, from + count) of all, whose kept keys are chosen and attended to.
  const attendTo = (x: Tensors, from: number, lse: boolean | undefined, weights?: boolean) =>
    attention(x.q, x.k, x.v, { scale, allow: keptKeys(x, keep, from, ranges), lse, weights }, op);
  const rows = Math.max(1, Math.floor(held / (B * H * S)));
  return tidyAsked((): AttentionResult<TopKOptions> => {
    if (given.weights || rows >= T) return attendTo({ q, k, v }, 0, given.lse, given.weights);
    const starts = Array.from({ length: Math.ceil(T / rows) }, (_, n) => n * rows);
    const parts = starts.map((from) =>
      tf.tidy(() => {
        const own = tf.slice(q, [0, 0, from, 0], [B, H, Math.min(rows, T - from), D]);
        return attendTo({ q: own, k, v }, from, given.lse);
      }),
    );
    return {
      output: tf.concat(
        parts.map(({ output }) => output),
        2,
      ),
      ...(given.lse && {
        lse: tf.concat(
          parts.map(({ lse }) => lse!),
          2,
        ),
      }),
    };
  });
}

interface Tensors {
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  v: tf.Tensor4D;
}

/** The keys that queries [from, …) keep, as bool [B, H, count, S]. */
function keptKeys(
  { q, k }: Tensors,
  keep: number,
  from: number,
  ranges: (b: number, i: number) => [first: number, end: number],
): tf.Tensor4D {
  return tf.tidy(() => {
    const [B, H, count, D] = q.shape;
    const [, Hkv, S] = k.shape;
    // The query heads that share a key head stand below each other as rows of one product.
    const products = tf.matMul(tf.reshape(q, [B, Hkv, (H / Hkv) * count, D]), k, false, true);
    const scores = products.dataSync() as Float32Array;
    const mask = new Uint8Array(B * H * count * S);
    const keeper = new LargestKeeper(keep);
    for (let row = 0; row < B * H * count; row++) {
      const [first, end] = ranges(Math.floor(row / (H * count)), from + (row % count));
      if (first < end) keeper.mark(scores, row * S + first, row * S + end, mask);
    }
    return tf.tensor4d(mask, [B, H, count, S], "bool");
  });
}
