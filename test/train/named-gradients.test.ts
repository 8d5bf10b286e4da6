import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import "@tensorflow/tfjs-backend-cpu";
import { loadGradients } from "../../src/host/gradients.ts";
import { namedGradients } from "../../src/train/named-gradients.ts";

beforeAll(async () => {
  await loadGradients();
  await tf.setBackend("cpu");
});

test("gradients come by the caller's names, whatever TensorFlow.js calls the variables, and nothing else is left", () => {
  const w = tf.variable(tf.tensor1d([1, 2]));
  const b = tf.variable(tf.scalar(3), true, "named-otherwise");
  const before = tf.memory().numTensors;
  const { loss, grads } = namedGradients({ w, b }, () => tf.add(tf.sum(tf.square(w)), tf.mul(b, 5)));
  // Σ w² + 5b = 1 + 4 + 15; its gradients are 2w and 5.
  expect(loss).toBe(20);
  expect(Object.keys(grads)).toEqual(["w", "b"]);
  expect(Array.from(grads.w!.dataSync())).toEqual([2, 4]);
  expect(Array.from(grads.b!.dataSync())).toEqual([5]);
  tf.dispose(grads);
  expect(tf.memory().numTensors).toBe(before);
  w.dispose();
  b.dispose();
});
