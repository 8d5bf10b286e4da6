import * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "../../ops/layer-norm.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { notifyGate } from "../feature/gated.ts";
import { gatedResidual } from "../feature/gated-residual.ts";
import { type MultiHeadParameters, multiHeadAttention } from "../sequence/multi-head.ts";
import {
  type BlockOptions,
  block,
  checkBlock,
  type FeedForwardParameters,
  type NormParameters,
  type TransformerMask,
} from "./block.ts";

export interface GatedCrossAttentionParameters {
  /** wq [C, H, D], wk and wv [Cm, …], wo [H, Dv, C]. */
  crossAttention: MultiHeadParameters;
  crossNorm: NormParameters;
  /** α of what is read, a scalar; begins at 0. */
  attentionGate: tf.Scalar;
  feedForward: FeedForwardParameters;
  feedForwardNorm: NormParameters;
  /** α of the feed-forward maps, a scalar; begins at 0. */
  feedForwardGate: tf.Scalar;
}

export interface GatedCrossAttentionOptions extends Omit<BlockOptions, "preNorm"> {
  /** What positions see of the memory. @default everything */
  mask?: TransformerMask;
  /** Return the weights [B, H, T, S], before dropout. @default false */
  weights?: boolean;
}

export type GatedCrossAttentionResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * Gated cross-attention: a trained model reads a second kind of input, as far as two gates let it.
 *
 *     y = x + tanh(α)·crossAttention(norm(x), memory),    output = y + tanh(β)·feedForward(norm(y))
 *     feedForward(y) = activation(y·w1 + b1)·w2 + b2
 *
 * Symbols: α `attentionGate`, β `feedForwardGate`; x states of a model, memory what it is to read, such as an image's.
 * Shapes: x [B, T, C], memory [B, S, Cm], w1 [C, F], w2 [F, C], gates [] → output [B, T, C], weights [B, H, T, S].
 * Conventions: with α = β = 0 it is the identity, bit for bit where the sublayers give finite numbers: begin there, and
 * blocks between the layers of a trained model change nothing before they learn. The gates then learn first: where α = 0 no
 * gradient reaches what it closes. `mask` is that of `multiHeadAttention`, true = attend; a position that sees
 * nothing reads the bias bo. Flamingo has no biases, and the square of ReLU as its activation.
 * Cost: O(B·T·C·(C + S + F) + B·S·Cm·C), as a decoder layer without self-attention.
 * Paper: Alayrac et al. 2022 (Flamingo), §2.2, Fig. 4, arxiv.org/abs/2204.14198.
 *
 * @throws ShapeError RANK, SHAPE, DIMENSION · OptionError OPTION · and what `multiHeadAttention` throws
 * @draws
 * // What one block adds to eight positions of four channels, its gates opened wider and wider from the left.
 * const x = tf.zeros([1, 8, 4]);
 * const memory = tf.expandDims(tf.tensor2d([[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 4]]), 0);
 * const w = tf.expandDims(tf.eye(4), 1);
 * const crossAttention = { wq: w, wk: w, wv: w, wo: tf.reshape(tf.eye(4), [1, 4, 4]) };
 * const feedForward = { w1: tf.eye(4), w2: tf.eye(4) };
 * const norms = { crossNorm: {}, feedForwardNorm: {} };
 * const at = (gate) => {
 *   const gates = { attentionGate: tf.scalar(gate), feedForwardGate: tf.scalar(gate) };
 *   return tf.squeeze(gatedCrossAttention({ x, memory }, { crossAttention, feedForward, ...norms, ...gates }).output, [0]);
 * };
 * return tf.concat([0, 0.2, 0.5, 1, 2].map(at), 1);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const parameters = {
 *   crossAttention: { wq: w(4, 2, 3), wk: w(7, 2, 3), wv: w(7, 2, 3), wo: w(2, 3, 4) },
 *   feedForward: { w1: w(4, 8), w2: w(8, 4) },
 *   ...{ crossNorm: {}, feedForwardNorm: {}, attentionGate: tf.scalar(0), feedForwardGate: tf.scalar(0) },
 * };
 * const { output } = gatedCrossAttention({ x: queries, memory: values }, parameters);
 * tf.max(tf.abs(tf.sub(output, queries))); // 0
 */
export function gatedCrossAttention<const O extends GatedCrossAttentionOptions>(
  { x, memory }: { x: tf.Tensor3D; memory: tf.Tensor3D },
  parameters: GatedCrossAttentionParameters,
  options: O = {} as O,
): GatedCrossAttentionResult<O> {
  const op = "gatedCrossAttention";
  const { crossAttention, crossNorm, feedForward, feedForwardNorm } = parameters;
  checkBlock(op, x, { crossAttention }, feedForward);
  const given: GatedCrossAttentionOptions = options;
  const { epsilon = 1e-5, mask, weights: wanted } = given;
  const { feedForward: think, attentionDropout, drop } = block(op, given);
  return tidyAsked((): GatedCrossAttentionResult<GatedCrossAttentionOptions> => {
    const gate = (name: "attentionGate" | "feedForwardGate") => {
      const opened = tf.tanh(parameters[name]);
      notifyGate(op, name, opened, false);
      return opened;
    };
    const normal = (t: tf.Tensor3D, { gamma, beta }: NormParameters) =>
      layerNorm(t, gamma, beta, { epsilon });
    const reading = { ...mask, ...attentionDropout(), weights: wanted };
    const inputs = { query: normal(x, crossNorm), value: memory };
    const { output: read, weights } = multiHeadAttention(inputs, crossAttention, reading, op);
    const y = gatedResidual(x, drop(read), gate("attentionGate"));
    const thought = drop(think(normal(y, feedForwardNorm), feedForward));
    return { output: gatedResidual(y, thought, gate("feedForwardGate")), ...(weights && { weights }) };
  });
}
