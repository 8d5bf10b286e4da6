import { ShapeError } from "../../core/errors.ts";

/** Throws PARAMETER unless a parameter has the shape that the widths of queries or keys require. */
export function checkParameter(
  op: string,
  name: string,
  got: readonly number[],
  expected: readonly number[],
): void {
  if (got.length === expected.length && expected.every((n, axis) => n === got[axis])) return;
  throw new ShapeError("PARAMETER", { op, name, expected, got });
}

interface Shaped {
  readonly shape: readonly [B: number, N: number, D: number];
}

/** Throws WIDTHS unless queries and keys are equally wide. */
export function checkWidths(op: string, queries: Shaped, keys: Shaped): void {
  if (queries.shape[2] === keys.shape[2]) return;
  throw new ShapeError("WIDTHS", { op, queries: queries.shape, keys: keys.shape });
}
