import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
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

/** Patches are unrolled into about this many bytes at a time, so that they stay in the cache. */
const PATCH_BYTES = 1 << 21;

/** The arguments that the kernels of assembly/conv.ts end with, for output rows `y` to `y + height`. */
function geometry(c: Info, y = 0, height = c.outHeight): number[] {
  const { outWidth, filterHeight, filterWidth, strideHeight, strideWidth } = c;
  const { dilationHeight, dilationWidth, padInfo } = c;
  const taps = [height, outWidth, filterHeight, filterWidth, strideHeight, strideWidth];
  return [...taps, dilationHeight, dilationWidth, padInfo.top - y * strideHeight, padInfo.left];
}

/** The output rows [y, y + height) of so many images, whose patches are unrolled together. */
interface Piece {
  image: number;
  images: number;
  y: number;
  height: number;
}

/** Whole images as many as fit in PATCH_BYTES; where not even one does, some of its rows. */
function piecesOf(c: Info): Piece[] {
  const rowBytes = c.outWidth * patchColumns(c) * 4;
  const height = Math.max(1, Math.min(c.outHeight, Math.floor(PATCH_BYTES / rowBytes)));
  const step =
    height < c.outHeight ? 1 : Math.max(1, Math.floor(PATCH_BYTES / (rowBytes * Math.max(1, c.outHeight))));
  const pieces: Piece[] = [];
  for (let image = 0; image < c.batchSize; image += step) {
    for (let y = 0; y < c.outHeight; y += height) {
      const images = Math.min(step, c.batchSize - image);
      pieces.push({ image, images, y, height: Math.min(height, c.outHeight - y) });
    }
  }
  return pieces;
}

/** Calls `f` for each piece, with room for its patches and for a product with `columns` columns. */
function forPieces(
  c: Info,
  columns: number,
  heap: Heap,
  f: (piece: Piece, patches: number, scratch: number) => void,
): void {
  const pieces = piecesOf(c);
  const gemmBytes = Math.ceil(heap.kernels.gemmScratchBytes!(columns) / 16) * 16;
  const most = Math.max(...pieces.map((piece) => rowsOf(c, piece)));
  const scratch = heap.scratch("conv2d gradient", gemmBytes + most * patchColumns(c) * 4);
  for (const piece of pieces) f(piece, scratch + gemmBytes, scratch);
}

/** Patches of a piece. */
const rowsOf = (c: Info, { images, height }: Piece) => images * height * c.outWidth;
/** Byte offset of a piece's first element in dy. */
const offsetInDy = (c: Info, { image, y }: Piece) =>
  (image * c.outHeight + y) * c.outWidth * c.outChannels * 4;
const imageBytes = (c: Info) => c.inHeight * c.inWidth * c.inChannels * 4;
const patchColumns = (c: Info) => c.filterHeight * c.filterWidth * c.inChannels;

/** dFilter = patches(x)ᵀ · dy. */
function filterGradient(x: TensorInfo, dy: TensorInfo, c: Info, heap: Heap): TensorInfo {
  const { im2col, gemm } = heap.kernels;
  const { inHeight, inWidth, inChannels, outChannels } = c;
  const taps = patchColumns(c);
  const out = heap.output("conv2d gradient", c.filterShape);
  const [fromX, fromDy, to] = [x, dy, out].map((tensor) => heap.address(tensor)) as [number, number, number];
  let added = 0;
  forPieces(c, outChannels, heap, (piece, patches, scratch) => {
    const { image, images, y, height } = piece;
    const from = fromX + image * imageBytes(c);
    im2col!(from, patches, images, inHeight, inWidth, inChannels, ...geometry(c, y, height));
    const d = fromDy + offsetInDy(c, piece);
    const rows = rowsOf(c, piece);
    gemm!(patches, 1, taps, d, outChannels, 1, to, taps, outChannels, rows, scratch, added);
    added = 1;
  });
  return out;
}

/** dx = patches⁻¹(dy · filterᵀ), where patches⁻¹ adds what overlaps. */
function inputGradient(dy: TensorInfo, filter: TensorInfo, c: Info, heap: Heap): TensorInfo {
  const { col2im, gemm } = heap.kernels;
  const { inHeight, inWidth, inChannels, outChannels } = c;
  const taps = patchColumns(c);
  const out = zeros(c.inShape, heap);
  const [fromDy, fromFilter, to] = [dy, filter, out].map((tensor) => heap.address(tensor)) as [
    number,
    number,
    number,
  ];
  forPieces(c, taps, heap, (piece, patches, scratch) => {
    const { image, images, y, height } = piece;
    const d = fromDy + offsetInDy(c, piece);
    const rows = rowsOf(c, piece);
    gemm!(d, outChannels, 1, fromFilter, 1, outChannels, patches, rows, taps, outChannels, scratch, 0);
    const pixels = to + image * imageBytes(c);
    col2im!(patches, pixels, images, inHeight, inWidth, inChannels, ...geometry(c, y, height));
  });
  return out;
}

