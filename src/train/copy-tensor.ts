import type * as tf from "@tensorflow/tfjs-core";
import type { SafetensorsTensor } from "../core/safetensors.ts";

/** The values of a tensor as a file holds them, apart from the tensor: what later steps do to it does not reach them. */
export function copyTensor(tensor: tf.Tensor): SafetensorsTensor {
  const { shape } = tensor;
  const data = tensor.dataSync();
  return tensor.dtype === "int32"
    ? { dtype: "I32", shape, data: (data as Int32Array).slice() }
    : { dtype: "F32", shape, data: (data as Float32Array).slice() };
}
