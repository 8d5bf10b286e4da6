import { OptionError } from "../core/errors.ts";

/** Throws OPTION: `op: option rule, got …; pass another value`. */
export function refuseOption(op: string, option: string, rule: string, got: unknown): never {
  throw new OptionError("OPTION", { op, rule: `${option} ${rule}`, got, remedy: "pass another value" });
}

/** @throws OptionError OPTION unless `value` is a whole number of at least `least` */
export function requireWhole(op: string, option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    refuseOption(op, option, `must be a whole number from ${least}`, value);
  }
}

/** @throws OptionError OPTION unless `value` is a finite number of at least `least` */
export function requireAtLeast(op: string, option: string, value: number, least: number): void {
  if (!Number.isFinite(value) || value < least) {
    refuseOption(op, option, `must be a number from ${least}`, value);
  }
}

/** @throws OptionError OPTION when `run` gave a promise, as what goes on after it would not be held */
export function requireSettled<R>(op: string, result: R): R {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== "function") return result;
  throw new OptionError("OPTION", {
    op,
    rule: "run must run to its end before it returns",
    got: "a promise",
    remedy: "put in it what lies between two awaits",
  });
}
