import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runHeedKernel } from "../register.ts";

export type Shape4 = [number, number, number, number];
type Info = backend_util.Conv2DInfo;

/** The attributes that the gradient kernels of convolutions share, as TensorFlow.js passes them. */
export interface ConvAttrs {
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

/** Calls `f` for groups of images, with room for their patches and for a product with `columns` columns. */
function forImageGroups(
  c: Info,
  columns: number,
  heap: Heap,
  f: (firstImage: number, images: number, patches: number, scratch: number) => void,
): void {
  const imageBytes = patchRows(c) * patchColumns(c) * 4;
  const group = Math.max(1, Math.min(c.batchSize, Math.floor(PATCH_BYTES / imageBytes)));
  const gemmBytes = Math.ceil(heap.kernels.gemmScratchBytes!(columns) / 16) * 16;
  const scratch = heap.scratch("conv2d gradient", gemmBytes + group * imageBytes);
  for (let first = 0; first < c.batchSize; first += group) {
    f(first, Math.min(group, c.batchSize - first), scratch + gemmBytes, scratch);
  }
}

const patchRows = (c: Info) => c.outHeight * c.outWidth;
const patchColumns = (c: Info) => c.filterHeight * c.filterWidth * c.inChannels;
const imageElements = (c: Info) => c.inHeight * c.inWidth * c.inChannels;

/** dFilter = patches(x)ᵀ · dy. */
function filterGradient(x: TensorInfo, dy: TensorInfo, c: Info, heap: Heap): TensorInfo {
  const { im2col, gemm } = heap.kernels;
  const { inHeight, inWidth, inChannels, outChannels } = c;
  const [rows, taps] = [patchRows(c), patchColumns(c)];
  const out = heap.output("conv2d gradient", c.filterShape);
  const [fromX, fromDy, to] = [heap.address(x), heap.address(dy), heap.address(out)];
  forImageGroups(c, outChannels, heap, (first, images, patches, scratch) => {
    im2col!(
      fromX + first * imageElements(c) * 4,
      patches,
      images,
      inHeight,
      inWidth,
      inChannels,
      ...geometry(c),
    );
    const d = fromDy + first * rows * outChannels * 4;
    gemm!(
      patches,
      1,
      taps,
      d,
      outChannels,
      1,
      to,
      taps,
      outChannels,
      images * rows,
      scratch,
      first > 0 ? 1 : 0,
    );
  });
  return out;
}

/** dx = patches⁻¹(dy · filterᵀ), where patches⁻¹ adds what overlaps. */
function inputGradient(dy: TensorInfo, filter: TensorInfo, c: Info, heap: Heap): TensorInfo {
  const { col2im, gemm } = heap.kernels;
  const { inHeight, inWidth, inChannels, outChannels } = c;
  const [rows, taps] = [patchRows(c), patchColumns(c)];
  const out = heap.output("conv2d gradient", c.inShape);
  const [fromDy, fromFilter, to] = [heap.address(dy), heap.address(filter), heap.address(out)];
  forImageGroups(c, taps, heap, (first, images, patches, scratch) => {
    const d = fromDy + first * rows * outChannels * 4;
    gemm!(
      d,
      outChannels,
      1,
      fromFilter,
      1,
      outChannels,
      patches,
      images * rows,
      taps,
      outChannels,
      scratch,
      0,
    );
    col2im!(
      patches,
      to + first * imageElements(c) * 4,
      images,
      inHeight,
      inWidth,
      inChannels,
      ...geometry(c),
    );
  });
  return out;
}

/** A tensor of zeros, for the gradients of convolutions over nothing. */
function zeros(shape: number[], heap: Heap): TensorInfo {
  const out = heap.output("conv2d gradient", shape);
  heap.view(out).fill(0);
  return out;
}

/** Runs `f` on tensors reordered by `perm`, and frees them. */
function withTransposed<T>(
  tensors: TensorInfo[],
  perm: number[],
  heap: Heap,
  f: (...t: TensorInfo[]) => T,
): T {
  const moved: TensorInfo[] = [];
  try {
    for (const x of tensors) moved.push(runHeedKernel("Transpose", { x }, { perm }, heap));
    return f(...moved);
  } finally {
    for (const x of moved) heap.dispose(x);
  }
}

const TO_CHANNELS_LAST = [0, 2, 3, 1];
const TO_CHANNELS_FIRST = [0, 3, 1, 2];

/** conv2d's geometry, always as if channels came last. */
function convInfo(inputShape: number[], filterShape: Shape4, attrs: ConvAttrs): { c: Info; first: boolean } {
  const first = attrs.dataFormat === "NCHW";
  const shape = (first ? TO_CHANNELS_LAST.map((i) => inputShape[i]!) : inputShape) as Shape4;
  const { strides, pad, dimRoundingMode } = attrs;
  return { c: backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode), first };
}

/** The gradient of conv2d for its filter, absent from the stock backend. */
export const conv2dBackpropFilter: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const { filterShape } = attrs as unknown as ConvAttrs;
  const { c, first } = convInfo(x.shape, filterShape, attrs as unknown as ConvAttrs);
  if (util.sizeFromShape(x.shape) * util.sizeFromShape(dy.shape) === 0) return zeros(filterShape, heap);
  if (!first) return filterGradient(x, dy, c, heap);
  return withTransposed([x, dy], TO_CHANNELS_LAST, heap, (a, b) => filterGradient(a!, b!, c, heap));
};

/** The gradient of conv2d for its input. (The stock kernel multiplies one number at a time.) */
export const conv2dBackpropInput: HeedKernel = ({ inputs, attrs, heap }) => {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const { inputShape } = attrs as unknown as ConvAttrs;
  const { c, first } = convInfo(inputShape, filter.shape as Shape4, attrs as unknown as ConvAttrs);
  if (util.sizeFromShape(inputShape) * util.sizeFromShape(dy.shape) === 0) return zeros(inputShape, heap);
  if (!first) return inputGradient(dy, filter, c, heap);
  const last = withTransposed([dy], TO_CHANNELS_LAST, heap, (d) => inputGradient(d!, filter, c, heap));
  try {
    return runHeedKernel("Transpose", { x: last }, { perm: TO_CHANNELS_FIRST }, heap);
  } finally {
    heap.dispose(last);
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
