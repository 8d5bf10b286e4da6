import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { emptyRow } from "../../core/faults.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { dropoutRow } from "../../core/program-rows.ts";
import { addConstant, withValue } from "./guard.ts";
import { maskScores } from "./mask-scores.ts";
import { logSumExp, softmax } from "./softmax.ts";

/** Scores to weights: −∞ must become 0, and a row of −∞ alone zeros. */
export type Normalize = (scores: tf.Tensor) => tf.Tensor;

export interface Weighed {
  /** After soft-cap and bias. */
  readonly scores: tf.Tensor;
  /** −∞ where hidden. */
  readonly masked: tf.Tensor;
  /** Before dropout, without the sink. */
  readonly weights: tf.Tensor;
  /** What the values are multiplied by. */
  readonly dropped: tf.Tensor;
  readonly lse: () => tf.Tensor;
}

/** What a program's mask and bias are as tensors that broadcast to the scores. */
export interface WeighParts {
  readonly allow?: tf.Tensor | undefined;
  readonly bias?: tf.Tensor | undefined;
  /** The product of inputs that are not known finite, where `product` is that of cleaned ones: what it is to be. */
  readonly raw?: tf.Tensor | undefined;
  readonly normalize?: Normalize | undefined;
}

/** The middle steps of attention, mask → normalise, of scaled scores [B, H, T, S], or [B, T, S] with H = 1. */
export function weigh(program: AttentionProgram<tf.Tensor>, product: tf.Tensor, parts: WeighParts): Weighed {
  const { allow, bias, raw, normalize = softmax } = parts;
  const { softCap } = program;
  const transform = (x: tf.Tensor) => {
    const capped = softCap === undefined ? x : tf.mul(tf.tanh(tf.div(x, softCap)), softCap);
    return bias ? addRepeated(capped, bias) : capped;
  };
  const scores = raw ? withValue(transform(product), transform(raw)) : transform(product);
  const masked = allow ? maskScores(scores, allow) : scores;
  const S = masked.shape[masked.rank - 1]!;
  const competing = withSink(program, masked);
  const shares = normalize(competing);
  const own = program.sink === undefined ? shares : tf.slice(shares, 0, masked.shape);
  const weights = allow || bias || S === 0 ? fillEmptyRows(program, own, masked) : own;
  const dropped = program.dropout ? tf.mul(weights, dropoutTensor(program, weights.shape, S)) : weights;
  return { scores, masked, weights, dropped, lse: () => logSumExp(competing) };
}

/** The sink as one more key, which takes its share and has no value. */
function withSink({ sink, shapes }: AttentionProgram<tf.Tensor>, masked: tf.Tensor): tf.Tensor {
  if (sink === undefined) return masked;
  const column = [...masked.shape.slice(0, -1), 1];
  const logits = typeof sink === "number" ? sink : tf.reshape(sink, [shapes.H, 1, 1]);
  const sinks = typeof logits === "number" ? tf.fill(column, logits) : addRepeated(tf.zeros(column), logits);
  return tf.concat([masked, sinks], -1);
}

/** x + y, y repeated; TensorFlow.js has no gradient for what is repeated 0 times, and it is 0. */
function addRepeated(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  if (x.size > 0) return tf.add(x, y);
  const add = tf.customGrad((a, b) => ({
    value: tf.add(a as tf.Tensor, b as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => [dy, tf.zerosLike(b as tf.Tensor)],
  }));
  return add(x, y);
}

/** Rows without a visible key, as `onEmptyRow` wants them. "zero" is what the softmax gives already. */
function fillEmptyRows(
  program: AttentionProgram<tf.Tensor>,
  weights: tf.Tensor,
  masked: tf.Tensor,
): tf.Tensor {
  const { op, onEmptyRow, queryLengths, keyLengths, shapes } = program;
  if (onEmptyRow === "zero") return weights;
  const { B, H, T, S } = shapes;
  const hidden =
    S === 0
      ? new Uint8Array(B * H * T).fill(1)
      : tf.tidy(() => tf.equal(tf.max(masked, -1), Number.NEGATIVE_INFINITY).dataSync());
  const fill = new Float32Array(B * H * T * S);
  hidden.forEach((isEmpty, row) => {
    const b = Math.floor(row / (H * T));
    const i = row % T;
    if (!isEmpty || (queryLengths && i >= queryLengths[b]!)) return;
    if (onEmptyRow === "error")
      throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h: Math.floor(row / T) % H, i }));
    const n = keyLengths ? keyLengths[b]! : S;
    fill.fill(1 / n, row * S, row * S + n);
  });
  return addConstant(weights, tf.tensor(fill, weights.shape));
}

/** Dropout's factors, 0 or 1/(1 − rate), from the same numbers on every path. */
function dropoutTensor({ dropout, shapes }: AttentionProgram, shape: number[], S: number): tf.Tensor {
  const { B, H, T } = shapes;
  const factors = new Float32Array(B * H * T * S);
  for (let row = 0; row < B * H * T; row++) {
    dropoutRow(dropout!, Math.floor(row / (H * T)), Math.floor(row / T) % H, row % T, S, factors, row * S);
  }
  return tf.tensor(factors, shape);
}
