import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";

const BYTES = 4;

/** The order in which the steps are taken, and where each finds the state before it. */
export function stepsOf(T: number, reverse: boolean): { s: number; previous: number }[] {
  return Array.from({ length: T }, (_, i) => {
    const s = reverse ? T - 1 - i : i;
    return { s, previous: i === 0 ? -1 : reverse ? s + 1 : s - 1 };
  });
}

/** Addresses by step: block first + s of a [·, B, width] tensor, and the initial state for step −1. */
export function blocks(
  heap: Heap,
  tensor: TensorInfo,
  initial?: TensorInfo,
  first = 0,
): (s: number) => number {
  const size = tensor.shape.slice(1).reduce((product, n) => product * n, BYTES);
  const start = heap.address(tensor) + first * size;
  const before = initial ? heap.address(initial) : 0;
  return (s) => (s < 0 ? before : start + s * size);
}

/**
 * dU += Σ_s h_previousᵀ · dgates_s, as one product: the states before all steps but the first lie in one piece, and
 * so do their gates. dU [H, G] and the gates [T, B, G] are addressed; `hAt(-1)` is the initial state.
 */
export function addRecurrentGradient(
  heap: Heap,
  { T, B, H, G }: Record<"T" | "B" | "H" | "G", number>,
  { hAt, gatesAt, dU }: { hAt: (s: number) => number; gatesAt: (s: number) => number; dU: number },
  { reverse, scratch }: { reverse: boolean; scratch: number },
): void {
  const product = (h: number, gates: number, rows: number) =>
    heap.kernels.gemm(h, 1, H, gates, G, 1, dU, H, G, rows, scratch, 1);
  if (T > 0) product(hAt(-1), gatesAt(reverse ? T - 1 : 0), B);
  if (T > 1) product(hAt(reverse ? 1 : 0), gatesAt(reverse ? 0 : 1), (T - 1) * B);
}
