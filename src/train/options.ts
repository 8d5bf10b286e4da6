import { OptionError } from "../core/errors.ts";

/** @throws OptionError `TRAIN_OPTION` unless `value` is a whole number of at least `least` */
export function requireWhole(op: string, option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    const rule = `must be a whole number from ${least}`;
    throw new OptionError("TRAIN_OPTION", { op, option, rule, got: String(value) });
  }
}

/** @throws OptionError `TRAIN_OPTION` unless `value` is a finite number of at least `least` */
export function requireAtLeast(op: string, option: string, value: number, least: number): void {
  if (!Number.isFinite(value) || value < least) {
    const rule = `must be a number from ${least}`;
    throw new OptionError("TRAIN_OPTION", { op, option, rule, got: String(value) });
  }
}
