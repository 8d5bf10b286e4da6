import * as tf from "@tensorflow/tfjs-core";

/**
 * `tf.tidy` with the type of what `make` returns: tensors, or objects and lists of tensors, nested, some absent. Those
 * stay; every other tensor that was made on the way is disposed.
 *
 * @example
 * const { output } = tidy(() => ({ output: tf.add(x, 1) }));
 */
export function tidy<R>(make: () => R): R {
  return tf.tidy(make as unknown as () => tf.TensorContainer) as unknown as R;
}

/**
 * `tidy` for what is no tensor: numbers, typed arrays, records of them. Every tensor that was made on the way is
 * disposed. `tf.tidy` would walk through each number of an array that it is handed.
 */
export function tidyData<R>(make: () => R): R {
  let made: R | undefined;
  tf.tidy(() => {
    made = make();
    return [] as tf.Tensor[];
  });
  return made!;
}
