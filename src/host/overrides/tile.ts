import {
  type GradConfig,
  type GradFunc,
  getBackend,
  getGradient,
  registerGradient,
  reshape,
  sum,
  type Tensor,
  type TensorInfo,
  unregisterGradient,
  util,
} from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { BACKEND, type HeedKernel, runStockKernel } from "../register.ts";

/** x repeated along one axis: `count` copies of each block of `inner` bytes, made by doubling what is there. */
function repeat(x: TensorInfo, axis: number, count: number, heap: Heap): TensorInfo {
  const shape = x.shape.map((size, i) => (i === axis ? size * count : size));
  const out = heap.output("tile", shape, x.dtype);
  if (util.sizeFromShape(shape) === 0) return out;
  const outer = util.sizeFromShape(shape.slice(0, axis));
  const inner = util.sizeFromShape(x.shape.slice(axis)) * util.bytesPerElement(x.dtype);
  const to = heap.address(out);
  const { copyRows } = heap.kernels;
  copyRows!(heap.address(x), to, outer, inner, inner, inner * count);
  for (let done = 1; done < count; done *= 2) {
    const more = Math.min(done, count - done);
    copyRows!(to, to + done * inner, outer, more * inner, inner * count, inner * count);
  }
  return out;
}

/** x repeated reps[i] times along each axis i. */
export const tile: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  installTileGradient();
  const reps = attrs.reps as number[];
  let out: TensorInfo | undefined;
  // Inner axes first, while the tensor is small. An axis repeated once needs no pass, except to own a copy.
  for (let axis = reps.length - 1; axis >= 0; axis--) {
    if (reps[axis] === 1 && (axis > 0 || out)) continue;
    const next = repeat(out ?? x, axis, reps[axis]!, heap);
    if (out) heap.dispose(out);
    out = next;
  }
  return out ?? runStockKernel("Tile", inputs, attrs, heap);
};

/**
 * Installs our gradient of Tile from inside the kernel, since TensorFlow.js' gradients may be registered at any time,
 * and are looked up after the kernel has run. It is dy as [reps₀, size₀, reps₁, size₁, …] summed over the repetitions. TensorFlow.js'
 * own cuts dy into prod(reps) slices, adds them one by one, and stops at rank 4. A gradient belongs to no backend,
 * so ours hands the others back to the one that was there.
 */
function installTileGradient(): void {
  const stock = getGradient("Tile");
  if (stock?.gradFunc === gradient) return;
  stockGradient = stock;
  if (stock) unregisterGradient("Tile");
  registerGradient({ kernelName: "Tile", inputsToSave: ["x"], gradFunc: gradient });
}

let stockGradient: GradConfig | undefined;

const gradient: GradFunc = (dy, saved, attrs) => {
  if (stockGradient && getBackend() !== BACKEND) return stockGradient.gradFunc(dy, saved, attrs);
  const x = saved[0]!;
  const reps = attrs.reps as number[];
  const pairs = x.shape.flatMap((size, i) => [reps[i]!, size]);
  const repeated = reps.flatMap((count, i) => (count === 1 ? [] : [2 * i]));
  return { x: () => reshape(sum(reshape(dy as Tensor, pairs), repeated), x.shape) };
};
