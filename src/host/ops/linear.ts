import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { multiply } from "../overrides/matmul.ts";
import type { HeedKernel } from "../register.ts";

/** A tensor as a matrix: all its axes but the last are rows. */
function rows(x: TensorInfo): TensorInfo {
  return { ...x, shape: [util.sizeFromShape(x.shape.slice(0, -1)), x.shape.at(-1)!] };
}

interface LinearAttributes {
  /** w is [O, I]. */
  readonly transposed: boolean;
}

/** x·w + b over the last axis of x: one product, then the bias in place. */
export const linear: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, w, b } = inputs as { x: TensorInfo; w: TensorInfo; b?: TensorInfo };
  const { transposed } = attrs as unknown as LinearAttributes;
  const out = multiply("linear", { a: rows(x), b: w, transposeA: false, transposeB: transposed }, heap);
  const [N, O] = out.shape as [number, number];
  if (b) heap.kernels.biasActivation!(heap.address(out), N, O, heap.address(b), 0, 0);
  return { ...out, shape: [...x.shape.slice(0, -1), O] };
};

/** Its gradient with respect to x: dy·wᵀ. */
export const linearGradInput: HeedKernel = ({ inputs: { w, dy }, attrs, heap }) => {
  const { transposed } = attrs as unknown as LinearAttributes;
  const dx = multiply(
    "linear gradient",
    { a: rows(dy!), b: w!, transposeA: false, transposeB: !transposed },
    heap,
  );
  return { ...dx, shape: [...dy!.shape.slice(0, -1), w!.shape[transposed ? 1 : 0]!] };
};

/** Its gradient with respect to w: xᵀ·dy, or dyᵀ·x where w is [O, I]. */
export const linearGradWeights: HeedKernel = ({ inputs: { x, dy }, attrs, heap }) => {
  const { transposed } = attrs as unknown as LinearAttributes;
  const [a, b] = transposed ? [dy!, x!] : [x!, dy!];
  return multiply("linear gradient", { a: rows(a), b: rows(b), transposeA: true, transposeB: false }, heap);
};
