import type { HeedKernel } from "../register.ts";
import { binary } from "./binary.ts";
import { cast, identity } from "./cast.ts";
import {
  conv2dBackpropFilter,
  conv2dBackpropInput,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
} from "./conv.ts";
import { coordinateKernels } from "./coordinates.ts";
import { gatherV2, unsortedSegmentSum } from "./gather.ts";
import { concat, pack, splitV, unpack } from "./join.ts";
import { batchMatMul, fusedMatMul } from "./matmul.ts";
import { oneHot } from "./one-hot.ts";
import { otherDtypes } from "./other-dtypes.ts";
import { safeConvolution } from "./safe-convolution.ts";
import { select } from "./select.ts";
import { slice } from "./slice.ts";
import { mean, sum } from "./sum.ts";
import { tile } from "./tile.ts";
import { transpose } from "./transpose.ts";
import { unary } from "./unary.ts";

/** Our kernels over TensorFlow.js' own operations, by TensorFlow.js' kernel names. */
export const hostKernels: Record<string, HeedKernel> = {
  ...otherDtypes,
  ...coordinateKernels,
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,
  UnsortedSegmentSum: unsortedSegmentSum,
  GatherV2: gatherV2,
  OneHot: oneHot,
  Slice: slice,
  Tile: tile,
  Transpose: transpose,
  Select: select,
  Cast: cast,
  Identity: identity,
  Concat: concat,
  Pack: pack,
  SplitV: splitV,
  Unpack: unpack,
  Sum: sum,
  Mean: mean,
  Add: binary("Add", "add"),
  Sub: binary("Sub", "sub"),
  Multiply: binary("Multiply", "multiply"),
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
