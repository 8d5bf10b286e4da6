import { OptionError } from "./errors.ts";
import { notAChoice, outOfRange, wrongLengths } from "./faults.ts";
import { nearestKey } from "./nearest-key.ts";

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
  const meant = nearestKey(other, known);
  const remedy = meant ? `did you mean ${meant}?` : "correct the configuration";
  throw new OptionError("UNKNOWN", { op, rule, got: other, remedy });
}

/** The names of options, as a table that is quick to look into; one stands whole in its file, as bundlers may load files in rings. */
export type OptionNames<O> = Readonly<Record<keyof O & string, true>>;

/** Any such table. */
export type KnownNames = Readonly<Record<string, true>>;

/**
 * Throws UNKNOWN unless every option is in one of the tables, with the name that was meant; what is undefined is as good as not
 * there. Types say so where the options are written down; this is for JavaScript, and for options that are put together.
 */
export function checkOptionNames(op: string, options: object, ...known: readonly KnownNames[]): void {
  for (const name in options) {
    if (known.some((table) => table[name] === true)) continue;
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    const names = known.flatMap((table) => Object.keys(table));
    const meant = nearestKey(name, names);
    throw new OptionError("UNKNOWN", {
      op,
      rule: `every option must be one that ${op} has`,
      got: name,
      remedy: meant === undefined ? `it has ${names.join(", ")}` : `did you mean ${meant}?`,
    });
  }
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
