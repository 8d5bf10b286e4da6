import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import type { HeedKernel } from "../register.ts";

/** A matrix by its address and the elements between its rows and between its columns. */
type Matrix = [address: number, rowStride: number, columnStride: number];

/** out = a·b for a of M rows and K columns and b of K rows and N columns. */
function multiply(a: Matrix, b: Matrix, out: TensorInfo, [M, N, K]: number[], heap: Heap): void {
  if (K === 0) heap.view(out).fill(0);
  else {
    const scratch = heap.scratch("linear", heap.kernels.gemmScratchBytes!(N!));
    heap.kernels.gemm!(...a, ...b, heap.address(out), M!, N!, K!, scratch, 0);
  }
}

/** The number of rows of a tensor, all its axes but the last. */
const rowsOf = (x: TensorInfo) => util.sizeFromShape(x.shape.slice(0, -1));

/** x·w + b over the last axis of x, which is N rows of I: one product (assembly/gemm.ts), then the bias in place. */
export const linear: HeedKernel = ({ inputs, heap }) => {
  const { x, w, b } = inputs as { x: TensorInfo; w: TensorInfo; b?: TensorInfo };
  const [I, O] = w.shape as [number, number];
  const N = rowsOf(x);
  const out = heap.output("linear", [...x.shape.slice(0, -1), O]);
  multiply([heap.address(x), I, 1], [heap.address(w), O, 1], out, [N, O, I], heap);
  if (b) heap.kernels.biasActivation!(heap.address(out), N, O, heap.address(b), 0, 0);
  return out;
};

/** Its gradient with respect to x: dy·wᵀ. */
export const linearGradInput: HeedKernel = ({ inputs: { w, dy }, heap }) => {
  const [I, O] = w!.shape as [number, number];
  const dx = heap.output("linear gradient", [...dy!.shape.slice(0, -1), I]);
  multiply([heap.address(dy!), O, 1], [heap.address(w!), 1, O], dx, [rowsOf(dy!), I, O], heap);
  return dx;
};

/** Its gradient with respect to w: xᵀ·dy. */
export const linearGradWeights: HeedKernel = ({ inputs: { x, dy }, heap }) => {
  const [I, O] = [x!.shape.at(-1)!, dy!.shape.at(-1)!];
  const dw = heap.output("linear gradient", [I, O]);
  multiply([heap.address(x!), 1, I], [heap.address(dy!), O, 1], dw, [I, O, rowsOf(x!)], heap);
  return dw;
};
