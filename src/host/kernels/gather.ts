import { backend_util, type Tensor, util } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import type { HeedKernel } from "../register.ts";
import { runStockKernel } from "../register.ts";

/** Rows of x picked by index along one axis, per batch when batchDims > 0. */
export const gatherV2: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, indices } = inputs;
  const { axis, batchDims } = attrs as { axis: number; batchDims: number };
  if (x!.dtype === "string" || indices!.dtype !== "int32")
    return runStockKernel("GatherV2", inputs, attrs, heap);
  const [at] = util.parseAxisParam(axis, x!.shape) as [number];
  const shape = backend_util.segment_util.collectGatherOpShapeInfo(
    x as Tensor,
    indices as Tensor,
    at,
    batchDims,
  );
  const out = heap.output("gather", shape.outputShape, x!.dtype);
  const count = util.sizeFromShape(indices!.shape) / Math.max(shape.batchSize, 1);
  if (util.sizeFromShape(indices!.shape) === 0) return out;
  const wrong = heap.kernels.gather!(
    heap.address(x!),
    heap.address(indices!),
    heap.address(out),
    shape.batchSize,
    shape.outerSize,
    shape.dimSize,
    count,
    shape.sliceSize * util.bytesPerElement(x!.dtype),
  );
  if (wrong >= 0) {
    const got = `${heap.view(indices!)[wrong]} at position ${wrong}`;
    heap.dispose(out);
    throw new ShapeError("SIZE", {
      op: "gather",
      rule: `every index must be at least 0 and below ${shape.dimSize}, the size of axis ${at} of x`,
      got,
      remedy: "check the ids against the vocabulary or table they index",
    });
  }
  return out;
};

/** out[ids[i]] += x[i]: the gradient of a gather, absent from the stock backend. Ids outside the range are dropped. */
export const unsortedSegmentSum: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, segmentIds } = inputs;
  const numSegments = attrs.numSegments as number;
  const row = x!.shape.slice(segmentIds!.shape.length);
  const out = heap.output("unsortedSegmentSum", [numSegments, ...row], x!.dtype);
  const { kernels } = heap;
  const add = x!.dtype === "int32" ? kernels.unsortedSegmentSumInt! : kernels.unsortedSegmentSum!;
  add(
    heap.address(x!),
    heap.address(segmentIds!),
    heap.address(out),
    util.sizeFromShape(segmentIds!.shape),
    util.sizeFromShape(row),
    numSegments,
  );
  return out;
};
