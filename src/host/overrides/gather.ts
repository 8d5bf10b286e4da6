import { backend_util, type Tensor, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runHeedKernel, runStockKernel } from "../register.ts";

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
    throw new ShapeError("SHAPE", {
      op: "gather",
      rule: `every index must be at least 0 and below ${shape.dimSize}, the size of axis ${at} of x`,
      got,
      remedy: "check the ids against the vocabulary or table they index",
    });
  }
  return out;
};

/**
 * out[ids[i]] += x[i]: the gradient of a gather, absent from the stock backend. Ids outside the range are dropped;
 * truth values are counted, as int32.
 */
export const unsortedSegmentSum: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
  checkSegments(x, segmentIds);
  if (x.dtype !== "bool") return addSegments(x, segmentIds, attrs.numSegments as number, heap);
  const counts = runHeedKernel("Cast", { x }, { dtype: "int32" }, heap);
  const out = addSegments(counts, segmentIds, attrs.numSegments as number, heap);
  heap.dispose(counts);
  return out;
};

function checkSegments(x: TensorInfo, segmentIds: TensorInfo): void {
  const lead = x.shape.slice(0, segmentIds.shape.length);
  if (String(lead) === String(segmentIds.shape)) return;
  throw new ShapeError("SHAPE", {
    op: "unsortedSegmentSum",
    rule: "the shape of x must begin with that of segmentIds",
    got: `x [${x.shape.join(", ")}] and segmentIds [${segmentIds.shape.join(", ")}]`,
    remedy: "give one id for each row of x",
  });
}

function addSegments(x: TensorInfo, segmentIds: TensorInfo, segments: number, heap: Heap): TensorInfo {
  const row = x.shape.slice(segmentIds.shape.length);
  const out = heap.output("unsortedSegmentSum", [segments, ...row], x.dtype);
  const { unsortedSegmentSum, unsortedSegmentSumInt } = heap.kernels;
  const add = x.dtype === "int32" ? unsortedSegmentSumInt! : unsortedSegmentSum!;
  const addresses = [x, segmentIds, out].map((tensor) => heap.address(tensor));
  add(...addresses, util.sizeFromShape(segmentIds.shape), util.sizeFromShape(row), segments);
  return out;
}
