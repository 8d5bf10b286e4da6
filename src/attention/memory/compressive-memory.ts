import * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { detached } from "../../ops/attention/guard.ts";
import { attention } from "../../ops/attention.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { tidy } from "../../ops/tidy.ts";

/** A convolution whose stride is its length: [c, C, C], and its bias [C]. */
export interface CompressionFilter {
  w: tf.Tensor3D;
  /** @default none */
  b?: tf.Tensor1D;
}

export interface CompressOptions {
  /** c, the memories that become one. */
  rate: number;
  /** How: the mean or the maximum of each column, or a convolution that learns. */
  by: "mean" | "max" | CompressionFilter;
}

/** The maps of the layer whose attention is to stay as it was, [C, H·D] each. */
export interface ReconstructionMaps {
  wq: tf.Tensor2D;
  wk: tf.Tensor2D;
  /** [C, H·Dv] */
  wv: tf.Tensor2D;
}

/**
 * Compression of a memory: each c of what is about to be forgotten become one.
 *
 *     out_n = f(old_cn, …, old_(cn + c − 1)),    f the mean, the maximum, or Σ_i old_(cn + i) w_i + b
 *
 * Symbols: old the memories that leave the first-in, first-out memory, c the rate, w a convolution of length and stride c.
 * Shapes: old [B, E, C], w [c, C, C], b [C] → [B, E / c, C]; E a multiple of c.
 * Conventions: what `appendToMemory` evicts is compressed and appended to a second memory, which stands before the first.
 * Weights of `by` learn from `reconstructionLoss` alone where the result is appended: no gradient leaves a memory.
 * Cost: O(B·E·C), of the convolution O(B·E·C²). Paper: Rae et al. 2019, §3.1, arxiv.org/abs/1911.05507.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * // Twelve slots: four of what was compressed at rate 4, then eight as they were.
 * const steps = tf.eye(24);
 * const old = tf.reshape(tf.slice(steps, [0, 0], [16, 24]), [1, 16, 24]);
 * const compressed = tf.squeeze(compressMemory(old, { rate: 4, by: "mean" }), [0]);
 * return tf.concat([tf.mul(compressed, 2.5), tf.slice(steps, [16, 0], [8, 24])]);
 * @example
 * const old = tf.tensor3d([[[1], [3], [5], [9]]]);
 * compressMemory(old, { rate: 2, by: "mean" }); // [[[2], [7]]]
 * compressMemory(old, { rate: 2, by: "max" }); // [[[3], [9]]]
 * compressMemory(old, { rate: 2, by: { w: tf.tensor3d([[[10]], [[1]]]) } }); // [[[13], [59]]]
 */
export function compressMemory(old: tf.Tensor3D, { rate, by }: CompressOptions): tf.Tensor3D {
  const op = "compressMemory";
  checkRank(op, "old [B, E, C]", old, 3);
  checkCount(op, "rate", rate);
  const [B, E, C] = old.shape;
  checkTensors(op, [{ name: "old", tensor: old, letters: "[B, E, C]", shape: [B, E, C] }]);
  if (E % rate !== 0 || E === 0) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `old [B, E, C] must have E a multiple of the rate ${rate}, 1 or more times`,
      got: `E = ${E}`,
      remedy: "choose lengths of segments and memories that the rate divides",
    });
  }
  if (typeof by === "object") {
    checkTensors(op, [
      { name: "by.w", tensor: by.w, letters: "[c, C, C]", shape: [rate, C, C] },
      ...(by.b ? [{ name: "by.b", tensor: by.b, letters: "[C]", shape: [C] }] : []),
    ]);
  } else checkChoice(op, "by", by, ["mean", "max"]);
  return tidy(() => {
    if (typeof by === "object") {
      const groups = tf.reshape(old, [B, E / rate, rate * C]) as tf.Tensor3D;
      return linear(groups, tf.reshape(by.w, [rate * C, C]), by.b);
    }
    const groups = tf.reshape(old, [B, E / rate, rate, C]);
    return (by === "mean" ? tf.mean(groups, 2) : tf.max(groups, 2)) as tf.Tensor3D;
  });
}

