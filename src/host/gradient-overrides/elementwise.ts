import {
  cast,
  type GradConfig,
  greater,
  greaterEqual,
  less,
  lessEqual,
  mul,
  neg,
  sub,
  type Tensor,
  zeros,
} from "@tensorflow/tfjs-core";
import { unbroadcast } from "./shapes.ts";

/** Of equal numbers a's counts, as in TensorFlow. */
function larger(
  kernelName: string,
  isA: (a: Tensor, b: Tensor) => Tensor,
  isB: (a: Tensor, b: Tensor) => Tensor,
): GradConfig {
  return {
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({
      a: () => unbroadcast(mul(dy as Tensor, cast(isA(a!, b!), "float32")), a!.shape),
      b: () => unbroadcast(mul(dy as Tensor, cast(isB(a!, b!), "float32")), b!.shape),
    }),
  };
}

/** d (a − b)² = 2 (a − b) (da − db). */
const squaredDifference: GradConfig = {
  kernelName: "SquaredDifference",
  inputsToSave: ["a", "b"],
  gradFunc: (dy, [a, b]) => {
    const slope = () => mul(dy as Tensor, mul(2, sub(a!, b!)));
    return { a: () => unbroadcast(slope(), a!.shape), b: () => unbroadcast(neg(slope()), b!.shape) };
  },
};

/** What is true or false does not change with the numbers it is made of: the gradient is 0, as that of `sign`. */
function truth(kernelName: string, names: readonly string[]): GradConfig {
  return {
    kernelName,
    inputsToSave: [...names],
    gradFunc: (_, saved) =>
      Object.fromEntries(names.map((name, i) => [name, () => zeros(saved[i]!.shape, "float32")])),
  };
}

const PAIRS = [
  "Equal",
  "NotEqual",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "LogicalAnd",
  "LogicalOr",
];

/** Gradients of operations over two tensors that broadcast. */
export const elementwiseGradients: readonly GradConfig[] = [
  larger("Maximum", greaterEqual, less),
  larger("Minimum", lessEqual, greater),
  squaredDifference,
  ...PAIRS.map((name) => truth(name, ["a", "b"])),
  truth("LogicalNot", ["x"]),
];
