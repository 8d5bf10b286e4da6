import type { HeedKernel } from "../register.ts";
import { gatherV2, unsortedSegmentSum } from "./gather.ts";
import { batchMatMul, fusedMatMul } from "./matmul.ts";
import { select } from "./select.ts";
import { slice } from "./slice.ts";
import { tile } from "./tile.ts";
import { transpose } from "./transpose.ts";

/** Our kernels over TensorFlow.js' own operations, by TensorFlow.js' kernel names. */
export const hostKernels: Record<string, HeedKernel> = {
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,
  UnsortedSegmentSum: unsortedSegmentSum,
  GatherV2: gatherV2,
  Slice: slice,
  Tile: tile,
  Transpose: transpose,
  Select: select,
};
