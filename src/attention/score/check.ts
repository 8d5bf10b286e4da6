import { ShapeError } from "../../core/errors.ts";
import { wrongParameter } from "../../core/faults.ts";
import { show } from "../../core/notation.ts";

/** Throws SHAPE unless a parameter has the shape that the widths of queries or keys require. */
export function checkParameter(
  op: string,
  name: string,
  got: readonly number[],
  expected: readonly number[],
): void {
  if (got.length === expected.length && expected.every((n, axis) => n === got[axis])) return;
  throw new ShapeError("SHAPE", wrongParameter({ op, name, expected, got }));
}

interface Shaped {
  readonly shape: readonly [B: number, N: number, D: number];
}

/** Throws DIMENSION unless queries and keys are equally wide. */
export function checkWidths(op: string, queries: Shaped, keys: Shaped): void {
  if (queries.shape[2] === keys.shape[2]) return;
  throw new ShapeError("DIMENSION", {
    op,
    rule: "queries [B, T, D] and keys [B, S, D] must have the same width D",
    got: `shapes ${show(queries.shape)} and ${show(keys.shape)}`,
    remedy: "use generalScore or additiveScore, which take different widths",
  });
}
