import { squeeze, type Tensor2D, type Tensor3D, unstack } from "@tensorflow/tfjs-core";

/** The steps of x [T, B, width]. TensorFlow.js' gradient of unstack fails where there is a single one. */
export function unstackSteps(x: Tensor3D): Tensor2D[] {
  return x.shape[0] === 1 ? [squeeze(x, [0])] : (unstack(x) as Tensor2D[]);
}
