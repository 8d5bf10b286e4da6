import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** Neighbouring axes that are all summed over, or all kept. */
interface Group {
  size: number;
  summed: boolean;
}

function groupAxes(shape: number[], axes: number[]): Group[] {
  const groups: Group[] = [];
  shape.forEach((size, i) => {
    const summed = axes.includes(i);
    const last = groups.at(-1);
    if (size === 1) return;
    if (last?.summed === summed) last.size *= size;
    else groups.push({ size, summed });
  });
  return groups;
}

/** Sums groups away from the last one inwards; each pass is one call. The last pass writes into `out`. */
function reduce(x: TensorInfo, axes: number[], scale: number, out: TensorInfo, heap: Heap): void {
  let groups = groupAxes(x.shape, axes);
  let from = x;
  do {
    const at = Math.max(
      groups.findLastIndex((group) => group.summed),
      0,
    );
    const size = (list: Group[]) => list.reduce((product, group) => product * group.size, 1);
    const before = size(groups.slice(0, at));
    const after = size(groups.slice(at + 1));
    const n = groups[at]?.summed ? groups[at].size : 1;
    const outer = groups[at]?.summed ? before : before * (groups[at]?.size ?? 1);
    groups = groups.filter((_, i) => i !== at);
    const last = !groups.some((group) => group.summed);
    const to = last ? out : heap.output("sum", [outer, after]);
    heap.kernels.sumAxis!(heap.address(from), heap.address(to), outer, n, after, last ? scale : 1);
    if (from !== x) heap.dispose(from);
    from = to;
  } while (from !== out);
}

/** Sum, or mean, of float32 over any axes. (The stock kernel transposes the summed axes to the end first.) */
function sumKernel(kernelName: "Sum" | "Mean"): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const x = inputs.x!;
    if (x.dtype !== "float32") return runStockKernel(kernelName, inputs, attrs, heap);
    const { axis, keepDims } = attrs as { axis: number | number[]; keepDims: boolean };
    const axes = util.parseAxisParam(axis, x.shape);
    const [kept, summed] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
    const out = heap.output(kernelName, shape);
    const count = util.sizeFromShape(summed);
    if (util.sizeFromShape(x.shape) === 0) heap.view(out).fill(kernelName === "Sum" ? 0 : Number.NaN);
    else reduce(x, axes, kernelName === "Sum" ? 1 : 1 / count, out, heap);
    return out;
  };
}

export const sum = sumKernel("Sum");
export const mean = sumKernel("Mean");
