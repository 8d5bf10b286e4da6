import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** One axis of the output: its size, and the elements that one step moves in a and in b (0 where it repeats). */
interface Axis {
  size: number;
  a: number;
  b: number;
}

/** The output's axes, outermost first, those of size 1 left out and neighbours that walk alike merged. */
function broadcastAxes(a: number[], b: number[], out: number[]): Axis[] {
  const axes: Axis[] = [];
  let stepA = 1;
  let stepB = 1;
  for (let i = 1; i <= out.length; i++) {
    const size = out.at(-i)!;
    const sizeA = a.at(-i) ?? 1;
    const sizeB = b.at(-i) ?? 1;
    const axis = { size, a: sizeA === 1 ? 0 : stepA, b: sizeB === 1 ? 0 : stepB };
    const inner = axes[0];
    stepA *= sizeA;
    stepB *= sizeB;
    if (size === 1) continue;
    if (inner && axis.a === inner.a * inner.size && axis.b === inner.b * inner.size) inner.size *= size;
    else axes.unshift(axis);
  }
  return axes;
}

function run(kernel: string, a: TensorInfo, b: TensorInfo, out: TensorInfo, heap: Heap): void {
  const axes = broadcastAxes(a.shape, b.shape, out.shape);
  const columns = axes.at(-1) ?? { size: 1, a: 1, b: 1 };
  const rows = axes.at(-2) ?? { size: 1, a: 0, b: 0 };
  const outer = axes.slice(0, -2);
  const f = heap.kernels[kernel]!;
  let to = heap.address(out);
  const visit = (depth: number, fromA: number, fromB: number): void => {
    const axis = outer[depth];
    if (axis) {
      for (let i = 0; i < axis.size; i++) visit(depth + 1, fromA + i * axis.a * 4, fromB + i * axis.b * 4);
    } else {
      f(fromA, fromB, to, rows.size, columns.size, rows.a, columns.a, rows.b, columns.b);
      to += rows.size * columns.size * 4;
    }
  };
  visit(0, heap.address(a), heap.address(b));
}

/** An elementwise float32 operation with broadcasting, by the names of TensorFlow.js' kernel and of ours. */
export function binary(kernelName: string, kernel: string): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    if (a.dtype !== "float32" || b.dtype !== "float32")
      return runStockKernel(kernelName, inputs, attrs, heap);
    const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const out = heap.output(kernelName, shape);
    if (util.sizeFromShape(shape) > 0) run(kernel, a, b, out, heap);
    return out;
  };
}
