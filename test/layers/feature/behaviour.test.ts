import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import {
  axialAttention,
  cbam,
  crissCrossAttention,
  externalAttention,
  squeezeExcitation,
} from "../../../src/attention/feature/index.ts";
import {
  AxialAttention,
  ConvolutionalBlockAttention,
  CrissCrossAttention,
  ExternalAttention,
  GlobalContext,
  LearnableGate,
  NonLocal,
  SelectiveKernel,
  SqueezeExcitation,
} from "../../../src/layers/index.ts";
import { distance, onEveryBackend, random, tensor } from "../../attention/support.ts";
import { modelOf } from "../harness.ts";

const x = () => tensor<tf.Tensor4D>(random(1, [2, 3, 5, 7]));
type Layer = layers.Layer;

/** A layer's weights by the names that its documentation gives them. */
function weightsOf(layer: Layer): Record<string, tf.Tensor> {
  return Object.fromEntries(
    layer.weights.map((weight) => [weight.originalName.replace(`${layer.name}/`, ""), weight.read()]),
  );
}

/** The same layer with weights of normal numbers. */
function filled<L extends Layer>(layer: L, input: tf.Tensor): { layer: L; w: Record<string, tf.Tensor> } {
  layer.apply(input);
  layer.setWeights(
    layer.weights.map((weight, at) => {
      const values = tensor(random(7 + at, weight.shape as number[]));
      return weight.originalName.endsWith("variance") ? tf.add(tf.abs(values), 0.5) : values;
    }),
  );
  return { layer, w: weightsOf(layer) };
}

