import { OptionError } from "../core/errors.ts";

/** What cannot be captured: `op: place must rule, got …; remedy`. */
export function refusal(
  op: string,
  place: string,
  rule: string,
  got: string,
  remedy: string,
): OptionError<"UNSUPPORTED"> {
  return new OptionError("UNSUPPORTED", { op, rule: `${place} must ${rule}`, got, remedy, place });
}

/** A number that is NaN or infinite where a trace needs one: `op: place must be finite, got …; remedy`. */
export function notFinite(op: string, place: string, got: number, remedy: string): OptionError<"NOT_FINITE"> {
  return new OptionError("NOT_FINITE", { op, rule: `${place} must be finite`, got, remedy, place });
}
