import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { unequal } from "../../core/faults.ts";
import { attention } from "../../ops/attention.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { type MultiHeadParameters, multiHeadAttention } from "../sequence/multi-head.ts";
import { checkMultiHead } from "../sequence/multi-head-check.ts";
import { fromHeads, toHeads } from "../sequence/project.ts";
import {
  type BlockOptions,
  block,
  checkBlock,
  type FeedForwardParameters,
  type NormParameters,
  type TransformerMask,
} from "./block.ts";

export interface TransformerDecoderParameters {
  /** Self-attention; wq, wk and wv [C, …], wo [H, Dv, C]. */
  selfAttention: MultiHeadParameters;
  selfNorm: NormParameters;
  /** Attention to the memory; wq [C, H, D], wk and wv [Cm, …], wo [H, Dv, C]. */
  crossAttention: MultiHeadParameters;
  crossNorm: NormParameters;
  feedForward: FeedForwardParameters;
  feedForwardNorm: NormParameters;
}

/** Projected keys [B, S, Hkv, D] and values [B, S, Hkv, Dv]. */
export interface KeysAndValues {
  readonly keys: tf.Tensor4D;
  readonly values: tf.Tensor4D;
}
/** What a decoder layer need not compute again at the next step. Its tensors belong to the caller. */
export interface DecoderCache {
  /** Of the positions so far. */
  readonly self: KeysAndValues;
  /** Of the memory. */
  readonly cross: KeysAndValues;
}

export interface TransformerDecoderInputs {
  /** [B, T, C]; with a cache, the positions that follow those in it. */
  x: tf.Tensor3D;
  /** [B, S, Cm], what the encoder gave; the cache has it once there is one. */
  memory?: tf.Tensor3D;
  /** What the step before returned. @default none: x begins the sequence */
  cache?: DecoderCache;
}

export interface TransformerDecoderOptions extends BlockOptions {
  /** What hides positions from each other, beside those ahead. @default everything before */
  mask?: TransformerMask;
  /** What positions see of the memory. @default everything */
  memoryMask?: TransformerMask;
  /** Position t sees positions up to t. @default true */
  causal?: boolean;
  /** Return the weights of both attentions, before dropout. @default false */
  weights?: boolean;
  /** Return a cache, for decoding step by step. @default whether one was given */
  cache?: boolean;
}

export interface DecoderWeights {
  /** [B, H, T, T], with a cache [B, H, T, T′], T′ counting what is in it */
  readonly self: tf.Tensor4D;
  /** [B, H, T, S] */
  readonly cross: tf.Tensor4D;
}
export type TransformerDecoderResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", DecoderWeights> &
  Asked<O, "cache", DecoderCache>;

/**
 * Transformer decoder layer: every position reads those before it, then the memory, then thinks for itself.
 *
 *     y = norm(x + selfAttention(x)),  z = norm(y + crossAttention(y, memory)),  output = norm(z + feedForward(z))
 *
 * as in the paper; with `preNorm` each norm stands before its sublayer, as in `transformerEncoderLayer`.
 *
 * Symbols: memory what the encoder gave; F the width between the feed-forward maps; one norm for each sublayer.
 * Shapes: x [B, T, C], memory [B, S, Cm], w1 [C, F], w2 [F, C] → output [B, T, C].
 * Conventions: PyTorch's `TransformerDecoderLayer` with a causal mask, whose parameters `fromTorchDecoderLayer` reads.
 * Masks are those of `multiHeadAttention`, true = attend. With `cache: true` it returns the projected keys and values;
 * given back with the next positions, they give what the whole sequence would give there, and `memory` is not read again.
 * Caches are not differentiated through.
 * Cost: O(B·T·C·(C + T + S + F) + B·S·C²). With H·D = C, 12·B·T·C² + 4·B·S·C² flops of projections, 4·B·T·(T + S)·C of
 * attention, 4·B·T·C·F of feed-forward; a step with a cache of T′ positions 12·B·C² + 4·B·(T′ + S)·C + 4·B·C·F.
 * Papers: Vaswani et al. 2017, §3.1, arxiv.org/abs/1706.03762; pre-norm: Xiong et al. 2020, arxiv.org/abs/2002.04745.
 *
 * @throws ShapeError RANK, SHAPE, DIMENSION · OptionError OPTION · and what `multiHeadAttention` throws
 * @draws
 * // Self-attention of a causal decoder, and beside it how each position finds its place in a memory that runs backwards.
 * const code = (n) => tf.stack([0.4, 0.9, 1.7, 2.6].flatMap((w) => [tf.cos(tf.mul(tf.range(0, n), w)), tf.sin(tf.mul(tf.range(0, n), w))]), 1);
 * const x = tf.expandDims(code(8), 0);
 * const one = (s) => tf.expandDims(tf.mul(tf.eye(8), s), 1);
 * const attention = (sharp) => ({ wq: one(sharp), wk: one(1), wv: one(1), wo: tf.zeros([1, 8, 8]) });
 * const feedForward = { w1: tf.zeros([8, 3]), w2: tf.zeros([3, 8]) };
 * const norms = { selfNorm: {}, crossNorm: {}, feedForwardNorm: {} };
 * const parameters = { selfAttention: attention(0.5), crossAttention: attention(2), feedForward, ...norms };
 * const memory = tf.reverse(x, 1);
 * const { weights } = transformerDecoderLayer({ x, memory }, parameters, { weights: true, preNorm: true });
 * return tf.squeeze(tf.concat([weights.self, weights.cross], 1), [0]);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const attention = (Cm) => ({ wq: w(4, 2, 3), wk: w(Cm, 2, 3), wv: w(Cm, 2, 3), wo: w(2, 3, 4) });
 * const parameters = {
 *   ...{ selfAttention: attention(4), selfNorm: {}, crossAttention: attention(7), crossNorm: {} },
 *   ...{ feedForward: { w1: w(4, 8), w2: w(8, 4) }, feedForwardNorm: {} },
 * };
 * const x = tf.slice(queries, [0, 0, 0], [2, 2, 4]);
 * const first = transformerDecoderLayer({ x, memory: values }, parameters, { cache: true });
 * const next = tf.slice(queries, [0, 2, 0], [2, 1, 4]);
 * const { output, cache } = transformerDecoderLayer({ x: next, cache: first.cache }, parameters);
 * output.shape; // [2, 1, 4]
 * cache.self.keys.shape; // [2, 3, 2, 3]
 */