onEveryBackend("layers of features", () => {
  it("compute what the mechanisms do with their weights, under the documented names", () => {
    tf.tidy(() => {
      const input = x();
      const same = (layer: Layer, expected: tf.Tensor) => {
        const output = layer.apply(input) as tf.Tensor;
        expect(output.dataSync()).toEqual(expected.dataSync());
      };
      const se = filled(new SqueezeExcitation({ ratio: 3 }), input);
      const bottleneck = (w: Record<string, tf.Tensor>) => ({
        ...{ w1: w["reduce/kernel"] as tf.Tensor2D, b1: w["reduce/bias"] as tf.Tensor1D },
        ...{ w2: w["expand/kernel"] as tf.Tensor2D, b2: w["expand/bias"] as tf.Tensor1D },
      });
      same(se.layer, squeezeExcitation(input, bottleneck(se.w)).output);

      const block = filled(new ConvolutionalBlockAttention({ kernelSize: 3, epsilon: 0.1 }), input);
      const [gamma, beta, mean, variance] = ["gamma", "beta", "moving_mean", "moving_variance"].map(
        (name) => block.w[`spatial/norm/${name}`] as tf.Tensor1D,
      );
      const scale = tf.div<tf.Tensor1D>(gamma!, tf.sqrt(tf.add(variance!, 0.1)));
      const norm = { scale, shift: tf.sub<tf.Tensor1D>(beta!, tf.mul(mean!, scale)) };
      const spatial = { w: block.w["spatial/kernel"] as tf.Tensor4D, norm };
      same(block.layer, cbam(input, { channel: bottleneck(block.w), spatial }).output);

      const projections = (w: Record<string, tf.Tensor>) => ({
        ...{ wq: w["query/kernel"] as tf.Tensor2D, bq: w["query/bias"] as tf.Tensor1D },
        wk: w["key/kernel"] as tf.Tensor2D,
        ...{ wv: w["value/kernel"] as tf.Tensor2D, bv: w["value/bias"] as tf.Tensor1D },
        ...{ wo: w["output/kernel"] as tf.Tensor2D, bo: w["output/bias"] as tf.Tensor1D },
      });
      const axial = filled(new AxialAttention({ axis: "height", numHeads: 3, useCausalMask: true }), input);
      const options = { axis: "height", heads: 3, causal: true } as const;
      same(axial.layer, axialAttention(input, projections(axial.w), options).output);

      const cross = filled(new CrissCrossAttention(), input);
      const { wo: _, bo: __, ...three } = projections(cross.w);
      const parameters = { ...three, gamma: cross.w.gamma as tf.Scalar };
      const once = crissCrossAttention(input, parameters).output;
      same(cross.layer, crissCrossAttention(once, parameters).output);

      const external = filled(new ExternalAttention({ slots: 3, units: 2 }), input);
      const memories = {
        wq: external.w["query/kernel"] as tf.Tensor2D,
        ...{ mk: external.w["memory/keys"] as tf.Tensor2D, mv: external.w["memory/values"] as tf.Tensor2D },
        ...{ wo: external.w["output/kernel"] as tf.Tensor2D, bo: external.w["output/bias"] as tf.Tensor1D },
      };
      same(external.layer, externalAttention(input, memories).output);
    });
  });

  it("begin as the identity where they are added to a network that has learnt", () => {
    tf.tidy(() => {
      const input = x();
      for (const layer of [
        new NonLocal(),
        new NonLocal({ kind: "dot" }),
        new GlobalContext({ ratio: 2 }),
        new CrissCrossAttention(),
      ]) {
        expect((layer.apply(input) as tf.Tensor).dataSync(), layer.name).toEqual(input.dataSync());
      }
    });
  });

  it("normalise by batch in training and move their averages as the stock BatchNormalization", async () => {
    const input = x();
    const block = new SelectiveKernel({ dilations: [1], normalize: true, momentum: 0.9, epsilon: 1e-2 });
    block.apply(input);
    const kernel = weightsOf(block)["branch_0/kernel"] as tf.Tensor4D;
    const stock = layers.batchNormalization({ momentum: 0.9, epsilon: 1e-2 });
    const convolved = tf.conv2d(input, kernel, 1, "same");
    const expected = tf.relu(stock.apply(convolved, { training: true }) as tf.Tensor);
    const output = block.apply(input, { training: true }) as tf.Tensor;
    // One branch is its own softmax: the output is the normalised convolution.
    expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-5);
    const moved = weightsOf(block);
    const [mean, variance] = ["moving_mean", "moving_variance"].map(
      (name) => moved[`branch_0/norm/${name}`]!,
    );
    const [, , stockMean, stockVariance] = stock.getWeights();
    expect(distance(mean!.dataSync(), stockMean!.dataSync())).toBeLessThanOrEqual(1e-6);
    expect(distance(variance!.dataSync(), stockVariance!.dataSync())).toBeLessThanOrEqual(2e-5);
    // In inference the averages are used, and stay.
    const still = block.apply(input) as tf.Tensor;
    expect(still.dataSync()).not.toEqual(output.dataSync());
    expect(weightsOf(block)["branch_0/norm/moving_mean"]!.dataSync()).toEqual(mean!.dataSync());
    const before = tf.memory().numTensors;
    tf.dispose(block.apply(input, { training: true }) as tf.Tensor);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([convolved, expected, output, still]);
    tf.dispose(input);
  });

  it("averages do not train: they are no part of the trainable weights", () => {
    tf.tidy(() => {
      const block = new ConvolutionalBlockAttention();
      block.apply(x());
      const names = (weights: typeof block.weights) => weights.map(({ originalName }) => originalName);
      expect(names(block.nonTrainableWeights).map((name) => name.split("/").at(-1))).toEqual([
        "moving_mean",
        "moving_variance",
      ]);
      expect(names(block.trainableWeights).some((name) => name.includes("moving"))).toBe(false);
    });
  });

  it("a gate's penalty joins the loss of its model, and closes what is of no use", async () => {
    const gate = new LearnableGate({ penalty: 0.1 });
    const model = modelOf(gate, [[3]]);
    model.compile({ optimizer: tf.train.adam(0.1), loss: "meanSquaredError" });
    const input = tensor<tf.Tensor2D>(random(1, [16, 3]));
    const target = tf.mul(input, [[1, 0, 0]]);
    const loss = (await model.trainOnBatch(input, target)) as number;
    const half = tf.losses.meanSquaredError(target, tf.mul(input, 0.5)).dataSync()[0]!;
    expect(Math.abs(loss - (half + 0.1 * 0.5))).toBeLessThanOrEqual(1e-5);
    for (let step = 0; step < 60; step++) await model.trainOnBatch(input, target);
    const [useful, ...others] = tf.sigmoid(gate.getWeights()[0]!).dataSync();
    expect(useful).toBeGreaterThan(0.8);
    for (const other of others) expect(other).toBeLessThan(0.2);
  });

  it("stand in a model that learns which channel matters", async () => {
    const model = sequential({
      layers: [
        new SqueezeExcitation({ inputShape: [3, 3, 4], ratio: 2, seed: 1 }),
        layers.globalAveragePooling2d({ dataFormat: "channelsLast" }),
        layers.dense({ units: 1, useBias: false, kernelInitializer: "ones", trainable: false }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.05), loss: "meanSquaredError" });
    const input = tf.add(tensor<tf.Tensor4D>(random(1, [32, 3, 3, 4])), tensor(random(2, [32, 1, 1, 4])));
    const target = tf.slice(tf.mean(input, [1, 2]), [0, 2], [32, 1]);
    const { history } = await model.fit(input, target, { epochs: 40, batchSize: 32, verbose: 0 });
    expect((history.loss as number[]).at(-1)).toBeLessThan(0.3 * (history.loss![0] as number));
  });
});

it("name the rule where an option is out of range", () => {
  expect(() => new ConvolutionalBlockAttention({ kernelSize: 4 })).toThrow(
    "ConvolutionalBlockAttention: kernelSize must be an odd integer ≥ 1, got 4; leave it out for 7",
  );
  expect(() => new AxialAttention({ axis: "depth" as "width" })).toThrow(
    'AxialAttention: axis must be "height" or "width", got "depth"; a layer needs one',
  );
  expect(() => new AxialAttention({} as { axis: "width" })).toThrow(
    'AxialAttention: axis must be "height" or "width", got nothing; a layer needs one',
  );
  expect(() => new SqueezeExcitation({ ratio: 0 })).toThrow(
    "SqueezeExcitation: ratio must be a number above 0, got 0; leave it out for 16",
  );
});
