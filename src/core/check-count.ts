import { OptionError } from "./errors.ts";

/** Throws NUMBER_RANGE unless the value is an integer of `least` or more. */
export function checkCount(op: string, name: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new OptionError("NUMBER_RANGE", { op, name, rule: `an integer ≥ ${least}`, got: value });
}

/** Throws CHOICE unless the value is one of the choices. */
export function checkChoice(op: string, name: string, got: unknown, choices: readonly string[]): void {
  if (choices.includes(got as string)) return;
  throw new OptionError("CHOICE", { op, name, choices: choices.map((choice) => `"${choice}"`), got });
}

/** Throws NUMBER_RANGE unless the value is a finite number above 0. */
export function checkPositive(op: string, name: string, got: number): void {
  if (got > 0 && Number.isFinite(got)) return;
  throw new OptionError("NUMBER_RANGE", { op, name, rule: "a positive number", got });
}