/** A tensor of zeros. */
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
  const moved = tensors.map((x) => runHeedKernel("Transpose", { x }, { perm }, heap));
  const result = f(...moved);
  for (const x of moved) heap.dispose(x);
  return result;
}

/** Throws unless dy and the filter are what this convolution has: the kernels would read past their ends. */
function checkShapes(op: string, c: Info, dyShape: number[], filterShape: number[]): void {
  if (String(dyShape) !== String(c.outShape)) {
    throw new ShapeError("SHAPE", {
      op: `${op} gradient`,
      rule: `dy must have the output's shape [${c.outShape.join(", ")}] of an input [${c.inShape.join(", ")}]`,
      got: `[${dyShape.join(", ")}]`,
      remedy: `correct the shape of dy, which is x of ${op}Transpose, or that of the input, its outputShape`,
    });
  }
  if (filterShape[2] === c.inChannels) return;
  throw new ShapeError("SHAPE", {
    op: `${op} gradient`,
    rule: `the filter must have the input's ${c.inChannels} channels`,
    got: `[${filterShape.join(", ")}]`,
    remedy: "use the filter of the forward convolution",
  });
}

const TO_CHANNELS_LAST = [0, 2, 3, 1];
const TO_CHANNELS_FIRST = [0, 3, 1, 2];

const channelsLast = (shape: number[]) => TO_CHANNELS_LAST.map((axis) => shape[axis]!);

/** conv2d's geometry, always as if channels came last. */
function convInfo(
  inputShape: number[],
  filterShape: Shape4,
  dy: TensorInfo,
  attrs: ConvAttrs,
): { c: Info; first: boolean } {
  const first = attrs.dataFormat === "NCHW";
  const shape = (first ? channelsLast(inputShape) : inputShape) as Shape4;
  const { strides, pad, dimRoundingMode } = attrs;
  const c = backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
  checkShapes("conv2d", c, first ? channelsLast(dy.shape) : dy.shape, filterShape);
  return { c, first };
}

/** The gradient of conv2d for its filter, absent from the stock backend. */
export const conv2dBackpropFilter: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const { filterShape } = attrs as unknown as ConvAttrs;
  const { c, first } = convInfo(x.shape, filterShape, dy, attrs as unknown as ConvAttrs);
  if (util.sizeFromShape(x.shape) * util.sizeFromShape(dy.shape) === 0) return zeros(filterShape, heap);
  if (!first) return filterGradient(x, dy, c, heap);
  return withTransposed([x, dy], TO_CHANNELS_LAST, heap, (a, b) => filterGradient(a!, b!, c, heap));
};

/** The gradient of conv2d for its input. (The stock kernel multiplies one number at a time.) */
export const conv2dBackpropInput: HeedKernel = ({ inputs, attrs, heap }) => {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const { inputShape } = attrs as unknown as ConvAttrs;
  const { c, first } = convInfo(inputShape, filter.shape as Shape4, dy, attrs as unknown as ConvAttrs);
  if (util.sizeFromShape(inputShape) * util.sizeFromShape(dy.shape) === 0) return zeros(inputShape, heap);
  if (!first) return inputGradient(dy, filter, c, heap);
  const last = withTransposed([dy], TO_CHANNELS_LAST, heap, (d) => inputGradient(d!, filter, c, heap));
  const dx = runHeedKernel("Transpose", { x: last }, { perm: TO_CHANNELS_FIRST }, heap);
  heap.dispose(last);
  return dx;
};

function depthwiseInfo(inputShape: number[], filterShape: Shape4, dy: TensorInfo, attrs: ConvAttrs): Info {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  const c = backend_util.computeConv2DInfo(
    inputShape as Shape4,
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  );
  checkShapes("depthwiseConv2d", c, dy.shape, filterShape);
  return c;
}

function depthwiseArguments(c: Info): number[] {
  const multiplier = c.outChannels / c.inChannels;
  return [c.batchSize, c.inHeight, c.inWidth, c.inChannels, multiplier, ...geometry(c)];
}

/** The gradient of depthwiseConv2d for its filter, absent from the stock backend. */
export const depthwiseBackpropFilter: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const { filterShape } = attrs as unknown as ConvAttrs;
  const c = depthwiseInfo(x.shape, filterShape, dy, attrs as unknown as ConvAttrs);
  const out = heap.output("depthwiseConv2d gradient", filterShape);
  const kernel = heap.kernels.depthwiseFilterGradient!;
  kernel(heap.address(x), heap.address(dy), heap.address(out), ...depthwiseArguments(c));
  return out;
};

/** The gradient of depthwiseConv2d for its input, absent from the stock backend. */
export const depthwiseBackpropInput: HeedKernel = ({ inputs, attrs, heap }) => {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const { inputShape } = attrs as unknown as ConvAttrs;
  const c = depthwiseInfo(inputShape, filter.shape as Shape4, dy, attrs as unknown as ConvAttrs);
  const out = heap.output("depthwiseConv2d gradient", inputShape);
  const kernel = heap.kernels.depthwiseInputGradient!;
  kernel(heap.address(dy), heap.address(filter), heap.address(out), ...depthwiseArguments(c));
  return out;
};
