/** Layers that weigh or mix the pixels and the channels of images. */
import * as heed from "../../../src/layers/index.ts";
import { type Forms, form, seed } from "../layer-harness.ts";

const returned = { returnAttention: true, seed };
const plain = { normalize: false, seed };

export const IMAGES: Forms = {
  SqueezeExcitation: [form(() => new heed.SqueezeExcitation({ ...returned, ratio: 4 }), ["image"])],
  EfficientChannelAttention: [
    form(() => new heed.EfficientChannelAttention({ ...returned, kernelSize: 5 }), ["image"]),
  ],
  ConvolutionalBlockAttention: [
    form(() => new heed.ConvolutionalBlockAttention({ ...returned, ratio: 4 }), ["image"]),
    form(() => new heed.ConvolutionalBlockAttention({ ...plain, ratio: 2, kernelSize: 3 }), ["picture"]),
  ],
  BottleneckAttention: [
    form(() => new heed.BottleneckAttention({ ...returned, ratio: 4, dilation: 2 }), ["image"]),
    form(() => new heed.BottleneckAttention({ ...plain, ratio: 2, convolutions: 0 }), ["picture"]),
  ],
  CoordinateAttention: [
    form(() => new heed.CoordinateAttention({ ...returned, minWidth: 5 }), ["image"]),
    form(() => new heed.CoordinateAttention({ ...plain, useBias: false }), ["image"]),
  ],
  TripletAttention: [
    form(() => new heed.TripletAttention({ ...returned, kernelSize: 5 }), ["image"]),
    form(() => new heed.TripletAttention({ ...plain, kernelSize: 3 }), ["picture"]),
  ],
  SelectiveKernel: [
    form(() => new heed.SelectiveKernel({ ...returned, filters: 5, minWidth: 3 }), ["image"]),
    form(() => new heed.SelectiveKernel({ ...plain, dilations: [1, 2, 3], minWidth: 3 }), ["image"]),
  ],
  GlobalContext: [
    form(() => new heed.GlobalContext({ ...returned, ratio: 4 }), ["image"]),
    form(() => new heed.GlobalContext({ ratio: 2, fusion: "scale", useBias: false, seed }), ["image"]),
  ],
  AxialAttention: [
    form(
      () => new heed.AxialAttention({ ...returned, axis: "width", numHeads: 2, keyDim: 3, valueDim: 5 }),
      ["image"],
    ),
    form(
      () =>
        new heed.AxialAttention({
          axis: "height",
          numHeads: 3,
          keyDim: 2,
          useCausalMask: true,
          filters: 7,
          seed,
        }),
      ["image"],
    ),
  ],
  CrissCrossAttention: [
    form(() => new heed.CrissCrossAttention({ ...returned, units: 3 }), ["image"]),
    form(() => new heed.CrissCrossAttention({ recurrence: 1, useBias: false, seed }), ["picture"]),
  ],
  NonLocal: [
    form(() => new heed.NonLocal({ ...returned, units: 5 }), ["image"]),
    form(() => new heed.NonLocal({ ...returned, kind: "gaussian", scale: 0.3 }), ["x"], ["a"]),
    form(() => new heed.NonLocal({ ...returned, kind: "dot", units: 3 }), ["image"]),
    form(() => new heed.NonLocal({ ...returned, kind: "concatenation", units: 5 }), ["image"], ["x"]),
  ],
  ExternalAttention: [
    form(() => new heed.ExternalAttention({ ...returned, slots: 5, units: 3, filters: 7 }), ["image"], ["x"]),
  ],
};
