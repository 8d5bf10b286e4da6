import {
  AxialAttention,
  CoordinateAttention,
  CrissCrossAttention,
  ExternalAttention,
  GlobalContext,
  NonLocal,
  SelectiveKernel,
  TripletAttention,
} from "../../../src/layers/index.ts";
import { describeLayer } from "../harness.ts";

const image = [[2, 3, 5]];

describeLayer(GlobalContext, {
  "that adds": { args: { ratio: 2, seed: 1 }, inputs: image },
  "that scales": { args: { ratio: 2, fusion: "scale", epsilon: 1e-3, seed: 1 }, inputs: image },
});
describeLayer(SelectiveKernel, {
  normalised: { args: { minWidth: 3, filters: 5, seed: 1 }, inputs: image, batch: 3 },
  "three fields, not normalised": {
    args: { minWidth: 5, ratio: 2, dilations: [1, 2, 3], normalize: false, seed: 1 },
    inputs: [[3, 2, 2]],
    batch: 3,
  },
});
describeLayer(CoordinateAttention, {
  normalised: { args: { minWidth: 3, seed: 1 }, inputs: image },
  "not normalised": { args: { normalize: false, seed: 1 }, inputs: image },
});
describeLayer(TripletAttention, {
  normalised: { args: { kernelSize: 3, seed: 1 }, inputs: image },
  "not normalised": { args: { normalize: false, seed: 1 }, inputs: image },
});
describeLayer(NonLocal, {
  "of images": { args: { seed: 1 }, inputs: image },
  "Gaussian, of sequences": { args: { kind: "gaussian", units: 3, scale: 0.3 }, inputs: [[5, 7]] },
  "dot, of videos": { args: { kind: "dot", seed: 1 }, inputs: [[2, 3, 2, 5]] },
  concatenation: {
    args: { kind: "concatenation", units: 2, seed: 1, outputInitializer: "ones" },
    inputs: image,
  },
});
describeLayer(ExternalAttention, {
  "of images": { args: { slots: 5, seed: 1 }, inputs: image },
  "of sequences, with widths": { args: { slots: 3, units: 2, filters: 5, useBias: false }, inputs: [[5, 7]] },
});
describeLayer(AxialAttention, {
  "along the width": { args: { axis: "width", numHeads: 2, seed: 1 }, inputs: image },
  "along the height": {
    args: {
      axis: "height",
      useCausalMask: true,
      keyDim: 2,
      valueDim: 3,
      filters: 5,
      numHeads: 2,
      useBias: false,
    },
    inputs: image,
  },
});
describeLayer(CrissCrossAttention, {
  twice: { args: { seed: 1 }, inputs: image },
  once: { args: { recurrence: 1, units: 3, useBias: false, seed: 1 }, inputs: image },
});
