import { OptionError, ShapeError } from "../core/errors.ts";

/** Throws: `op: option must be rule, got …; remedy`. */
export function refuse(op: string, option: string, rule: string, got: string, remedy: string): never {
  throw new OptionError("OPTION", { op, rule: `${option} must be ${rule}`, got, remedy, option });
}

/** Throws: an array is not as long as it must be. */
export function refuseLength(
  op: string,
  name: string,
  letters: string,
  expected: number,
  got: number,
): never {
  const rule = `${name} must hold ${letters} = ${expected} numbers`;
  const remedy = "pass the whole array, row-major and not detached";
  throw new ShapeError("SHAPE", { op, rule, got, remedy, name, expected });
}
