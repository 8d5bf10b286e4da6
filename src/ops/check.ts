import type { DataType, Tensor } from "@tensorflow/tfjs-core";
import { ShapeError } from "../core/errors.ts";

export { checkRank } from "../core/shapes.ts";

/** One tensor of a call and what it must be: `letters` names the sizes as the op's documentation does. */
export interface Expected {
  name: string;
  tensor: Pick<Tensor, "shape" | "dtype">;
  letters: string;
  shape: number[];
  dtype?: DataType;
}

const show = (shape: number[]) => `[${shape.join(", ")}]`;

/**
 * Checks the shapes and types of a call's tensors, so that no kernel reads what is not there.
 *
 * @throws ShapeError SHAPE naming the first tensor that disagrees
 */
export function checkTensors(op: string, tensors: Expected[]): void {
  for (const { name, tensor, letters, shape, dtype = "float32" } of tensors) {
    const fits = tensor.shape.length === shape.length && shape.every((size, i) => size === tensor.shape[i]);
    if (fits && tensor.dtype === dtype) continue;
    throw new ShapeError("SHAPE", {
      op,
      rule: `${name} must be ${dtype} of shape ${letters} = ${show(shape)}`,
      got: `${tensor.dtype} of shape ${show(tensor.shape)}`,
      remedy: "the letters must mean the same sizes in all of the call's tensors",
    });
  }
}

/** @throws ShapeError SHAPE when a sequence has no steps */
export function checkSteps(op: string, T: number): void {
  if (T > 0) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: "inputGates must have T ≥ 1 steps",
    got: `T = ${T}`,
    remedy: "the last state of an empty sequence is h0 itself",
  });
}