/**
 * Attention-reconstruction loss: what a layer reads from the compressed memory is to be what it would have read from the old.
 *
 *     loss = mean (attn(SG(h), SG(old)) − attn(SG(h), compressed))²,    attn(h, m) = softmax(h W_q (m W_k)ᵀ/√D) m W_v
 *
 * Symbols: h the layer's states, old the memories that were compressed, W the layer's own maps, SG stops the gradient.
 * Shapes: h [B, T, C], old [B, E, C], compressed [B, E / c, C], maps [C, H·D] → [].
 * Conventions: the gradient goes to `compressed` alone, so the loss trains the compression and nothing else: h, old and the
 * maps count as constants, as in the paper's algorithm 2. By content, without positions. The mean over all numbers stands
 * where the paper has a sum. Lossy on purpose: what attention never reads need not be kept.
 * Cost: that of two calls of attention. Paper: Rae et al. 2019, §3.1 and algorithm 2, arxiv.org/abs/1911.05507.
 *
 * @throws ShapeError RANK, SHAPE, HEADS
 * @example
 * const [h, old] = [tf.randomNormal([2, 3, 4]), tf.randomNormal([2, 6, 4])];
 * const maps = { wq: tf.eye(4), wk: tf.eye(4), wv: tf.eye(4) };
 * reconstructionLoss(h, old, old, maps, { heads: 2 }); // 0
 */
export function reconstructionLoss(
  h: tf.Tensor3D,
  old: tf.Tensor3D,
  compressed: tf.Tensor3D,
  { wq, wk, wv }: ReconstructionMaps,
  { heads: H }: { heads: number },
): tf.Scalar {
  const op = "reconstructionLoss";
  checkRank(op, "h [B, T, C]", h, 3);
  checkRank(op, "old [B, E, C]", old, 3);
  checkRank(op, "compressed [B, E / c, C]", compressed, 3);
  checkCount(op, "heads", H);
  const [B, T, C] = h.shape;
  const [E, few, width, valueWidth] = [old.shape[1], compressed.shape[1], wq.shape[1]!, wv.shape[1]!];
  checkTensors(op, [
    { name: "h", tensor: h, letters: "[B, T, C]", shape: [B, T, C] },
    { name: "old", tensor: old, letters: "[B, E, C]", shape: [B, E, C] },
    { name: "compressed", tensor: compressed, letters: "[B, E / c, C]", shape: [B, few, C] },
    { name: "wq", tensor: wq, letters: "[C, H·D]", shape: [C, width] },
    { name: "wk", tensor: wk, letters: "[C, H·D]", shape: [C, width] },
    { name: "wv", tensor: wv, letters: "[C, H·Dv]", shape: [C, valueWidth] },
  ]);
  if (width % H !== 0 || valueWidth % H !== 0) {
    throw new ShapeError("HEADS", {
      op,
      rule: `the maps must have columns for all of heads=${H} alike`,
      got: `${width} and ${valueWidth} columns`,
      remedy: "make them a multiple of heads",
    });
  }
  return tidy(() => {
    const [q, k, v] = [wq, wk, wv].map(detached) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const heads = (x: tf.Tensor3D, w: tf.Tensor2D): tf.Tensor4D =>
      tf.reshape(linear(x, w), [B, x.shape[1], H, w.shape[1] / H]);
    const queries = heads(detached(h), q);
    const read = (memory: tf.Tensor3D) =>
      attention(queries, heads(memory, k), heads(memory, v), { layout: "bthd" }, op).output;
    return tf.mean(tf.square(tf.sub(read(detached(old)), read(compressed)))) as tf.Scalar;
  });
}
