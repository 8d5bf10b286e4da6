import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers TensorFlow.js' gradients
import { beforeAll, expect, test } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import { attentionCalls } from "../../src/ops/attention/observe.ts";
import { decoderStep, hasDecoderStep } from "../../src/ops/decoder-step.ts";

beforeAll(useHeedBackend);

const identity = () => ({ matrix: tf.tensor2d([1, 0, 0, 1], [2, 2]) });
const norm = () => ({ gamma: tf.ones([2]) });

/** One layer of C = H·D = 2 whose maps change nothing and whose feed-forward sublayer adds nothing. */
const layer = () => ({
  self: { norm: norm(), query: identity(), key: identity(), value: identity(), output: identity() },
  feed: { norm: norm(), in: { matrix: tf.zeros([3, 2]) }, out: { matrix: tf.zeros([2, 3]) } },
});

test("a step writes its row into the cache and reads the rows before it, by hand", () => {
  tf.tidy(() => {
    // n = x / √(mean(x²) + 0), |n|² = 2.
    const [x, n] = [
      [3, 4],
      [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)],
    ];
    // The key before it is 0: with a scale of ln 3 / 2 the scores are 0 and ln 3, the weights 1/4 and 3/4.
    const k = tf.tensor4d([0, 0, Number.NaN, 7, Number.NaN, 7], [1, 3, 1, 2]);
    const v = tf.tensor4d([8, -4, 7, Number.NaN, 7, Number.NaN], [1, 3, 1, 2]);
    const out = decoderStep(tf.tensor3d(x, [1, 1, 2]), {
      layers: [layer()],
      caches: [{ k, v }],
      norm: undefined,
      ...{ preNorm: true, epsilon: 0, activation: "relu", headWidth: 2, scale: Math.log(3) / 2 },
      ...{ starts: [1], keyLengths: [2] },
    });
    const wanted = [3 + 8 / 4 + (3 / 4) * n[0]!, 4 - 4 / 4 + (3 / 4) * n[1]!];
    expect(out.shape).toEqual([1, 1, 2]);
    for (const [c, value] of out.dataSync().entries()) expect(value).toBeCloseTo(wanted[c]!, 5);
    for (const cache of [k, v]) {
      const rows = [...cache.dataSync()];
      for (const c of [0, 1]) expect(rows[2 + c]).toBeCloseTo(n[c]!, 6);
      // What no token has filled stays as it is.
      expect(rows.slice(4).some(Number.isNaN)).toBe(true);
    }
  });
});

test("there is no such step under a gradient, nor under who looks at attention", () => {
  expect(hasDecoderStep()).toBe(true);
  const seen: boolean[] = [];
  tf.tidy(() => {
    tf.grad((x: tf.Tensor) => {
      seen.push(hasDecoderStep());
      return tf.sum(x);
    })(tf.ones([2]));
  });
  attentionCalls.during(
    () => {},
    () => seen.push(hasDecoderStep()),
  );
  expect(seen).toEqual([false, false]);
});
