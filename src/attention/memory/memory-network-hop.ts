import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { compileProgram } from "../../core/program.ts";
import { attention } from "../../ops/attention.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkSlots } from "./check.ts";

export interface MemoryNetworkHopOptions {
  /** H, a map of the question between hops, [C, C], as in layer-wise tying. @default none, as in adjacent tying */
  h?: tf.Tensor2D;
  /** Sentences of each example; later slots are padding, never read. @default S */
  keyLengths?: ArrayLike<number>;
  /**
   * Leaves the softmax out, p_i = u·m_i: a network that begins to train so ("linear start", §4.2) finds its way past
   * minima in which a hop reads nothing of use. @default false
   */
  linear?: boolean;
  /** Return p, [B, S]. @default false */
  weights?: boolean;
}

export type MemoryNetworkHopResult<O> = { output: tf.Tensor2D } & Asked<O, "weights", tf.Tensor2D>;

/**
 * One hop of an end-to-end memory network: a question reads the memory, and what it found is added to it.
 *
 *     p_i = softmax_i(u·m_i),    o = Σ_i p_i c_i,    u' = H u + o
 *
 * Symbols: u the question, m_i the memory of sentence i that it is compared with, c_i the one that is read, p the weights, H
 * an optional map. Shapes: u [B, C], m and c [B, S, C], H [C, C] → output [B, C], weights [B, S].
 * Conventions: no scale; with `linear` no softmax either, p_i = u·m_i. The next hop asks with u'; with adjacent tying its m is this one's c. NaN in padding leaks nowhere,
 * and an example without a sentence reads 0. A capture keeps each hop as a call of attention with one query.
 * Cost: O(B·S·C). Paper: Sukhbaatar, Szlam, Weston & Fergus 2015, §2, (1) to (4), arxiv.org/abs/1503.08895.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * // Two hops, ten questions: sentence i says "after i comes i + 5", so that the second hop asks with what the first one found.
 * const eye = tf.eye(12);
 * const after = tf.concat([tf.slice(eye, [5, 0], [7, 12]), tf.slice(eye, [0, 0], [5, 12])]);
 * const u = tf.mul(tf.slice(eye, [0, 0], [10, 12]), 4);
 * const [m, c] = [eye, tf.mul(after, 8)].map((x) => tf.tile(tf.expandDims(x, 0), [10, 1, 1]));
 * const first = memoryNetworkHop(u, m, c, { weights: true });
 * const second = memoryNetworkHop(first.output, m, c, { weights: true });
 * return tf.concat([first.weights, second.weights], 1);
 * @example
 * const u = tf.tensor2d([[0, 1]]);
 * const [m, c] = [tf.tensor3d([[[5, 0], [5, Math.log(3)]]]), tf.tensor3d([[[4, 0], [8, 0]]])];
 * const { output, weights } = memoryNetworkHop(u, m, c, { weights: true });
 * weights; // [[0.25, 0.75]]
 * output; // [[7.0000, 1.0000]]
 */
export function memoryNetworkHop<const O extends MemoryNetworkHopOptions>(
  u: tf.Tensor2D,
  m: tf.Tensor3D,
  c: tf.Tensor3D,
  options: O = {} as O,
): MemoryNetworkHopResult<O> {
  const op = "memoryNetworkHop";
  checkRank(op, "u [B, C]", u, 2);
  checkRank(op, "m [B, S, C]", m, 3);
  const [B, C] = u.shape;
  const S = m.shape[1];
  const { h, keyLengths, linear: isLinear = false, weights }: MemoryNetworkHopOptions = options;
  const slots = { letters: "[B, S, C]", shape: [B, S, C] };
  checkTensors(op, [
    { name: "u", tensor: u, letters: "[B, C]", shape: [B, C] },
    { name: "m", tensor: m, ...slots },
    { name: "c", tensor: c, ...slots },
    ...(h ? [{ name: "h", tensor: h, letters: "[C, C]", shape: [C, C] }] : []),
  ]);
  checkSlots(op, S);
  if (C === 0) {
    const fault = { op, rule: "u [B, C] must have a width C of 1 or more", got: "C = 0" };
    throw new ShapeError("SHAPE", { ...fault, remedy: "a question of no width compares with nothing" });
  }
  return tidyAsked((): MemoryNetworkHopResult<MemoryNetworkHopOptions> => {
    const read = isLinear ? linearly(op, u, m, c, keyLengths) : softly(op, u, m, c, { keyLengths, weights });
    return {
      output: tf.add(h ? linear(u, h) : u, tf.reshape(read.output, [B, C])),
      ...(weights && { weights: tf.reshape(read.weights!, [B, S]) as tf.Tensor2D }),
    };
  });
}

interface Read {
  output: tf.Tensor;
  weights?: tf.Tensor;
}

/** As attention of one head and one query. */
function softly(
  op: string,
  u: tf.Tensor2D,
  m: tf.Tensor3D,
  c: tf.Tensor3D,
  { keyLengths, weights }: MemoryNetworkHopOptions,
): Read {
  const [B, C] = u.shape;
  const head = (x: tf.Tensor): tf.Tensor4D => tf.reshape(x, [B, 1, -1, C]);
  const options = { scale: 1, ...(keyLengths && { keyLengths }), weights: weights ?? false };
  return attention(head(u), head(m), head(c), options, op);
}

/** Without a softmax: hidden sentences count 0. */
function linearly(
  op: string,
  u: tf.Tensor2D,
  m: tf.Tensor3D,
  c: tf.Tensor3D,
  keyLengths: ArrayLike<number> | undefined,
): Read {
  const [B, S, C] = m.shape;
  const all = keyLengths ?? new Array<number>(B).fill(S);
  const shapes = { B, T: 1, S, H: 1, Hkv: 1, D: C, Dv: C };
  compileProgram(op, shapes, { keyLengths: all });
  const seen = Array.from({ length: B * S }, (_, n) => n % S < all[Math.floor(n / S)]!);
  const visible = tf.tensor3d(Uint8Array.from(seen, Number), [B, S, 1], "bool");
  const clean = (x: tf.Tensor3D) => tf.where(visible, x, tf.zerosLike(x));
  const weights = tf.matMul(clean(m), tf.expandDims(u, 2));
  return { output: tf.matMul(weights, clean(c), true), weights };
}
