/** What layers return beside their output: the same as their mechanisms, in shapes that they know beforehand. */
import * as tf from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import {
  AxialAttention,
  BottleneckAttention,
  ContextualGate,
  ConvolutionalBlockAttention,
  CoordinateAttention,
  CrissCrossAttention,
  EfficientChannelAttention,
  ElementMlpGate,
  ExternalAttention,
  GlobalContext,
  NonLocal,
  ProjectedGate,
  SelectiveKernel,
  SqueezeExcitation,
  TripletAttention,
} from "../../../src/layers/index.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { layerInputs, modelOf, reloaded } from "../harness.ts";

type Made = (options: { returnAttention?: boolean; seed: number }) => layers.Layer;

const image = [[3, 5, 7]];
const CASES: [name: string, make: Made, inputs: number[][], returned: (number | undefined)[][]][] = [
  ["ProjectedGate", (o) => new ProjectedGate(o), [[3, 7]], [[3, 7]]],
  ["ElementMlpGate", (o) => new ElementMlpGate(o), [[7]], [[7]]],
  ["ContextualGate", (o) => new ContextualGate(o), [[3, 7], [2]], [[3, 7]]],
  [
    "ContextualGate of the context alone",
    (o) => new ContextualGate({ ...o, useFeatures: false }),
    [[3, 7], [2]],
    [[1, 7]],
  ],
  ["SqueezeExcitation", (o) => new SqueezeExcitation(o), image, [[1, 1, 7]]],
  ["EfficientChannelAttention", (o) => new EfficientChannelAttention(o), image, [[1, 1, 7]]],
  [
    "ConvolutionalBlockAttention",
    (o) => new ConvolutionalBlockAttention(o),
    image,
    [
      [1, 1, 7],
      [3, 5, 1],
    ],
  ],
  ["BottleneckAttention", (o) => new BottleneckAttention(o), image, [[3, 5, 7]]],
  ["GlobalContext", (o) => new GlobalContext(o), image, [[3, 5, 1]]],
  ["SelectiveKernel", (o) => new SelectiveKernel({ ...o, filters: 2 }), image, [[2, 2]]],
  [
    "CoordinateAttention",
    (o) => new CoordinateAttention(o),
    image,
    [
      [3, 1, 7],
      [1, 5, 7],
    ],
  ],
  [
    "TripletAttention",
    (o) => new TripletAttention(o),
    image,
    [
      [3, 5, 1],
      [3, 1, 7],
      [1, 5, 7],
    ],
  ],
  ["NonLocal", (o) => new NonLocal(o), image, [[15, 15]]],
  ["ExternalAttention", (o) => new ExternalAttention({ ...o, slots: 4 }), image, [[15, 4]]],
  [
    "AxialAttention, width",
    (o) => new AxialAttention({ ...o, axis: "width", numHeads: 2 }),
    image,
    [[3, 2, 5, 5]],
  ],
  ["AxialAttention, height", (o) => new AxialAttention({ ...o, axis: "height" }), image, [[5, 1, 3, 3]]],
  ["CrissCrossAttention", (o) => new CrissCrossAttention(o), image, [[3, 5, 8]]],
];

onEveryBackend("layers that return what they attended by", () => {
  it.each(CASES)(
    "%s: the output stays, bit for bit, and the shapes are as computed",
    async (_, make, shapes, returned) => {
      const given = layerInputs(shapes);
      const inputs = given.length === 1 ? given[0]! : given;
      const plain = make({ seed: 1 });
      const asked = make({ seed: 1, returnAttention: true });
      const model = modelOf(asked, shapes);
      const output = plain.apply(inputs) as tf.Tensor;
      const byCall = plain.apply(inputs, { returnAttention: true }) as tf.Tensor[];
      const byField = model.predict(inputs) as tf.Tensor[];
      const loaded = (await reloaded(model)).predict(inputs) as tf.Tensor[];
      for (const results of [byCall, byField, loaded]) {
        expect(results[0]!.dataSync()).toEqual(output.dataSync());
        expect(results.slice(1).map(({ shape }) => shape)).toEqual(returned.map((shape) => [2, ...shape]));
        results.forEach((result, n) => {
          expect(result.dataSync()).toEqual(byCall[n]!.dataSync());
        });
      }
      expect(model.outputs.map(({ shape }) => shape.slice(1))).toEqual(
        byField.map(({ shape }) => shape.slice(1)),
      );
      tf.dispose([given, output, byCall, byField, loaded]);
    },
  );
});
