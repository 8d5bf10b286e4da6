import type * as tf from "@tensorflow/tfjs-core";
import { DEFAULT_CHUNKS } from "../../ops/attention/chunked/program.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";

export interface MemoryEfficientAttentionOptions extends AttentionOptions {
  /** Queries computed at a time, an integer ≥ 1, whether it divides T or not; `query_chunk_size` of the paper. @default 256 */
  queryChunkSize?: number;
  /** Keys computed at a time, an integer ≥ 1, whether it divides S or not; `key_chunk_size` of the paper. @default 1024 */
  keyChunkSize?: number;
}

/**
 * Memory-efficient attention: soft attention, exact, of which no more than a chunk of the scores is ever stored. A chunk of
 * queries goes over the keys chunk by chunk and keeps three sums, the larger maximum scaling down what came before:
 *
 *     m′ = max(m, max_s e_s),    z′ = z·exp(m − m′) + Σ_s exp(e_s − m′),    a′ = a·exp(m − m′) + Σ_s exp(e_s − m′) v_s
 *
 *     out = a / z,    lse = m + ln z
 *
 * Symbols: e the scores of a chunk, m the largest so far, z the sum and a the sum of values that belong to it.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv]; H a multiple of Hkv.
 * Conventions: those of `softAttention`, every option among them: masks, a bias and its gradient, causality, windows, lengths,
 * dropout with the same mask, sinks and soft-caps hold in chunks of any size, and chunks that band and lengths hide are left
 * out. The backward pass computes the scores of a chunk again. On the `heed` backend a kernel does this in blocks of 48 × 96
 * that stay in the cache: there sizes are checked and change nothing. Weights, where asked for, are T × S numbers.
 * Cost: O(B·H·T·S·(D + Dv)) time, backward five products where stored scores leave four; memory O(B·H·(T + S)·D) and
 * B·H·queryChunkSize·keyChunkSize, forward and backward.
 * Paper: Rabe & Staats 2021, §2 and §3, arxiv.org/abs/2112.05682.
 *
 * @throws OptionError OPTION, EMPTY_ROW, GRADIENT · ShapeError RANK, DIMENSION, HEADS · and what `compileProgram` throws
 * @draws
 * // How much of z each query has after 1 … 8 chunks of 3 keys.
 * const q = tf.randomNormal([1, 1, 24, 4], 0, 2, "float32", 1);
 * const after = (keys) => memoryEfficientAttention(q, q, q, { keyLengths: [keys], keyChunkSize: 3, lse: true }).lse;
 * return tf.stack([3, 6, 9, 12, 15, 18, 21, 24].map((keys) => tf.exp(tf.sub(after(keys), after(24)))), 3);
 * @example
 * const { output } = memoryEfficientAttention(q, k, v, { queryChunkSize: 2, keyChunkSize: 3 });
 */
export function memoryEfficientAttention<const O extends MemoryEfficientAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): AttentionResult<O> {
  const {
    queryChunkSize = DEFAULT_CHUNKS.queryChunkSize,
    keyChunkSize = DEFAULT_CHUNKS.keyChunkSize,
    ...rest
  } = options;
  const chunked = { ...rest, queryChunkSize, keyChunkSize };
  return attention(q, k, v, chunked, "memoryEfficientAttention") as AttentionResult<O>;
}
