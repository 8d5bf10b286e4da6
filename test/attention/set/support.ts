import * as tf from "@tensorflow/tfjs-core";
import type {
  MultiHeadAttentionBlockParameters,
  SlotAttentionParameters,
} from "../../../src/attention/index.ts";
import { random, tensor } from "../support.ts";

export type Flat = Record<string, tf.Tensor>;

/** Normal numbers small enough that a few maps in a row keep their size. */
export function small<T extends tf.Tensor>(seed: number, ...shape: number[]): T {
  return tf.mul(tensor(random(seed, shape)), 0.4) as T;
}

export interface BlockSizes {
  C: number;
  Cy: number;
  H: number;
  D: number;
  F: number;
}

/** Every parameter of a multi-head attention block by name, to differentiate by. */
export function blockTensors(seed: number, { C, Cy, H, D, F }: BlockSizes): Flat {
  const shapes: Record<string, number[]> = {
    ...{ wq: [C, H, D], bq: [H, D], wk: [Cy, H, D], wv: [Cy, H, D], bv: [H, D], wo: [H, D, C], bo: [C] },
    ...{ gamma: [C], beta: [C], w1: [C, F], b1: [F], w2: [F, C], b2: [C], gamma2: [C], beta2: [C] },
  };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], n) => [name, small(seed + n, ...shape)]),
  );
}

export function blockParameters(t: Flat): MultiHeadAttentionBlockParameters {
  const { wq, bq, wk, wv, bv, wo, bo } = t;
  return {
    attention: { wq, bq, wk, wv, bv, wo, bo },
    attentionNorm: { gamma: t.gamma, beta: t.beta },
    feedForward: { w1: t.w1, b1: t.b1, w2: t.w2, b2: t.b2 },
    feedForwardNorm: { gamma: t.gamma2, beta: t.beta2 },
  } as unknown as MultiHeadAttentionBlockParameters;
}

export interface SlotSizes {
  C: number;
  Cx: number;
  D: number;
  Dv: number;
  F: number;
}

/** Every parameter of slot attention by name. */
export function slotTensors(seed: number, { C, Cx, D, Dv, F }: SlotSizes): Flat {
  const shapes: Record<string, number[]> = {
    ...{ inputGamma: [Cx], inputBeta: [Cx], slotGamma: [C], slotBeta: [C], gamma: [C], beta: [C] },
    ...{ wq: [C, D], wk: [Cx, D], wv: [Cx, Dv], input: [Dv, 3 * C], inputBias: [3 * C] },
    ...{ hidden: [C, 3 * C], hiddenBias: [3 * C], w1: [C, F], b1: [F], w2: [F, C], b2: [C] },
  };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], n) => [name, small(seed + n, ...shape)]),
  );
}

export function slotParameters(t: Flat): SlotAttentionParameters {
  return {
    inputNorm: { gamma: t.inputGamma, beta: t.inputBeta },
    slotNorm: { gamma: t.slotGamma, beta: t.slotBeta },
    ...{ wq: t.wq, wk: t.wk, wv: t.wv },
    gru: { input: t.input, inputBias: t.inputBias, hidden: t.hidden, hiddenBias: t.hiddenBias },
    feedForwardNorm: { gamma: t.gamma, beta: t.beta },
    feedForward: { w1: t.w1, b1: t.b1, w2: t.w2, b2: t.b2 },
  } as unknown as SlotAttentionParameters;
}

/** Tensors that a call leaves behind beyond its result. */
export function leftBehind(call: () => object): number {
  const { numTensors } = tf.memory();
  tf.dispose(call() as unknown as tf.TensorContainer);
  return tf.memory().numTensors - numTensors;
}
