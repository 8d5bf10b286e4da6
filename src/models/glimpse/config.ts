import { checkSize, type ImageSize } from "../../attention/glimpse/glimpse.ts";
import { checkChoice, checkCount, checkKeys, checkPositive } from "../../core/check-options.ts";

/** Throws OPTION unless a field is what its configuration says. */
export type Rule = (op: string, name: string, got: never) => void;

export const atLeast =
  (least: number): Rule =>
  (op, name, got: number) =>
    checkCount(op, name, got, least);
export const count: Rule = atLeast(1);
export const positive: Rule = (op, name, got: number) => checkPositive(op, name, got);
export const size: Rule = (op, name, got: ImageSize) => checkSize(op, name, got);
export const oneOf =
  (...choices: readonly string[]): Rule =>
  (op, name, got: string) =>
    checkChoice(op, name, got, choices);

/**
 * A configuration with its defaults, every field checked.
 *
 * @throws OptionError UNKNOWN, OPTION before anything is made
 */
export function fullConfig<Full extends object>(
  op: string,
  given: Partial<Full>,
  defaults: Partial<Full>,
  rules: { readonly [Name in keyof Full]: Rule },
): Full {
  checkKeys(op, given, Object.keys(rules));
  const full = { ...defaults, ...given } as Record<string, never>;
  for (const [name, rule] of Object.entries<Rule>(rules)) rule(op, name, full[name]!);
  return full as Full;
}
