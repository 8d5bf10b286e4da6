import { cast, type Tensor } from "@tensorflow/tfjs-core";

/** x as the kernels take it. */
export function float(x: Tensor): Tensor {
  return x.dtype === "float32" ? x : cast(x, "float32");
}
