import {
  BottleneckAttention,
  ContextualGate,
  ConvolutionalBlockAttention,
  EfficientChannelAttention,
  ElementMlpGate,
  LearnableGate,
  ProjectedGate,
  SqueezeExcitation,
} from "../../../src/layers/index.ts";
import { describeLayer } from "../harness.ts";

const image = [[2, 3, 5]];

describeLayer(LearnableGate, {
  "of vectors": { args: { gateRegularizer: "l2" }, inputs: [[7]] },
  "of images, with a penalty": { args: { penalty: 0.1, penaltyKind: "entropy" }, inputs: image },
});
describeLayer(ProjectedGate, {
  "of sequences": { args: { seed: 1, kernelRegularizer: "l2" }, inputs: [[3, 5]] },
  "without a bias": { args: { useBias: false }, inputs: [[5]] },
});
describeLayer(ElementMlpGate, { "of vectors": { args: { units: 3, seed: 1 }, inputs: [[7]] } });
describeLayer(ContextualGate, {
  "a context an example": { args: { seed: 1 }, inputs: [[3, 5], [7]] },
  "a context a position, which decides alone": {
    args: { useFeatures: false },
    inputs: [
      [3, 5],
      [3, 7],
    ],
  },
});
describeLayer(SqueezeExcitation, {
  "with fewer channels than the ratio": { args: { seed: 2 }, inputs: [[3, 2, 7]], batch: 3 },
  "with a ratio": { args: { ratio: 2, useBias: false, seed: 1 }, inputs: image, batch: 3 },
});
describeLayer(EfficientChannelAttention, {
  "with its own size": { args: {}, inputs: [[3, 2, 11]] },
  "with a size": { args: { kernelSize: 5, seed: 1 }, inputs: image },
});
describeLayer(ConvolutionalBlockAttention, {
  normalised: { args: { ratio: 2, kernelSize: 3, seed: 1 }, inputs: image, batch: 3 },
  "not normalised": { args: { ratio: 2, kernelSize: 5, normalize: false, seed: 1 }, inputs: image, batch: 3 },
});
describeLayer(BottleneckAttention, {
  normalised: { args: { ratio: 2, dilation: 2, seed: 1 }, inputs: image, batch: 3 },
  "not normalised": {
    args: { ratio: 2, convolutions: 1, normalize: false, seed: 1 },
    inputs: image,
    batch: 3,
  },
});
