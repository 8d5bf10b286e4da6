import * as tf from "@tensorflow/tfjs-core";

/** `tf.tidy` for results that are objects of tensors, with their type. */
export function tidied<R extends object>(f: () => R): R {
  return tf.tidy(f as unknown as () => tf.TensorContainerObject) as unknown as R;
}
