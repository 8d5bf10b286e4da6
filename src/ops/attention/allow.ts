import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import { hasBand, hasMask, keyRange } from "../../core/program-rows.ts";

/**
 * A program's mask as one bool tensor [B or 1, H or 1, T or 1, S], `true` where a query may attend; undefined where
 * nothing is hidden.
 */
export function allowTensor(program: AttentionProgram<tf.Tensor>): tf.Tensor4D | undefined {
  if (!hasMask(program)) return undefined;
  const ranges = rangeTensor(program);
  const { allow } = program;
  if (!allow) return ranges;
  const own = tf.reshape(allow.array, [...new Array(4 - allow.array.rank).fill(1), ...allow.array.shape]);
  return (ranges ? tf.logicalAnd(own, ranges) : own) as tf.Tensor4D;
}

/** Band and lengths, drawn from the ranges that every path shares. */
function rangeTensor(program: AttentionProgram): tf.Tensor4D | undefined {
  const { queryLengths, keyLengths, shapes } = program;
  if (!hasBand(program) && !queryLengths && !keyLengths) return undefined;
  const { S } = shapes;
  const B = queryLengths || keyLengths ? shapes.B : 1;
  const T = queryLengths || hasBand(program) ? shapes.T : 1;
  const mask = new Uint8Array(B * T * S);
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < T; i++) {
      const [start, end] = keyRange(program, b, i);
      const row = (b * T + i) * S;
      if (start < end) mask.fill(1, row + start, row + end);
    }
  }
  return tf.tensor4d(mask, [B, 1, T, S], "bool");
}
