import {
  cast,
  div,
  mean,
  reshape,
  sign,
  slice,
  split,
  square,
  stridedSlice,
  sub,
  sum,
  Tensor,
  transpose,
} from "@tensorflow/tfjs-core";

type Method = (this: Tensor, ...rest: never[]) => unknown;

/** An operation as a method of its first argument. */
const method = (f: (x: Tensor, ...rest: never[]) => unknown): Method =>
  function (...rest) {
    return f(this, ...rest);
  };

/** Operations whose first argument the tensor is. */
const OPERATIONS = {
  cast,
  div,
  mean,
  reshape,
  sign,
  slice,
  split,
  square,
  stridedSlice,
  sub,
  sum,
  transpose,
};

/** The methods of tensors that TensorFlow.js' own layers, initialisers, metrics and gradients call. */
const METHODS: Record<string, Method> = {
  ...Object.fromEntries(Object.entries(OPERATIONS).map(([name, f]) => [name, method(f as never)])),
  flatten: method((x) => reshape(x, [x.size])),
};

/**
 * Gives tensors the few methods that TensorFlow.js itself calls: `layers.lstm` makes its recurrent weights with
 * `flatten`, and the gradient of `gather` in batches calls `split`. `@tensorflow/tfjs-core` leaves all of them to an
 * import of its own, which Node cannot make. Methods that are there stay, and more can be added.
 */
export function patchTensorMethods(): void {
  const prototype = Tensor.prototype as unknown as Record<string, Method>;
  for (const [name, value] of Object.entries(METHODS)) {
    if (name in prototype) continue;
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}
