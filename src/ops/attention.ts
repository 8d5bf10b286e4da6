import type { Tensor4D } from "@tensorflow/tfjs-core";
import {
  type AttentionOptions,
  type AttentionResult,
  compileAttention,
  runAttention,
} from "./attention/run.ts";

export type { AttentionOptions, AttentionResult } from "./attention/run.ts";

/**
 * Attention of q over k and v: every query reads a weighted mean of all values it may see.
 *
 *     output_t = Σ_s α_ts v_s,    α_t = softmax_s(scale · q_t·k_s + bias_ts)
 *
 * Symbols: q queries, k keys, v values, α weights; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv]; H a multiple of Hkv. With
 * `layout: "bthd"` positions come before heads in all four; weights are [B, H, T, S] and lse [B, H, T] in both.
 * Conventions: query head h reads key/value head ⌊h·Hkv/H⌋, nothing is copied for it. Options are those of the
 * attention program (core/program.ts); masks, bias, lengths and windows compose. A row without a visible key gives
 * 0 output, 0 weights, lse −∞ (the sink's logit, where there is a sink, for queries beyond `queryLengths` too) and 0
 * gradients. Scores are of float32's range; one of +∞, by overflow or by a bias of +∞, takes all the mass of its row,
 * shared equally among the visible keys that have one, and a score of NaN makes its own row NaN alone. NaN in hidden
 * places leaks nowhere, whether allow, lengths, causality,
 * window or a bias of −∞ hide them. The output is the same, bit for bit, whether weights and lse are asked for or not.
 * Functions of scores: `scoreMod` changes what the softmax sees (after scale, soft-cap and bias), `maskMod` hides, both
 * ordinary arrows that are run once on traced values, with the numbers of rows q and k and with captured `tensors`. What
 * cannot be traced is refused with its line; blocks that they hide are not computed. A score of −∞ stays hidden. Where
 * float32 decides a jump (⌊x⌋, a comparison) of inexact numbers, it may fall otherwise than in float64: capture a table.
 * Gradients: of q, k, v, bias, sink and floating-point `tensors`, from output, lse and weights, once; gradients of gradients are refused where
 * the kernels are.
 * On `heed` in blocks, in place, in memory O(T + S) besides what is returned; on `cpu` in plain loops with float64
 * sums; on other backends of TensorFlow.js ops, in memory O(B·H·T·S). With `queryChunkSize` or `keyChunkSize` everywhere
 * but on `heed` in chunks, of TensorFlow.js ops, in memory O(B·H·(T + S)·D) and a chunk of the scores.
 * Cost: 4·T·S·D flops a head, 10·T·S·D for the gradients, less what masks empty by whole blocks. A gradient of the
 * weights takes arrays as large as they. A function costs about what the option for the same costs; its first call
 * compiles it, 1 ms. Captured tensors are copied once a call. Paper: Vaswani et al. 2017, §3.2.1, arxiv.org/abs/1706.03762.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION, EMPTY_ROW, GRADIENT · MemoryError ·
 *   WorkerError WORKER where `init` started threads · and what `compileProgram` throws
 * @param op the name that errors give, for mechanisms that are made of this
 * @example
 * const { output, weights } = attention(q, k, v, { causal: true, weights: true });
 * const sloped = attention(q, k, v, { scoreMod: (score, { q, k }) => score.sub(q.sub(k).abs().mul(0.1)) }).output;
 */
export function attention<const O extends AttentionOptions>(
  q: Tensor4D,
  k: Tensor4D,
  v: Tensor4D,
  options: O = {} as O,
  op = "attention",
): AttentionResult<O> {
  const { program, layout, asked } = compileAttention(op, { q, k, v }, options);
  return runAttention<O>(program, layout, { q, k, v }, asked);
}
