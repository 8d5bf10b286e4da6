import { clone, customGrad, type Tensor, zerosLike } from "@tensorflow/tfjs-core";

/** What `make` makes, as a constant: nothing of it is on the tape. */
export function untaped(make: () => Tensor): Tensor {
  return customGrad(() => ({ value: clone(make()), gradFunc: () => [] }))();
}

/** x, whose gradient is 0: unlike a tensor off the tape it is one that gradients can be asked of. */
export function stopped(x: Tensor): Tensor {
  const stop = customGrad((given) => ({
    value: clone(given as Tensor),
    gradFunc: (dy: Tensor) => zerosLike(dy),
  }));
  return stop(x);
}
