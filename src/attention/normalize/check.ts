import { ShapeError } from "../../core/errors.ts";
import { notBroadcast } from "../../core/faults.ts";

/** @throws ShapeError SHAPE unless `got`, repeated where it is 1 or has no axis, is `expected` */
export function checkBroadcast(
  op: string,
  { name, letters }: { name: string; letters: string },
  expected: readonly number[],
  got: readonly number[],
): void {
  const last = expected.slice(expected.length - got.length);
  if (got.length <= expected.length && got.every((n, axis) => n === 1 || n === last[axis])) return;
  throw new ShapeError("SHAPE", notBroadcast({ op, name, letters, expected, got }));
}
