/** Attention whose queries or keys are none, under every score, on the stock backends too. */
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  additiveScore,
  concatScore,
  cosineScore,
  dotScore,
  generalScore,
  l2Score,
  type Score,
  scaledDotScore,
} from "../../../src/attention/score/index.ts";
import { attend } from "../../../src/attention/sequence/index.ts";
import { BACKEND } from "../../../src/host/backend.ts";

const [B, D, A, DV] = [2, 3, 5, 7];

/** Each score, of the parameters given. */
const SCORES: [string, (w1: tf.Tensor2D, w2: tf.Tensor2D, v: tf.Tensor1D) => Score][] = [
  ["dot", () => dotScore()],
  ["scaled dot", () => scaledDotScore()],
  ["cosine", () => cosineScore()],
  ["l2", () => l2Score()],
  ["general", (w1) => generalScore({ w: tf.slice(w1, [0, 0], [D, D]) })],
  ["additive", (w1, w2, v) => additiveScore({ w1, w2, v })],
  ["concat", (w1, w2, v) => concatScore({ w: tf.concat([w1, w2]), v })],
];
const CASES = SCORES.flatMap(([name, score]) =>
  (
    [
      [0, 11],
      [5, 0],
      [0, 0],
    ] as const
  ).map(([T, S]) => [name, T, S, score] as const),
);

describe.each(["cpu", "wasm", BACKEND])("attend on %s", (backend) => {
  beforeAll(async () => void (await tf.setBackend(backend)));

  it.each(CASES)("with the %s score, T = %i and S = %i, gives 0 and gradients of 0", (_, T, S, score) => {
    const others = Array.from({ length: 64 }, (_other, n) => tf.fill([n + 1], n + 0.5));
    for (let round = 0; round < 5; round++)
      tf.tidy(() => {
        const normal = (...shape: number[]) => tf.randomNormal(shape, 0, 1, "float32", 3);
        const x = [normal(B, T, D), normal(B, S, D), normal(B, S, DV), normal(D, A), normal(D, A), normal(A)];
        const loss = (...y: tf.Tensor[]) => {
          const [queries, keys, values] = y as tf.Tensor3D[];
          const made = score(y[3] as tf.Tensor2D, y[4] as tf.Tensor2D, y[5] as tf.Tensor1D);
          const mask = { keyLengths: new Array<number>(B).fill(S) };
          const { output } = attend({ queries: queries!, keys: keys!, values: values!, score: made, mask });
          expect(output.shape).toEqual([B, T, DV]);
          expect(output.dataSync().every((n) => n === 0)).toBe(true);
          // So that each parameter has a gradient, whatever the score has of them.
          const rest = y.slice(3).map((w) => tf.mul(tf.sum(w), 0));
          return tf.addN([tf.sum(output), ...rest]);
        };
        tf.grads(loss)(x).forEach((g, n) => {
          expect(g.shape).toEqual(x[n]!.shape);
          expect(g.dataSync().every((dy) => dy === 0)).toBe(true);
        });
      });
    others.forEach((other, n) => {
      expect([...other.dataSync()]).toEqual(new Array<number>(n + 1).fill(n + 0.5));
      other.dispose();
    });
  });
});
