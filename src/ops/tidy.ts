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

/**
 * A result that is there if the option of its name is `true`: `{ output: Tensor } & Asked<O, "weights", Tensor>`. `As`
 * is its name where that is another than the option's.
 */
export type Asked<O, Name extends string, T, As extends string = Name> = O extends {
  readonly [N in Name]: true;
}
  ? { [N in As]: T }
  : { [N in As]?: T };

/** `tidy` for results of which a caller gets what the options asked for: `make` has the type of all that may be. */
export function tidyAsked<Wide, Result>(make: () => Wide): Result {
  return tidy(make) as unknown as Result;
}
