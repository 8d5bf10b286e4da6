import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { cosineScore, l2Score } from "../../../src/attention/score/index.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";

onEveryBackend("scores by distance", () => {
  it("the cosine score does not change with the lengths of queries and keys, and its scale may be learned", () => {
    tf.tidy(() => {
      const queries = tensor<tf.Tensor3D>(random(1, [2, 3, 7]));
      const keys = tensor<tf.Tensor3D>(random(2, [2, 5, 7]));
      const run = (scale: number | tf.Tensor, longer = 1) => {
        const made = cosineScore({ scale });
        return made.score(tf.mul(queries, longer), made.prepare(tf.div(keys, longer)));
      };
      const plain = run(1).dataSync<"float32">();
      expect(plain.every((c) => Math.abs(c) <= 1 + 1e-6)).toBe(true);
      expect(distance(run(1, 1000).dataSync(), plain)).toBeLessThanOrEqual(1e-6);
      const strengths = tf.tensor3d([1, 2, 3, 4, 5, 6], [2, 3, 1]);
      const expected = plain.map((c, e) => c * (1 + Math.floor(e / 5)));
      expect(distance(run(strengths).dataSync(), expected)).toBeLessThanOrEqual(6e-6);
      const [dscale] = tf.grads((scale: tf.Tensor) => tf.sum(run(scale)))([tf.scalar(2)]);
      expect(dscale!.dataSync()[0]).toBeCloseTo(
        plain.reduce((sum, c) => sum + c, 0),
        4,
      );
    });
  });

  it("the cosine score of a vector of zeros is 0, and so is its gradient", () => {
    tf.tidy(() => {
      const queries = tf.concat(
        [tf.zeros<tf.Rank.R3>([1, 1, 7]), tensor<tf.Tensor3D>(random(1, [1, 2, 7]))],
        1,
      );
      const keys = tf.concat([tensor<tf.Tensor3D>(random(2, [1, 2, 7])), tf.zeros<tf.Rank.R3>([1, 1, 7])], 1);
      const f = (q: tf.Tensor, k: tf.Tensor) => {
        const made = cosineScore();
        return made.score(q as tf.Tensor3D, made.prepare(k as tf.Tensor3D));
      };
      const scores = f(queries, keys).dataSync();
      expect([0, 1, 2, 5, 8].map((e) => scores[e])).toEqual([0, 0, 0, 0, 0]);
      const [dq, dk] = tf.grads(f)([queries, keys]);
      expect([...dq!.dataSync().subarray(0, 7)].map(Math.abs)).toEqual(new Array(7).fill(0));
      expect([...dk!.dataSync().subarray(14)].map(Math.abs)).toEqual(new Array(7).fill(0));
      expect([...dq!.dataSync(), ...dk!.dataSync()].every(Number.isFinite)).toBe(true);
    });
  });

  it("the l2 score of a key that is the query is 0, and every other is below", () => {
    tf.tidy(() => {
      const points = tensor<tf.Tensor3D>(random(1, [1, 11, 7]));
      const made = l2Score({ scale: 1 });
      const scores = made.score(points, made.prepare(points)).dataSync();
      // Rounding of the squared lengths, which are below 32 here.
      scores.forEach((s, e) => {
        if (e % 12 === 0) expect(Math.abs(s)).toBeLessThanOrEqual(32 * 2 ** -22);
        else expect(s).toBeLessThan(-0.1);
      });
    });
  });
});