export function transformerDecoderLayer<const O extends TransformerDecoderOptions>(
  { x, memory, cache }: TransformerDecoderInputs,
  parameters: TransformerDecoderParameters,
  options: O = {} as O,
): TransformerDecoderResult<O> {
  const op = "transformerDecoderLayer";
  const { selfAttention, selfNorm, crossAttention, crossNorm, feedForward, feedForwardNorm } = parameters;
  checkBlock(op, x, { selfAttention, crossAttention }, feedForward);
  if (!memory && !cache) {
    const remedy = "pass what the encoder gave, or the cache of the step before";
    throw new ShapeError("SHAPE", { op, rule: "memory or cache must be given", got: "neither", remedy });
  }
  if (cache) checkCache(op, x, cache);
  else checkMultiHead(op, { query: x, key: memory!, value: memory! }, crossAttention);
  const { sublayer, feedForward: think, attentionDropout } = block(op, options);
  const { mask, memoryMask, causal = true, weights, cache: keeps = cache !== undefined } = options;
  const past = cache?.self.keys.shape[1] ?? 0;
  return tidyAsked((): TransformerDecoderResult<TransformerDecoderOptions> => {
    const found: { self?: Attended; cross?: Attended } = {};
    const seen = sublayer(x, selfNorm, (query) => {
      const own = {
        ...(causal && { causal: true, queryOffset: past }),
        ...mask,
        ...attentionDropout(),
        weights,
      };
      if (!keeps) {
        found.self = multiHeadAttention({ query }, selfAttention, own, op);
        return found.self.output;
      }
      const { keys, values } = project(query, selfAttention);
      const self = {
        keys: cache ? tf.concat([cache.self.keys, keys], 1) : keys,
        values: cache ? tf.concat([cache.self.values, values], 1) : values,
      };
      found.self = attendProjected(op, query, self, selfAttention, own);
      return found.self.output;
    });
    const read = sublayer(seen, crossNorm, (query) => {
      const theirs = { ...memoryMask, ...attentionDropout(), weights };
      if (!keeps) {
        found.cross = multiHeadAttention({ query, value: memory! }, crossAttention, theirs, op);
        return found.cross.output;
      }
      const cross = cache ? cloned(cache.cross) : project(memory!, crossAttention);
      found.cross = attendProjected(op, query, cross, crossAttention, theirs);
      return found.cross.output;
    });
    return {
      output: sublayer(read, feedForwardNorm, (z) => think(z, feedForward)),
      ...(weights && { weights: { self: found.self!.weights!, cross: found.cross!.weights! } }),
      ...(keeps && { cache: { self: found.self!.projected!, cross: found.cross!.projected! } }),
    };
  });
}

interface Attended {
  readonly output: tf.Tensor3D;
  readonly weights?: tf.Tensor4D;
  readonly projected?: KeysAndValues;
}

/** Throws unless a cache is of as many examples as x. */
function checkCache(op: string, x: tf.Tensor3D, { self, cross }: DecoderCache): void {
  for (const [name, { keys }] of Object.entries({ self, cross })) {
    if (keys.shape[0] === x.shape[0]) continue;
    const names = { letter: "B", a: "x [B, T, C]", b: `cache.${name}.keys [B, S, Hkv, D]` };
    throw new ShapeError("DIMENSION", unequal({ op, ...names, aShape: x.shape, bShape: keys.shape }));
  }
}

function project(x: tf.Tensor3D, { wk, bk, wv, bv }: MultiHeadParameters): KeysAndValues {
  return { keys: toHeads(x, wk, bk), values: toHeads(x, wv, bv) };
}

/** A cache of its own for each step, so that each can be disposed when it is done with. */
function cloned({ keys, values }: KeysAndValues): KeysAndValues {
  return { keys: tf.clone(keys), values: tf.clone(values) };
}

function attendProjected(
  op: string,
  query: tf.Tensor3D,
  projected: KeysAndValues,
  { wq, bq, wo, bo }: MultiHeadParameters,
  options: TransformerMask & { weights?: boolean | undefined },
): Attended {
  const given = { ...options, layout: "bthd" as const };
  const heads = attention(toHeads(query, wq, bq), projected.keys, projected.values, given, op);
  return { ...heads, output: fromHeads(heads.output, wo, bo), projected };
}
