import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  alibiBias,
  alibiKeyBias,
  rope,
  sinusoidalEncoding,
  softAttention,
  t5Bias,
} from "../../../src/attention/index.ts";
import {
  AlibiBias,
  PositionEmbedding,
  RelativePositionBias,
  RotaryEmbedding,
  SinusoidalPositionEncoding,
} from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [H, T, S, C, D] = [3, 5, 7, 6, 4];

describeLayer(PositionEmbedding, {
  "the encoding alone": { args: { sequenceLength: T, seed: 3 }, inputs: [[T, C]] },
  "added to x": { args: { sequenceLength: T, add: true, initializer: "zeros" }, inputs: [[T, C]] },
});
describeLayer(SinusoidalPositionEncoding, {
  "the encoding alone": { args: {}, inputs: [[T, C]] },
  "added to x, of another wavelength": { args: { add: true, maxWavelength: 50 }, inputs: [[T, C]] },
});
describeLayer(RotaryEmbedding, {
  "of vectors": { args: {}, inputs: [[T, C]] },
  "of heads after positions": { args: { pairs: "interleaved", width: 2 }, inputs: [[T, H, D]] },
  "of heads before positions, scaled": {
    args: { sequenceAxis: 2, scaling: "yarn", scalingFactor: 4, originalLength: 32, maxWavelength: 500 },
    inputs: [[H, T, D]],
  },
});
describeLayer(RelativePositionBias, {
  "of one sequence": {
    args: { numBuckets: 8, maxDistance: 6, embeddingsInitializer: "ones" },
    inputs: [[H, T, T]],
  },
  "of two sequences, one way": {
    args: { numBuckets: 5, maxDistance: 9, bidirectional: false, queryOffset: 2, seed: 1 },
    inputs: [[H, T, S]],
  },
});
describeLayer(AlibiBias, {
  "of one sequence": { args: {}, inputs: [[H, T, T]] },
  "of two sequences, steeper": { args: { alibiBiasMax: 4, queryOffset: 2 }, inputs: [[H, T, S]] },
});

onEveryBackend("position layers", () => {
  it("do what the functions of their names do", () => {
    tf.tidy(() => {
      const [x, heads, scores] = layerInputs([
        [T, C],
        [H, T, D],
        [H, T, S],
      ]) as [tf.Tensor3D, tf.Tensor4D, tf.Tensor4D];
      const sinusoids = new SinusoidalPositionEncoding({ add: true });
      const sum = tf.add(x, sinusoidalEncoding(T, C, { offset: 3 }));
      expect((sinusoids.apply(x, { startIndex: 3 }) as tf.Tensor).dataSync()).toEqual(sum.dataSync());
      const rotary = new RotaryEmbedding({ sequenceAxis: 2, maxWavelength: 100 });
      expect((rotary.apply(heads, { startIndex: 2 }) as tf.Tensor).dataSync()).toEqual(
        rope(heads, { base: 100, offset: 2 }).dataSync(),
      );
      const relative = new RelativePositionBias({ numBuckets: 8, queryOffset: 2 });
      const biased = relative.apply(scores) as tf.Tensor;
      const [table] = relative.getWeights() as [tf.Tensor2D];
      expect(biased.dataSync()).toEqual(
        tf.add(scores, t5Bias({ table }, T, S, { queryOffset: 2 })).dataSync(),
      );
      expect(relative.bias(T, S).shape).toEqual([1, H, T, S]);
      const alibi = new AlibiBias({ queryOffset: 2 });
      expect((alibi.apply(scores) as tf.Tensor).dataSync()).toEqual(
        tf.add(scores, alibiBias(H, T, S, { queryOffset: 2 })).dataSync(),
      );
    });
  });

  it("of KerasHub's ALiBi give the same causal weights", () => {
    tf.tidy(() => {
      const [q, k] = layerInputs([
        [H, T, D],
        [H, T, D],
      ]) as [tf.Tensor4D, tf.Tensor4D];
      const weights = (bias: tf.Tensor) =>
        softAttention(q, k, k, { causal: true, bias, weights: true }).weights;
      const ours = new AlibiBias().apply(tf.zeros([1, H, T, T])) as tf.Tensor;
      // KerasHub adds slope · arange(1 − S, 1).
      expect(distance(weights(ours).dataSync(), weights(alibiKeyBias(H, T)).dataSync())).toBeLessThanOrEqual(
        1e-6,
      );
    });
  });

  it("give the encoding alone whatever x holds, and the rows of the table from startIndex on", () => {
    tf.tidy(() => {
      const layer = new PositionEmbedding({ sequenceLength: 9, seed: 2 });
      const x = tf.fill([2, T, C], Number.NaN);
      const output = layer.apply(x, { startIndex: 4 }) as tf.Tensor;
      const [table] = layer.getWeights() as [tf.Tensor2D];
      const rows = tf.slice(table, [4, 0], [T, C]).dataSync();
      expect([...output.dataSync()]).toEqual([...rows, ...rows]);
    });
  });

  it("say what is wrong", () => {
    const x = tf.zeros([2, T, C]);
    const refused = (call: () => unknown, message: string | RegExp) => expect(call).toThrow(message);
    refused(
      () => new RelativePositionBias().bias(T, T),
      "RelativePositionBias: a layer must have weights before they can be read or set, got none yet; apply it to",
    );
    refused(
      () => new PositionEmbedding({ sequenceLength: 4 }).apply(x),
      /positions must be below the Tmax=4 rows of table \[Tmax, C\], got positions 0 to 4/,
    );
    refused(
      () => new RotaryEmbedding({ scaling: "yarn", scalingFactor: 2 }),
      'RotaryEmbedding: originalLength must be an integer ≥ 1 with scaling "yarn", got nothing; give the number of positions of training',
    );
    refused(
      () => new RotaryEmbedding({ sequenceAxis: 2 }).apply(x),
      "RotaryEmbedding: x must be [B, H, T, D], got shape [2, 5, 6]; reshape it, or set sequenceAxis",
    );
    refused(
      () => new AlibiBias().apply(tf.zeros([2, H, T, S])),
      /relative positions must know where query 0 stands when T ≠ S, got T=5 and S=7/,
    );
    refused(
      () => new RelativePositionBias({ numBuckets: 1 }),
      "RelativePositionBias: numBuckets must be an integer ≥ 2, got 1; leave it out for 32",
    );
  });
});
