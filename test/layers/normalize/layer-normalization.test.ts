import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { LayerNormalization } from "../../../src/layers/index.ts";
import { distance, onEveryBackend, random, tensor } from "../../attention/support.ts";
import { describeLayer, modelOf, reloaded } from "../harness.ts";

describeLayer(LayerNormalization, {
  "over the last axis": { args: {}, inputs: [[3, 5]] },
  "over two axes": { args: { axis: [1, -1], epsilon: 1e-6 }, inputs: [[3, 2, 5]] },
  "of vectors, without γ": { args: { scale: false, betaConstraint: "nonNeg" }, inputs: [[7]], batch: 5 },
});

onEveryBackend("LayerNormalization beside the stock layer", () => {
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
  ])("over axis %j computes what the stock layer does, with its weights", (axis, shape) => {
    const x = tensor(random(1, [2, ...shape]));
    const stock = layers.layerNormalization({ axis });
    const own = new LayerNormalization({ axis });
    stock.apply(x);
    own.apply(x);
    const weights = stock.weights.map((weight, at) => tensor(random(7 + at, weight.shape as number[])));
    stock.setWeights(weights);
    own.setWeights(weights);
    // Numbers up to about 10 through float32 sums of up to 15 elements in another order: 15 · 2⁻²⁴ · 10.
    const [a, b] = [own, stock].map((layer) => (layer.apply(x) as tf.Tensor).dataSync());
    expect(distance(a!, b!)).toBeLessThanOrEqual(1e-5);
  });

  it("is what a model saved with the stock layer loads", async () => {
    const stock = modelOf(layers.layerNormalization({ epsilon: 1e-2 }), [[5]]);
    const loaded = await reloaded(stock);
    expect(loaded.layers[1]).toBeInstanceOf(LayerNormalization);
    const x = tensor(random(1, [3, 5]));
    const [a, b] = [loaded, stock].map((model) => (model.predict(x) as tf.Tensor).dataSync());
    expect(distance(a!, b!)).toBeLessThanOrEqual(1e-5);
  });
});

beforeAll(() => tf.setBackend("cpu"));

it("refuses axes that are not there, twice the same one, and an ε of 0", () => {
  const x = tf.zeros([2, 3]);
  expect(() => new LayerNormalization({ axis: 2 }).apply(x)).toThrow(
    "LayerNormalization: axis must be different axes of the input, from -2 to 1, got 2; choose one in that range or leave it out",
  );
  expect(() => new LayerNormalization({ axis: [1, -1] }).apply(x)).toThrow("got 1,-1;");
  expect(() => new LayerNormalization({ epsilon: 0 })).toThrow(
    "LayerNormalization: epsilon must be a number above 0, got 0; leave it out for 0.001",
  );
});
