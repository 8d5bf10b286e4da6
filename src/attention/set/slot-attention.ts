import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkPositive } from "../../core/check-options.ts";
import { checkRank, checkSame } from "../../core/shapes.ts";
import { checkTensors, type Expected } from "../../ops/check.ts";
import { gruCell } from "../../ops/gru-cell.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import type { KeyMask } from "../sequence/key-mask.ts";
import type { FeedForwardParameters, NormParameters } from "../transformer/block.ts";
import { elementMask, presentElements } from "./element-mask.ts";

/** A gated recurrent unit, its gates in PyTorch's order r, z, n. */
export interface GruParameters {
  /** [Dv, 3·C] */
  input: tf.Tensor2D;
  /** [3·C] */
  inputBias: tf.Tensor1D;
  /** [C, 3·C] */
  hidden: tf.Tensor2D;
  /** [3·C] */
  hiddenBias: tf.Tensor1D;
}

export interface SlotAttentionParameters {
  inputNorm: NormParameters;
  slotNorm: NormParameters;
  /** [C, D] */
  wq: tf.Tensor2D;
  /** [Cx, D] */
  wk: tf.Tensor2D;
  /** [Cx, Dv] */
  wv: tf.Tensor2D;
  gru: GruParameters;
  feedForwardNorm: NormParameters;
  /** w1 [C, F], w2 [F, C] */
  feedForward: FeedForwardParameters;
}

export interface SlotAttentionOptions extends KeyMask {
  /** How often the slots read, an integer ≥ 1. @default 3 */
  iterations?: number;
  /** ε of the weighted mean, above 0. @default 1e-8 */
  epsilon?: number;
  /** Return the weights [B, T, S] of the last iteration. @default false */
  weights?: boolean;
}

export type SlotAttentionResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor3D>;

/**
 * Slot attention: slots compete for the elements of a set, until each holds a part of it, such as one object of a scene.
 *
 *     k = norm(x)·Wk,  v = norm(x)·Wv,  and `iterations` times:
 *       q = norm(slots)·Wq,    weights_ts = softmax_t(q_t·k_s / √D)
 *       u_t = Σ_s (weights_ts + ε) v_s / Σ_s (weights_ts + ε)
 *       slots = GRU(u, slots),    slots = slots + feedForward(norm(slots))
 *
 * Symbols: t slots, s elements; u the update; feedForward(y) = relu(y·w1 + b1)·w2 + b2; the paper's K and N are T and S.
 * Shapes: x [B, S, Cx], slots [B, T, C], wq [C, D], wk [Cx, D], wv [Cx, Dv], GRU [Dv, 3·C] and [C, 3·C] → output
 * [B, T, C], weights [B, T, S].
 * Conventions: the softmax is over the slots, so that each element is shared among them: the weights of an element sum to 1.
 * Slots differ by what they begin with alone; the paper draws it, and slots that begin alike stay alike. Permuting the set
 * changes nothing, permuting slots permutes the output. `allow` is bool [S] or [B, S], true for elements that are there:
 * the others have weights 0 and reach nothing; where none is there the update is 0.
 * Cost: O(B·S·Cx·(D + Dv) + iterations·B·T·(S·(D + Dv) + C·(D + Dv + C + F))).
 * Paper: Locatello et al. 2020, §2.1, Algorithm 1, arxiv.org/abs/2006.15055.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · OptionError OPTION
 * @draws
 * // Three slots share 24 elements, which stand in three heaps; what they begin with is drawn.
 * const heap = tf.tensor1d([...Array(24).keys()].map((s) => (s * 7) % 3), "int32");
 * const x = tf.expandDims(tf.add(tf.oneHot(heap, 3), tf.randomNormal([24, 3], 0, 0.2, "float32", 1)), 0);
 * const slots = tf.randomNormal([1, 3, 3], 0, 1, "float32", 5);
 * const still = { input: tf.concat([tf.zeros([3, 6]), tf.eye(3)], 1), inputBias: tf.tensor1d([0, 0, 0, -3, -3, -3, 0, 0, 0]) };
 * const gru = { ...still, hidden: tf.zeros([3, 9]), hiddenBias: tf.zeros([9]) };
 * const feedForward = { w1: tf.zeros([3, 3]), w2: tf.zeros([3, 3]) };
 * const w = { wq: tf.mul(tf.eye(3), 3), wk: tf.eye(3), wv: tf.eye(3) };
 * const norms = { inputNorm: {}, slotNorm: {}, feedForwardNorm: {} };
 * return tf.squeeze(slotAttention(x, slots, { ...w, gru, feedForward, ...norms }, { weights: true }).weights, [0]);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const gru = { input: w(5, 12), inputBias: tf.zeros([12]), hidden: w(4, 12), hiddenBias: tf.zeros([12]) };
 * const parameters = {
 *   ...{ inputNorm: {}, slotNorm: {}, wq: w(4, 5), wk: w(7, 5), wv: w(7, 5), gru },
 *   ...{ feedForwardNorm: {}, feedForward: { w1: w(4, 8), w2: w(8, 4) } },
 * };
 * const { output, weights } = slotAttention(values, w(2, 3, 4), parameters, { weights: true });
 * output.shape; // [2, 3, 4]
 * tf.slice(tf.sum(weights, 1), [0, 0], [1, 2]); // [[1.000, 1.000]]
 */
