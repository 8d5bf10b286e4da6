import { add, concat, div, mul, reshape, slice, split, sub, Tensor, transpose } from "@tensorflow/tfjs-core";

type Method = (this: Tensor, ...rest: never[]) => unknown;

/** An operation as a method of its first argument. */
const method = (f: (x: Tensor, ...rest: never[]) => unknown): Method =>
  function (...rest) {
    return f(this, ...rest);
  };

/** The methods of tensors that TensorFlow.js' own layers, initialisers and gradients call. */
const METHODS: Record<string, Method> = {
  add: method(add as never),
  concat: method(((x: Tensor, others: Tensor | Tensor[], axis?: number) =>
    concat([x, ...[others].flat()], axis)) as never),
  div: method(div as never),
  flatten: method((x) => reshape(x, [x.size])),
  mul: method(mul as never),
  reshape: method(reshape as never),
  slice: method(slice as never),
  split: method(split as never),
  sub: method(sub as never),
  transpose: method(transpose as never),
};

/**
 * Gives tensors the few methods that TensorFlow.js itself calls: `layers.lstm` makes its recurrent weights with
 * `flatten`, and the gradient of `gather` with batches calls `split`. `@tensorflow/tfjs-core` leaves all of them to an
 * import of its own, which Node cannot make. Methods that are there stay, and more can be added.
 */
export function patchTensorMethods(): void {
  const prototype = Tensor.prototype as unknown as Record<string, Method>;
  for (const [name, value] of Object.entries(METHODS)) {
    if (name in prototype) continue;
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}
