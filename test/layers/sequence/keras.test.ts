import type * as tf from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import {
  AdditiveAttention,
  Attention,
  GroupQueryAttention,
  MultiHeadAttention,
} from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import {
  expectGradients,
  type FixtureArray,
  type FixtureArrays,
  fixture,
  OUTPUTS,
  setWeights,
  toTensor,
} from "../fixture.ts";

interface KerasCase {
  title: string;
  layer: string;
  config: object;
  call: { useCausalMask: boolean };
  inputs: FixtureArray[];
  masks?: (FixtureArray | null)[];
  attentionMask?: FixtureArray;
  weights: FixtureArrays;
  dout: FixtureArray;
  output: FixtureArray;
  scores: FixtureArray;
  gradients: FixtureArrays;
}

const CLASSES: Record<string, new (config: never) => layers.Layer> = {
  AdditiveAttention,
  Attention,
  GroupQueryAttention,
  MultiHeadAttention,
};
const cases = ["keras-attention", "keras-multi-head", "keras-group-query"].flatMap((name) =>
  fixture<KerasCase[]>(name),
);

onEveryBackend("A layer of Keras", () => {
  it.each(cases.map((given) => [given.title, given] as const))(
    "%s computes what Keras 3 does, scores and gradients too",
    (_, given) => {
      const layer = new CLASSES[given.layer]!(given.config as never);
      const inputs = given.inputs.map((array) => toTensor(array));
      const options = {
        ...given.call,
        ...(given.masks && { mask: given.masks.map((mask) => mask && toTensor(mask, "bool")) }),
        ...(given.attentionMask && { attentionMask: toTensor(given.attentionMask, "bool") }),
      };
      const call = (x: tf.Tensor[], more = {}) => layer.apply(x, { ...options, ...more });
      call(inputs);
      setWeights(layer, given.weights);
      const output = call(inputs) as tf.Tensor;
      expect(output.shape).toEqual(given.output.shape);
      expect(distance(output.dataSync(), given.output.values)).toBeLessThanOrEqual(OUTPUTS);
      const [same, scores] = call(inputs, { returnAttentionScores: true }) as tf.Tensor[];
      expect(same!.dataSync()).toEqual(output.dataSync());
      expect(scores!.shape).toEqual(given.scores.shape);
      expect(distance(scores!.dataSync(), given.scores.values)).toBeLessThanOrEqual(OUTPUTS);
      const names = ["query", "value", "key"].slice(0, inputs.length);
      const run = (x: tf.Variable[]) => call(x) as tf.Tensor;
      expectGradients(layer, inputs, names, run, toTensor(given.dout), given.gradients);
    },
  );
});
