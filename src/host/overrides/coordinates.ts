import type { TensorInfo } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** Throws unless the coordinates, rows of as many numbers as they have axes, lie inside `shape`. */
function checkCoordinates(op: string, ids: TensorInfo, axes: number, shape: number[], heap: Heap): void {
  heap.address(ids); // moves them here first, if they live on another backend
  const wrong = heap.view(ids).findIndex((id, i) => !(id >= 0 && id < shape[i % axes]!));
  if (wrong < 0) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `every index must be at least 0 and below ${shape[wrong % axes]}, the size of axis ${wrong % axes}`,
    got: `${heap.view(ids)[wrong]} at position ${wrong}`,
    remedy: `check the indices against the shape [${shape.join(", ")}]`,
  });
}

/** The elements or slices of `params` at the given coordinates. */
const gatherNd: HeedKernel = ({ inputs, attrs, heap }) => {
  const { params, indices } = inputs as { params: TensorInfo; indices: TensorInfo };
  checkCoordinates("gatherND", indices, indices.shape.at(-1)!, params.shape, heap);
  return runStockKernel("GatherNd", inputs, attrs, heap);
};

/** A stock kernel that writes to the given coordinates of a tensor of this shape. */
function scatter(
  kernelName: string,
  op: string,
  indicesName: string,
  shapeOf: (attrs: Record<string, unknown>, inputs: Record<string, TensorInfo>) => number[],
): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const indices = inputs[indicesName]!;
    const axes = indices.shape.length > 1 ? indices.shape.at(-1)! : 1;
    checkCoordinates(op, indices, axes, shapeOf(attrs, inputs), heap);
    return runStockKernel(kernelName, inputs, attrs, heap);
  };
}

/** Stock kernels that would read or write wherever their indices say, checked first. */
export const coordinateKernels: Record<string, HeedKernel> = {
  GatherNd: gatherNd,
  ScatterNd: scatter("ScatterNd", "scatterND", "indices", ({ shape }) => shape as number[]),
  SparseToDense: scatter(
    "SparseToDense",
    "sparseToDense",
    "sparseIndices",
    ({ outputShape }) => outputShape as number[],
  ),
  TensorScatterUpdate: scatter(
    "TensorScatterUpdate",
    "tensorScatterUpdate",
    "indices",
    (_, { tensor }) => tensor!.shape,
  ),
};
