import { slice_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runHeedKernel } from "../register.ts";

/** Every n-th element along each axis, also backwards, of any dtype that holds numbers. */
export const stridedSlice: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x as TensorInfo;
  const given = attrs as unknown as Record<"begin" | "end" | "strides", number[]> & Record<string, number>;
  const info = slice_util.sliceInfo(
    x.shape,
    given.begin,
    given.end,
    given.strides,
    given.beginMask!,
    given.endMask!,
    given.ellipsisMask!,
    given.newAxisMask!,
    given.shrinkAxisMask!,
  );
  const { finalShape: shape, begin, end, strides } = info;
  // One size for each axis of x. (TensorFlow.js' own, `finalShapeSparse`, lacks those that shrink, which puts the begin and
  // stride of one axis to the size of another.)
  const sparse = slice_util.computeOutShape(begin, end, strides);
  if (info.isIdentity) return { ...heap.share(x), shape };
  if (util.sizeFromShape(sparse) === 0) return heap.output("stridedSlice", shape, x.dtype);
  if (info.sliceDim0 || info.isSimpleSlice) {
    return { ...runHeedKernel("Slice", { x }, { begin, size: sparse }, heap), shape };
  }
  return pick(x, { begin, strides, sparse, shape }, heap);
};

function pick(
  x: TensorInfo,
  { begin, strides, sparse, shape }: Record<"begin" | "strides" | "sparse" | "shape", number[]>,
  heap: Heap,
): TensorInfo {
  heap.address(x); // moves it here first, if it lives on another backend
  const out = heap.output("stridedSlice", shape, x.dtype);
  const [from, to] = [heap.view(x), heap.view(out)];
  const steps = [...util.computeStrides([...x.shape, 1])];
  let at = 0;
  const visit = (axis: number, offset: number): void => {
    if (axis === sparse.length) to[at++] = from[offset]!;
    else {
      for (let i = 0; i < sparse[axis]!; i++) {
        visit(axis + 1, offset + (begin[axis]! + i * strides[axis]!) * steps[axis]!);
      }
    }
  };
  visit(0, 0);
  return out;
}
