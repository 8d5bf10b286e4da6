import * as tf from "@tensorflow/tfjs-core";

/**
 * A loss and its gradients by the caller's names of the variables. TensorFlow.js keys gradients by names that it
 * makes up where a variable was given none.
 *
 * @returns the gradients belong to the caller, who disposes them
 * @example
 * const w = tf.variable(tf.scalar(3));
 * const { loss, grads } = namedGradients({ w }, () => tf.square(w));
 * [loss, grads.w.dataSync()[0]]; // [9, 6]
 */
export function namedGradients(
  variables: Readonly<Record<string, tf.Variable>>,
  f: () => tf.Scalar,
): { loss: number; grads: tf.NamedTensorMap } {
  const { value, grads } = tf.variableGrads(f, Object.values(variables));
  const loss = value.dataSync()[0]!;
  value.dispose();
  const named = Object.entries(variables).map(([name, variable]) => [name, grads[variable.name]!] as const);
  return { loss, grads: Object.fromEntries(named) };
}
