import { type HeedKernel, stock } from "../register.ts";
import { binary } from "./binary.ts";
import { cast, identity } from "./cast.ts";
import { complexCast, complexKernels, orComplex } from "./complex.ts";
import {
  conv2dBackpropFilter,
  conv2dBackpropInput,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
} from "./conv.ts";
import { conv3dGradients } from "./conv3d.ts";
import { coordinateKernels } from "./coordinates.ts";
import { dilations } from "./dilation.ts";
import { einsum } from "./einsum.ts";
import { orNothing, scans } from "./empty.ts";
import { forwarded } from "./forwarded.ts";
import { gatherV2, unsortedSegmentSum } from "./gather.ts";
import { concat, pack, splitV, unpack } from "./join.ts";
import { batchMatMul, fusedMatMul } from "./matmul.ts";
import { oneHot } from "./one-hot.ts";
import { otherDtypes } from "./other-dtypes.ts";
import { pools } from "./pools.ts";
import { preciseKernels } from "./precise.ts";
import { prelu } from "./prelu.ts";
import { safeConvolution } from "./safe-convolution.ts";
import { select } from "./select.ts";
import { slice } from "./slice.ts";
import { stridedSlice } from "./strided-slice.ts";
import { comparisons, movingStrings } from "./strings.ts";
import { mean, sum } from "./sum.ts";
import { tile } from "./tile.ts";
import { transform } from "./transform.ts";
import { transpose } from "./transpose.ts";
import { unary } from "./unary.ts";

/**
 * Kernels of TensorFlow.js' own operations that replace those of the stock WebAssembly backend, which lacks them, is slow
 * or is wrong; by TensorFlow.js' names.
 */
export const kernelOverrides: Record<string, HeedKernel> = {
  ...otherDtypes,
  ...coordinateKernels,
  ...preciseKernels,
  ...pools,
  ...dilations,
  ...conv3dGradients,
  ...complexKernels,
  ...forwarded,
  ...scans,
  ...comparisons,
  Einsum: einsum,
  Prelu: prelu,
  Transform: transform,
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,
  UnsortedSegmentSum: unsortedSegmentSum,
  GatherV2: gatherV2,
  OneHot: oneHot,
  Slice: slice,
  StridedSlice: stridedSlice,
  Tile: movingStrings("Tile", tile),
  Transpose: movingStrings("Transpose", transpose),
  Select: select,
  Cast: complexCast(cast),
  Identity: identity,
  Concat: concat,
  Pack: pack,
  SplitV: splitV,
  Unpack: unpack,
  Sum: orNothing("Sum", sum),
  Prod: orNothing("Prod", stock("Prod")),
  Max: orNothing("Max", stock("Max")),
  Min: orNothing("Min", stock("Min")),
  All: orNothing("All", stock("All")),
  Any: orNothing("Any", stock("Any")),
  Mean: mean,
  Add: orComplex("Add", binary("Add", "add")),
  Sub: orComplex("Sub", binary("Sub", "sub")),
  Multiply: orComplex("Multiply", binary("Multiply", "multiply")),
  RealDiv: binary("RealDiv", "divide"),
  Maximum: binary("Maximum", "maximum"),
  Minimum: binary("Minimum", "minimum"),
  SquaredDifference: binary("SquaredDifference", "squaredDifference"),
  Exp: unary("Exp", "exp"),
  Tanh: unary("Tanh", "tanh"),
  Erf: unary("Erf", "erf"),
  Conv2D: safeConvolution("Conv2D", "conv2d", false),
  FusedConv2D: safeConvolution("FusedConv2D", "fused.conv2d", false),
  DepthwiseConv2dNative: safeConvolution("DepthwiseConv2dNative", "depthwiseConv2d", true),
  FusedDepthwiseConv2D: safeConvolution("FusedDepthwiseConv2D", "fused.depthwiseConv2d", true),
  Conv2DBackpropFilter: conv2dBackpropFilter,
  Conv2DBackpropInput: conv2dBackpropInput,
  DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilter,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
};
