import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { RMSNormalization } from "../../../src/layers/index.ts";
import { distance, onEveryBackend, random, tensor } from "../../attention/support.ts";
import { describeLayer } from "../harness.ts";

describeLayer(RMSNormalization, {
  "over the last axis": { args: {}, inputs: [[3, 5]] },
  "over two axes": { args: { axis: [1, -1], epsilon: 1e-3 }, inputs: [[3, 2, 5]] },
  "of vectors": { args: {}, inputs: [[7]], batch: 5 },
});

onEveryBackend("RMSNormalization", () => {
  it.each([
    [-1, [3, 5]],
    [1, [3, 5]],
    [
      [1, 3],
      [3, 2, 5],
    ],
    [
      [3, 1],
      [3, 2, 5],
    ],
  ])("over axis %j divides by the root of the mean square, and scales", (axis, shape) => {
    const x = tensor(random(1, [2, ...shape]));
    const layer = new RMSNormalization({ axis, epsilon: 0.25 });
    layer.apply(x);
    const axes = [axis].flat().map((n) => (n < 0 ? n + x.rank : n));
    // The weight's numbers lie along the axes in ascending order; its shape is that of `axis`.
    const scale = random(7, layer.weights[0]!.shape as number[]);
    layer.setWeights([tensor(scale)]);
    const along = x.shape.map((size, n) => (axes.includes(n) ? size : 1));
    const mean = tf.mean(tf.square(x), axes, true);
    const expected = tf.mul(tf.div(x, tf.sqrt(tf.add(mean, 0.25))), tf.reshape(tensor(scale), along));
    const got = layer.apply(x) as tf.Tensor;
    // Sums of up to 15 elements in another order, and a few roundings, of numbers up to about 4.
    expect(distance(got.dataSync(), expected.dataSync())).toBeLessThanOrEqual(4 * 24 * 2 ** -24);
    expect(layer.weights.map(({ originalName }) => originalName.split("/").at(-1))).toEqual(["scale"]);
  });
});

beforeAll(() => tf.setBackend("cpu"));

it("refuses axes that are not there, and an ε of 0", () => {
  expect(() => new RMSNormalization({ axis: 2 }).apply(tf.zeros([2, 3]))).toThrow(
    "RMSNormalization: axis must be different axes of the input, from -2 to 1, got 2; choose one in that range or leave it out",
  );
  expect(() => new RMSNormalization({ epsilon: 0 })).toThrow(
    "RMSNormalization: epsilon must be a number above 0, got 0; leave it out for 0.000001",
  );
});
