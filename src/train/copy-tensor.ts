import * as tf from "@tensorflow/tfjs-core";
import type { SafetensorsTensor } from "../core/safetensors.ts";

/** The values of a tensor as a file holds them, apart from the tensor: what later steps do to it does not reach them. */
export function copyTensor(tensor: tf.Tensor): SafetensorsTensor {
  const { shape } = tensor;
  const data = tensor.dataSync();
  return tensor.dtype === "int32"
    ? { dtype: "I32", shape, data: (data as Int32Array).slice() }
    : { dtype: "F32", shape, data: (data as Float32Array).slice() };
}

/** The values of tensors by name, each as `copyTensor` has it. */
export function copyTensors(tensors: Readonly<Record<string, tf.Tensor>>): Record<string, SafetensorsTensor> {
  const entries = Object.entries(tensors);
  return Object.fromEntries(entries.map(([name, tensor]) => [name, copyTensor(tensor)]));
}

/** Puts values that a file or `copyTensor` has back into variables of those names. */
export function copyInto(
  variables: Readonly<Record<string, tf.Variable>>,
  tensors: Readonly<Record<string, SafetensorsTensor>>,
): void {
  tf.tidy(() => {
    for (const [name, variable] of Object.entries(variables)) {
      const { data, shape } = tensors[name]!;
      variable.assign(tf.tensor(data as Float32Array, shape, "float32"));
    }
  });
}
