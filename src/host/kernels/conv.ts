import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runHeedKernel } from "../register.ts";

type Shape4 = [number, number, number, number];
type Info = backend_util.Conv2DInfo;

/** The attributes that the gradient kernels of convolutions share, as TensorFlow.js passes them. */
interface ConvAttrs {
  strides: number | [number, number];
  dilations?: number | [number, number];
  pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  dimRoundingMode?: "floor" | "round" | "ceil";
  dataFormat?: "NHWC" | "NCHW";
  filterShape: Shape4;
  inputShape: Shape4;
}

/** Patches are unrolled for as many images at a time as fit in about this many bytes: they stay in the cache. */
const PATCH_BYTES = 1 << 21;

/** The arguments that the kernels of assembly/conv.ts end with. */
function geometry(c: Info): number[] {
  const { outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth } = c;
  const { dilationHeight, dilationWidth, padInfo } = c;
  const taps = [outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth];
  return [...taps, dilationHeight, dilationWidth, padInfo.top, padInfo.left];
}

/** dFilter = patchesᵀ · dy, added up over groups of images. x and dy are [B, H, W, C]. */
function filterGradient(x: TensorInfo, dy: TensorInfo, c: Info, heap: Heap): TensorInfo {
  const { kernels } = heap;
  const { batchSize, inHeight, inWidth, inChannels, outChannels } = c;
  const pixels = c.outHeight * c.outWidth;
  const taps = c.filterHeight * c.filterWidth * inChannels;
  const images = Math.max(1, Math.min(batchSize, Math.floor(PATCH_BYTES / (pixels * taps * 4))));
  const gemmBytes = Math.ceil(kernels.gemmScratchBytes!(outChannels) / 16) * 16;
  const scratch = heap.scratch("conv2d gradient", gemmBytes + images * pixels * taps * 4);
  const patches = scratch + gemmBytes;
  const out = heap.output("conv2d gradient", [c.filterHeight, c.filterWidth, inChannels, outChannels]);
  const [addressX, addressDy, to] = [heap.address(x), heap.address(dy), heap.address(out)];
  for (let b = 0; b < batchSize; b += images) {
    const count = Math.min(images, batchSize - b);
    const image = addressX + b * inHeight * inWidth * inChannels * 4;
    kernels.im2col!(image, patches, count, inHeight, inWidth, inChannels, ...geometry(c));
    const d = addressDy + b * pixels * outChannels * 4;
    kernels.gemm!(
      patches,
      1,
      taps,
      d,
      outChannels,
      1,
      to,
      taps,
      outChannels,
      count * pixels,
      scratch,
      b > 0 ? 1 : 0,
    );
  }
  return out;
}

/** The gradient of conv2d for its filter, absent from the stock backend. */
export const conv2dBackpropFilter: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const { strides, pad, dimRoundingMode, dataFormat, filterShape } = attrs as unknown as ConvAttrs;
  const format = backend_util.convertConv2DDataFormat(dataFormat ?? "NHWC");
  const shape = x.shape as Shape4;
  const c = backend_util.computeConv2DInfo(
    shape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
    false,
    format,
  );
  if (util.sizeFromShape(x.shape) === 0 || util.sizeFromShape(dy.shape) === 0) {
    const out = heap.output("conv2d gradient", filterShape);
    heap.view(out).fill(0);
    return out;
  }
  if (format === "channelsLast") return filterGradient(x, dy, c, heap);
  const perm = { perm: [0, 2, 3, 1] };
  const last = [x, dy].map((t) => runHeedKernel("Transpose", { x: t }, perm, heap)) as [
    TensorInfo,
    TensorInfo,
  ];
  try {
    return filterGradient(...last, c, heap);
  } finally {
    for (const t of last) heap.dispose(t);
  }
};

function depthwiseInfo(inputShape: Shape4, filterShape: Shape4, attrs: ConvAttrs): Info {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  );
}

function depthwiseArguments(c: Info): number[] {
  const multiplier = c.outChannels / c.inChannels;
  return [c.batchSize, c.inHeight, c.inWidth, c.inChannels, multiplier, ...geometry(c)];
}

/** The gradient of depthwiseConv2d for its filter, absent from the stock backend. */
export const depthwiseBackpropFilter: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const { filterShape } = attrs as unknown as ConvAttrs;
  const c = depthwiseInfo(x.shape as Shape4, filterShape, attrs as unknown as ConvAttrs);
  const out = heap.output("depthwiseConv2d gradient", filterShape);
  const kernel = heap.kernels.depthwiseFilterGradient!;
  kernel(heap.address(x), heap.address(dy), heap.address(out), ...depthwiseArguments(c));
  return out;
};

/** The gradient of depthwiseConv2d for its input, absent from the stock backend. */
export const depthwiseBackpropInput: HeedKernel = ({ inputs, attrs, heap }) => {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const { inputShape } = attrs as unknown as ConvAttrs;
  const c = depthwiseInfo(inputShape, filter.shape as Shape4, attrs as unknown as ConvAttrs);
  const out = heap.output("depthwiseConv2d gradient", inputShape);
  const kernel = heap.kernels.depthwiseInputGradient!;
  kernel(heap.address(dy), heap.address(filter), heap.address(out), ...depthwiseArguments(c));
  return out;
};
