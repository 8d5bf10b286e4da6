/** Inputs of every width, and the scores. */
import type * as tf from "@tensorflow/tfjs-core";
import {
  additiveScore,
  concatScore,
  cosineScore,
  dotScore,
  generalScore,
  l2Score,
  locationScore,
  type Score,
  scaledDotScore,
} from "../../../src/attention/score/index.ts";
import { random, tensor } from "../support.ts";

export const [B, T, S, DQ, DK, DV, A] = [2, 3, 5, 7, 11, 13, 17];

export function inputs(width = DK) {
  return {
    queries: tensor<tf.Tensor3D>(random(1, [B, T, DQ])),
    keys: tensor<tf.Tensor3D>(random(2, [B, S, width])),
    values: tensor<tf.Tensor3D>(random(3, [B, S, DV])),
  };
}

export const matrix = (seed: number, ...shape: number[]) => tensor<tf.Tensor2D>(random(seed, shape));
export const vector = (seed: number, n: number) => tensor<tf.Tensor1D>(random(seed, [n]));

export const SCORES: [string, number, () => Score][] = [
  ["dot", DQ, () => dotScore()],
  ["scaledDot", DQ, () => scaledDotScore()],
  ["cosine", DQ, () => cosineScore({ scale: 5 })],
  ["l2", DQ, () => l2Score()],
  ["general", DK, () => generalScore({ w: matrix(4, DQ, DK) })],
  [
    "additive",
    DK,
    () => additiveScore({ w1: matrix(5, DK, A), w2: matrix(6, DQ, A), v: vector(7, A), b: vector(8, A) }),
  ],
  ["concat", DK, () => concatScore({ w: matrix(9, DQ + DK, A), v: vector(10, A) })],
  ["location", DK, () => locationScore({ w: matrix(11, DQ, S + 2) })],
];
