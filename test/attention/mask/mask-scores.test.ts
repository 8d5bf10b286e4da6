import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { maskScores } from "../../../src/ops/attention/mask.ts";
import { onEveryBackend } from "../support.ts";

onEveryBackend("maskScores", () => {
  const allow = () => tf.tensor2d([[1, 0, 1]], [1, 3], "bool");

  it("puts −∞ where allow is false, whatever stood there, and repeats allow over the leading axes", () => {
    const scores = tf.tensor3d([1, Number.NaN, 2, 3, Number.POSITIVE_INFINITY, 4], [2, 1, 3]);
    expect([...maskScores(scores, allow()).dataSync()]).toEqual([1, -Infinity, 2, 3, -Infinity, 4]);
  });

  it("gives hidden scores gradient 0, even where a normaliser hands back NaN", () => {
    const dy = tf.tensor2d([[5, Number.NaN, 7]]);
    const gradient = tf.grad((x) => maskScores(x, allow()))(tf.tensor2d([[1, 2, 3]]), dy);
    expect([...gradient.dataSync()]).toEqual([5, 0, 7]);
  });
});
