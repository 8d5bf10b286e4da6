import { backend_util, type Tensor, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** The bytes of one run of x from `axis` on. */
function runBytes(x: TensorInfo, axis: number): number {
  return util.sizeFromShape(x.shape.slice(axis)) * util.bytesPerElement(x.dtype);
}

/** Writes the tensors side by side along `axis` into out, as rows of one matrix. */
function join(tensors: TensorInfo[], axis: number, out: TensorInfo, heap: Heap): TensorInfo {
  if (util.sizeFromShape(out.shape) === 0) return out;
  const rows = util.sizeFromShape(out.shape.slice(0, axis));
  const stride = runBytes(out, axis);
  let to = heap.address(out);
  for (const x of tensors) {
    const run = runBytes(x, axis);
    if (run > 0) heap.kernels.copyRows!(heap.address(x), to, rows, run, run, stride);
    to += run;
  }
  return out;
}

/** Cuts x along `axis` into pieces of these shapes, in order. */
function cut(
  op: string,
  x: TensorInfo,
  axis: number,
  sizes: number[],
  shapes: number[][],
  heap: Heap,
): TensorInfo[] {
  const rows = util.sizeFromShape(x.shape.slice(0, axis));
  const stride = runBytes(x, axis);
  const unit = runBytes(x, axis + 1);
  let offset = 0;
  return shapes.map((shape, i) => {
    const out = heap.output(op, shape, x.dtype);
    const run = sizes[i]! * unit;
    if (rows * run > 0)
      heap.kernels.copyRows!(heap.address(x) + offset, heap.address(out), rows, run, stride, run);
    offset += run;
    return out;
  });
}

const alike = (tensors: TensorInfo[]) =>
  tensors.every((x) => x.dtype !== "string" && x.dtype === tensors[0]!.dtype);

/** Tensors one after the other along an axis. */
export const concat: HeedKernel = ({ inputs, attrs, heap }) => {
  const tensors = inputs as unknown as TensorInfo[];
  if (!alike(tensors)) return runStockKernel("Concat", inputs, attrs, heap);
  const [axis] = util.parseAxisParam(attrs.axis as number, tensors[0]!.shape) as [number];
  const shapes = tensors.map((x) => x.shape);
  backend_util.assertParamsConsistent(shapes, axis);
  return join(
    tensors,
    axis,
    heap.output("concat", backend_util.computeOutShape(shapes, axis), tensors[0]!.dtype),
    heap,
  );
};

/** Tensors of one shape along a new axis. */
export const pack: HeedKernel = ({ inputs, attrs, heap }) => {
  const tensors = inputs as unknown as TensorInfo[];
  if (!alike(tensors)) return runStockKernel("Pack", inputs, attrs, heap);
  const { shape, dtype } = tensors[0]!;
  for (const x of tensors) util.assertShapesMatch(shape, x.shape, "stack: all tensors must have one shape: ");
  const axis =
    (attrs.axis as number) < 0 ? (attrs.axis as number) + shape.length + 1 : (attrs.axis as number);
  return join(tensors, axis, heap.output("stack", shape.toSpliced(axis, 0, tensors.length), dtype), heap);
};

/** A tensor cut into pieces along an axis. */
export const splitV: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  if (x.dtype === "string") return runStockKernel("SplitV", inputs, attrs, heap);
  const [axis] = util.parseAxisParam(attrs.axis as number, x.shape) as [number];
  const sizes = backend_util.prepareSplitSize(x as Tensor, attrs.numOrSizeSplits as number, axis);
  return cut(
    "split",
    x,
    axis,
    sizes,
    sizes.map((size) => x.shape.with(axis, size)),
    heap,
  );
};

/** A tensor cut into its slices of size 1 along an axis, which disappears. */
export const unpack: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.value!;
  if (x.dtype === "string") return runStockKernel("Unpack", inputs, attrs, heap);
  const [axis] = util.parseAxisParam(attrs.axis as number, x.shape) as [number];
  const sizes = new Array<number>(x.shape[axis]!).fill(1);
  return cut(
    "unstack",
    x,
    axis,
    sizes,
    sizes.map(() => x.shape.toSpliced(axis, 1)),
    heap,
  );
};
