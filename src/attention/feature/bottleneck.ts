import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { columnsOf, optional } from "./check.ts";

/** Two layers over the channels, narrow in the middle. */
export interface BottleneckParameters {
  /** [C, R] */
  w1: tf.Tensor2D;
  /** [R] @default none */
  b1?: tf.Tensor1D;
  /** [R, C] */
  w2: tf.Tensor2D;
  /** [C] @default none */
  b2?: tf.Tensor1D;
}

/** @throws ShapeError RANK, SHAPE */
export function checkBottleneck(op: string, name: string, p: BottleneckParameters, C: number): void {
  const R = columnsOf(op, `${name}w1 [C, R]`, p.w1);
  checkTensors(op, [
    { name: `${name}w1`, tensor: p.w1, letters: "[C, R]", shape: [C, R] },
    ...optional(`${name}b1`, p.b1, "[R]", [R]),
    { name: `${name}w2`, tensor: p.w2, letters: "[R, C]", shape: [R, C] },
    ...optional(`${name}b2`, p.b2, "[C]", [C]),
  ]);
}

/** W₂·relu(W₁z + b₁) + b₂ */
export function bottleneck<T extends tf.Tensor>(z: T, { w1, b1, w2, b2 }: BottleneckParameters): T {
  return linear(tf.relu(linear(z, w1, b1)), w2, b2);
}
