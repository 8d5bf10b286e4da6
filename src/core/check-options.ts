import { OptionError } from "./errors.ts";
import { notAChoice, outOfRange } from "./faults.ts";

function refuse(op: string, name: string, rule: string, got: unknown): never {
  throw new OptionError("OPTION", outOfRange({ op, name, rule, got }));
}

/** Throws OPTION unless the value is an integer from `least` to `most`. */
export function checkCount(
  op: string,
  name: string,
  got: number | undefined,
  least = 1,
  most = Number.POSITIVE_INFINITY,
): void {
  if (Number.isSafeInteger(got) && got! >= least && got! <= most) return;
  refuse(op, name, most === Infinity ? `an integer ≥ ${least}` : `an integer from ${least} to ${most}`, got);
}

/** Throws OPTION unless the value is one of the choices. */
export function checkChoice(op: string, name: string, got: unknown, choices: readonly string[]): void {
  if (choices.includes(got as string)) return;
  throw new OptionError(
    "OPTION",
    notAChoice({ op, name, choices: choices.map((choice) => `"${choice}"`), got }),
  );
}

/** Throws OPTION unless the value is a finite number above 0. */
export function checkPositive(op: string, name: string, got: number): void {
  if (!(got > 0 && got < Infinity)) refuse(op, name, "a positive number", got);
}

/** Throws OPTION unless the value is a finite number of 0 or more. */
export function checkNotNegative(op: string, name: string, got: number): void {
  if (!(got >= 0 && got < Infinity)) refuse(op, name, "a number ≥ 0", got);
}

/** Throws OPTION unless the value is a finite number. */
export function checkFinite(op: string, name: string, got: number): void {
  if (!Number.isFinite(got)) refuse(op, name, "a finite number", got);
}
