import { checkKeys } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";

/** What the keys of a configuration must be; every key is in one of the lists. */
export interface ConfigRules {
  /** Integers from 1. */
  readonly sizes?: readonly string[];
  /** Integers from 0. */
  readonly counts?: readonly string[];
  /** Checked by the caller, and only known here. */
  readonly others?: readonly string[];
}

/** Refuses a part of a configuration of a model. */
export function refuseConfig(
  op: string,
  rule: string,
  got: unknown,
  code: "OPTION" | "CONFLICT" = "OPTION",
): never {
  throw new OptionError(code, { op, rule, got, remedy: "correct the configuration" });
}

/**
 * Throws unless a configuration has all keys of the rules, no other, and its heads divide its width.
 *
 * @throws OptionError OPTION, UNKNOWN, CONFLICT
 */
export function checkModelConfig(
  op: string,
  config: object,
  { sizes = [], counts = [], others = [] }: ConfigRules,
): void {
  const given = config as Readonly<Record<string, unknown>>;
  checkKeys(op, given, [...sizes, ...counts, ...others]);
  for (const [names, least] of [
    [sizes, 1],
    [counts, 0],
  ] as const) {
    for (const name of names) {
      const value = given[name];
      if (Number.isSafeInteger(value) && (value as number) >= least) continue;
      refuseConfig(op, `${name} must be an integer ≥ ${least}`, value);
    }
  }
  const { width: C, heads: H } = given as { width?: number; heads?: number };
  if (C === undefined || H === undefined || C % H === 0) return;
  refuseConfig(op, `width C=${C} must be a multiple of heads H=${H}`, `${C} and ${H}`, "CONFLICT");
}
