import { slice_util, type Tensor, util } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";
import { runStockKernel } from "../register.ts";

/**
 * A box cut out of a tensor, row by row inside the heap. (The stock kernel first copies the whole input into
 * JavaScript.)
 */
export const slice: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  if (x.dtype === "string") return runStockKernel("Slice", inputs, attrs, heap);
  const { begin, size } = attrs as { begin: number[]; size: number[] };
  const [starts, sizes] = slice_util.parseSliceParams(x as Tensor, begin, size) as [number[], number[]];
  slice_util.assertParamsValid(x as Tensor, starts, sizes);
  const out = heap.output("slice", sizes, x.dtype);
  if (util.sizeFromShape(sizes) === 0) return out;
  const bytes = util.bytesPerElement(x.dtype);
  const strides = [...util.computeStrides([...x.shape, 1])].map((stride) => stride * bytes);
  // Axes from `axis` on are taken whole below their first, so they copy as one run; `axis − 1` counts the rows.
  let axis = Math.max(x.shape.length - 1, 0);
  while (axis > 0 && sizes[axis] === x.shape[axis]) axis--;
  const run = util.sizeFromShape(sizes.slice(axis)) * bytes;
  const rows = axis > 0 ? sizes[axis - 1]! : 1;
  const outer = sizes.slice(0, Math.max(axis - 1, 0));
  let from = heap.address(x) + starts.reduce((sum, start, i) => sum + start * strides[i]!, 0);
  let to = heap.address(out);
  const index = outer.map(() => 0);
  for (let left = util.sizeFromShape(outer); left > 0; left--) {
    heap.kernels.copyRows!(from, to, rows, run, axis > 0 ? strides[axis - 1]! : 0, run);
    to += rows * run;
    for (let d = outer.length - 1; d >= 0; d--) {
      from += strides[d]!;
      if (++index[d]! < outer[d]!) break;
      from -= outer[d]! * strides[d]!;
      index[d] = 0;
    }
  }
  return out;
};
