import { OptionError, ShapeError } from "../core/errors.ts";

/** Throws SHAPE unless an array has as many numbers as its letters say. */
export function checkElements(
  op: string,
  name: string,
  letters: string,
  expected: number,
  got: number,
): void {
  if (got !== expected) throw wrongElements(op, name, letters, expected, got);
}

/** The error of an array of another length. */
export function wrongElements(op: string, name: string, letters: string, expected: number, got: number) {
  const rule = `${name} must hold ${letters} = ${expected} numbers`;
  const remedy = "pass the whole array, row-major and not detached";
  return new ShapeError("SHAPE", { op, rule, got, remedy, name, expected });
}

/** Throws NOT_DISTRIBUTION for weights that dropout has changed: they say nothing of where a layer looked. */
export function checkNotDropped(op: string, layer: number, rowSums: string): void {
  if (rowSums !== "dropped") return;
  const rule = "weights must be those before dropout";
  const got = `weights after dropout in layer ${layer}`;
  const remedy = "capture the model with training: false";
  throw new OptionError("NOT_DISTRIBUTION", { op, rule, got, remedy, layer });
}
