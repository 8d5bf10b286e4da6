import * as tf from "@tensorflow/tfjs-core";
import { sigmoidGate } from "../../src/attention/feature/sigmoid-gate.ts";
import { softAttention } from "../../src/attention/sequence/soft-attention.ts";
import { RandomStream } from "../../src/core/random.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { medianOf } from "../statistics.ts";
import { normal } from "../variables.ts";
import { clock } from "./clock.ts";

/** How many times longer eight times as many positions take. */
export interface Growth {
  gate: number;
  attention: number;
}

const FEW = 512;
const MANY = 8 * FEW;
const WIDTH = 64;
const ROUNDS = 9;
/** Gates are so fast that one call would time the clock. */
const GATE_CALLS = 50;

/** Medians of times measured in turn, so that what else the machine does falls on all alike. */
export async function gateGrowth(onProgress: (share: number) => void): Promise<Growth> {
  await useHeedBackend();
  const random = new RandomStream(1);
  const x = [FEW, MANY].map((n) => normal<tf.Tensor4D>(random, [1, 1, n, WIDTH]));
  const gate = (n: number) => () => sigmoidGate(x[n]!).output;
  const attend = (n: number) => () => softAttention(x[n]!, x[n]!, x[n]!).output;
  const timed: [f: () => tf.Tensor, calls: number][] = [
    [gate(0), 8 * GATE_CALLS],
    [gate(1), GATE_CALLS],
    [attend(0), 8],
    [attend(1), 1],
  ];
  const times: number[][] = timed.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, [f, calls]] of timed.entries()) times[n]!.push(msPerCall(f, calls));
    onProgress((round + 1) / ROUNDS);
  }
  tf.dispose(x);
  const [fewGate, manyGate, fewAttention, manyAttention] = times.map(medianOf);
  return { gate: manyGate! / fewGate!, attention: manyAttention! / fewAttention! };
}

function msPerCall(f: () => tf.Tensor, calls: number): number {
  // The first call alone may set things up.
  tf.tidy(() => f().dataSync());
  const begun = clock();
  for (let call = 0; call < calls; call++) tf.tidy(() => void f());
  return (clock() - begun) / calls;
}
