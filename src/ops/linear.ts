import {
  add,
  type GradConfig,
  matMul,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
} from "@tensorflow/tfjs-core";
import { ShapeError } from "../core/errors.ts";
import { wrongRank } from "../core/faults.ts";
import { checkRank, checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernel } from "./registry.ts";

const OP = "linear";
const KERNEL = "HeedLinear";

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["x", "w"],
  // Each gradient is made where it is asked for: none for an input that is data, none for weights that stay.
  gradFunc: (given, saved, attrs) => {
    const [x, w] = saved;
    const dy = given as Tensor;
    const rows = dy.shape.slice(0, -1).map((_, axis) => axis);
    return {
      x: () => runKernel(`${KERNEL}GradInput`, { w: w!, dy }, attrs),
      w: () => runKernel(`${KERNEL}GradWeights`, { x: x!, dy }, attrs),
      b: () => sum(dy, rows),
    };
  },
};

export interface LinearOptions {
  /** The weights are [O, I], as PyTorch's `nn.Linear` keeps them. @default false: [I, O] */
  transposed?: boolean;
}

function composed(x: Tensor, w: Tensor2D, b: Tensor1D | undefined, transposed: boolean): Tensor {
  const [I, O] = transposed ? [w.shape[1], w.shape[0]] : w.shape;
  const product = matMul(reshape(x, [x.size / I, I]), w, false, transposed);
  return reshape(b ? add(product, b) : product, [...x.shape.slice(0, -1), O]);
}

/**
 * An affine map of the last axis:
 *
 *     out[…, o] = Σ_i x[…, i] · w[i, o] + b[o]
 *
 * One product and one pass for the bias forward, two products and a sum backward, each only where it is asked for:
 * six kernel calls, where reshape, matMul and add make seventeen. b may be left out.
 *
 * Shapes: x […, I], w [I, O], b [O] → […, O]; rank of x at least 2, I at least 1. With `transposed` w is [O, I].
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree, or I is 0
 * @example
 * const q = linear(x, wq, bq); // [B, T, C] to [B, T, O]
 */
export function linear<T extends Tensor>(
  x: T,
  w: Tensor2D,
  b?: Tensor1D,
  { transposed = false }: LinearOptions = {},
): T {
  if (x.shape.length < 2) {
    throw new ShapeError("RANK", wrongRank({ op: OP, name: "x", rank: "2 or more", shape: x.shape }));
  }
  checkRank(OP, "w", w, 2);
  const [I, O] = transposed ? [w.shape[1], w.shape[0]] : w.shape;
  checkTensors(OP, [
    { name: "w", tensor: w, letters: transposed ? "[O, I]" : "[I, O]", shape: w.shape },
    { name: "x", tensor: x, letters: "[…, I]", shape: [...x.shape.slice(0, -1), I] },
    ...(b ? [{ name: "b", tensor: b, letters: "[O]", shape: [O] }] : []),
  ]);
  if (I === 0) {
    throw new ShapeError("SHAPE", {
      op: OP,
      rule: "w must have I ≥ 1 rows",
      got: "I = 0",
      remedy: "x must have something to map",
    });
  }
  return tidy(() => {
    if (!isFused(KERNEL)) return composed(x, w, b, transposed) as T;
    ensureGradient(gradient);
    for (const kernel of ["GradInput", "GradWeights"]) noSecondOrder(KERNEL + kernel, OP);
    return runKernel(KERNEL, b ? { x, w, b } : { x, w }, { transposed }) as T;
  });
}
