import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import type { HeedKernel } from "../register.ts";
import { type Axis, walk } from "./axes.ts";

/** The output's axes, outermost first, without those of size 1 and with neighbours that stay together merged. */
function outputAxes(shape: number[], perm: number[], bytes: number): Axis[] {
  const strides = util.computeStrides([...shape, 1]);
  const axes: Axis[] = [];
  let to = bytes;
  for (const axis of [...perm].reverse()) {
    const size = shape[axis]!;
    const from = strides[axis]! * bytes;
    const inner = axes[0];
    if (size === 1) continue;
    if (inner && from === inner.from * inner.size) inner.size *= size;
    else axes.unshift({ size, from, to });
    to *= size;
  }
  return axes;
}

function permute(x: TensorInfo, out: TensorInfo, perm: number[], heap: Heap): void {
  const bytes = util.bytesPerElement(x.dtype);
  const axes = outputAxes(x.shape, perm, bytes);
  const { copyRows, transpose } = heap.kernels;
  const [from, to] = [heap.address(x), heap.address(out)];
  const last = axes.at(-1) ?? { size: 1, from: bytes, to: bytes };
  if (last.from === bytes) {
    // The innermost axis stays: rows move whole, as in [B, T, H, D] to [B, H, T, D].
    const row = last.size * bytes;
    const rows = axes.at(-2) ?? { size: 1, from: row, to: row };
    walk(axes.slice(0, -2), from, to, (f, t) => copyRows!(f, t, rows.size, row, rows.from, rows.to));
    return;
  }
  // Another axis becomes the innermost one: matrices of (that axis) × (the input's innermost) are transposed.
  const columns = axes.find((axis) => axis.from === bytes)!;
  const outer = axes.filter((axis) => axis !== last && axis !== columns);
  if (bytes === 4) {
    walk(outer, from, to, (f, t) => transpose!(f, t, last.size, columns.size, last.from, columns.to));
  } else {
    walk([...outer, columns], from, to, (f, t) => copyRows!(f, t, last.size, bytes, last.from, bytes));
  }
}

/** The axes of x in the order `perm`. */
export const transpose: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  const perm = attrs.perm as number[];
  const shape = perm.map((axis) => x.shape[axis]!);
  const out = heap.output("transpose", shape, x.dtype);
  if (util.sizeFromShape(shape) > 0) permute(x, out, perm, heap);
  return out;
};
