import { clone, customGrad, type Tensor } from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { noSecondGradient } from "../../core/faults.ts";

/**
 * x, with a gradient that throws when it is differentiated itself: where a softmax stands in between, TensorFlow.js
 * would give another number without a word, because what a customGrad saves is not on the tape.
 *
 * @throws OptionError GRADIENT, at the second differentiation
 */
export function onceDifferentiable<X extends Tensor>(op: string, x: X): X {
  const refuse = (): Tensor[] => {
    throw new OptionError("GRADIENT", noSecondGradient({ op }));
  };
  // x is an input so that everything that depends on x finds this node on its way.
  const last = customGrad((dx) => ({ value: clone(dx as Tensor), gradFunc: refuse }));
  const first = customGrad((y) => ({
    value: clone(y as Tensor),
    gradFunc: (dy: Tensor) => last(dy, x),
  }));
  return first(x) as X;
}