export function slotAttention<const O extends SlotAttentionOptions>(
  x: tf.Tensor3D,
  slots: tf.Tensor3D,
  parameters: SlotAttentionParameters,
  options: O = {} as O,
): SlotAttentionResult<O> {
  const op = "slotAttention";
  const { iterations = 3, epsilon = 1e-8, weights: wanted, allow }: SlotAttentionOptions = options;
  checkInputs(op, x, slots, parameters);
  checkCount(op, "iterations", iterations);
  checkPositive(op, "epsilon", epsilon);
  const { inputNorm, slotNorm, wq, wk, wv, gru, feedForwardNorm, feedForward } = parameters;
  const [B, S] = x.shape;
  const [, T, C] = slots.shape;
  const D = wq.shape[1];
  return tidyAsked((): SlotAttentionResult<SlotAttentionOptions> => {
    const there = elementMask(op, { ...(allow && { allow }) }, B, S);
    const shown = there && tf.cast<tf.Tensor3D>(tf.expandDims(there, 2), "float32");
    const set = normal(presentElements(x, there), inputNorm);
    const keys = tf.mul(linear(set, wk), 1 / Math.sqrt(D)) as tf.Tensor3D;
    const values = linear(set, wv);
    let held = slots;
    let weights: tf.Tensor3D;
    for (let n = 0; n < iterations; n++) {
      const queries = linear(normal(held, slotNorm), wq);
      // Elements first: the softmax is over the slots.
      const shares = tf.softmax(tf.matMul<tf.Tensor3D>(keys, queries, false, true));
      weights = shown ? tf.mul<tf.Tensor3D>(shares, shown) : shares;
      const above = tf.add(shares, epsilon);
      const counted = (shown ? tf.mul(above, shown) : above) as tf.Tensor3D;
      const all = tf.transpose(tf.sum(counted, 1, true), [0, 2, 1]);
      // A set without elements has no mean.
      const update = tf.div<tf.Tensor3D>(
        tf.matMul(counted, values, true),
        tf.where(tf.greater(all, 0), all, 1),
      );
      held = think(recur(update, held, gru), feedForwardNorm, feedForward);
    }
    return {
      output: tf.reshape(held, [B, T, C]),
      ...(wanted && { weights: tf.transpose(weights!, [0, 2, 1]) }),
    };
  });
}

function normal(x: tf.Tensor3D, { gamma, beta }: NormParameters): tf.Tensor3D {
  return layerNorm(x, gamma, beta);
}

/** One step of the unit, for every slot by itself. */
function recur(update: tf.Tensor3D, slots: tf.Tensor3D, gru: GruParameters): tf.Tensor3D {
  const [B, T, C] = slots.shape;
  const rows = (t: tf.Tensor3D) => tf.reshape(t, [B * T, t.shape[2]]) as tf.Tensor2D;
  const input = linear(rows(update), gru.input, gru.inputBias);
  const hidden = linear(rows(slots), gru.hidden, gru.hiddenBias);
  return tf.reshape(gruCell(input, hidden, rows(slots)), [B, T, C]);
}

function think(
  slots: tf.Tensor3D,
  norm: NormParameters,
  { w1, b1, w2, b2 }: FeedForwardParameters,
): tf.Tensor3D {
  return tf.add(slots, linear(tf.relu(linear(normal(slots, norm), w1, b1)), w2, b2));
}

function checkInputs(
  op: string,
  x: tf.Tensor3D,
  slots: tf.Tensor3D,
  { wq, wk, wv, gru, feedForward }: SlotAttentionParameters,
): void {
  const names = { x: "x [B, S, Cx]", slots: "slots [B, T, C]" };
  checkRank(op, names.x, x, 3);
  checkRank(op, names.slots, slots, 3);
  checkSame(op, "B", { name: names.x, array: x, axis: 0 }, { name: names.slots, array: slots, axis: 0 });
  checkRank(op, "wq [C, D]", wq, 2);
  checkRank(op, "wv [Cx, Dv]", wv, 2);
  checkRank(op, "w1 [C, F]", feedForward.w1, 2);
  const [[, , Cx], [, , C]] = [x.shape, slots.shape];
  const [D, Dv, F] = [wq.shape[1], wv.shape[1], feedForward.w1.shape[1]];
  const of = (name: string, tensor: tf.Tensor, letters: string, ...shape: number[]): Expected => ({
    ...{ name, tensor, letters, shape },
  });
  checkTensors(op, [
    of("wq", wq, "[C, D]", C, D),
    of("wk", wk, "[Cx, D]", Cx, D),
    of("wv", wv, "[Cx, Dv]", Cx, Dv),
    of("gru.input", gru.input, "[Dv, 3·C]", Dv, 3 * C),
    of("gru.inputBias", gru.inputBias, "[3·C]", 3 * C),
    of("gru.hidden", gru.hidden, "[C, 3·C]", C, 3 * C),
    of("gru.hiddenBias", gru.hiddenBias, "[3·C]", 3 * C),
    of("feedForward.w1", feedForward.w1, "[C, F]", C, F),
    of("feedForward.w2", feedForward.w2, "[F, C]", F, C),
  ]);
}
