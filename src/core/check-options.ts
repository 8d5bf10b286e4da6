import { OptionError } from "./errors.ts";
import { notAChoice, outOfRange, wrongLengths } from "./faults.ts";

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

/** Throws UNKNOWN unless every key of a configuration is one of those known. */
export function checkKeys(op: string, config: object, known: readonly string[]): void {
  const other = Object.keys(config).find((key) => !known.includes(key));
  if (other === undefined) return;
  const rule = `every key must be one of ${known.join(", ")}`;
  throw new OptionError("UNKNOWN", { op, rule, got: other, remedy: "correct the configuration" });
}

/** Lengths of B examples as integers; throws OPTION unless each is one from 0 to `most`. */
export function checkLengths(
  op: string,
  name: string,
  lengths: ArrayLike<number>,
  B: number,
  most: number,
): number[] {
  const got = Array.from(lengths);
  if (got.length === B && got.every((n) => Number.isInteger(n) && n >= 0 && n <= most)) return got;
  throw new OptionError("OPTION", wrongLengths({ op, name, B, most, got }));
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
