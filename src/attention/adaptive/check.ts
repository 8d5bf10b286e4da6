import { ShapeError } from "../../core/errors.ts";
import { show } from "../../core/notation.ts";

interface Shaped {
  /** As the documentation calls it, with its letters: "z [H]". */
  readonly name: string;
  readonly shape: readonly number[];
}

/** @throws ShapeError SHAPE unless a parameter has the shape that the inputs ask for */
export function checkParameter(
  op: string,
  { name, shape }: Shaped,
  expected: readonly number[],
  remedy: string,
): void {
  if (shape.length === expected.length && expected.every((n, axis) => n === shape[axis])) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `${name} must have shape ${show(expected)} here`,
    got: show(shape),
    remedy,
  });
}
