import { UsageError } from "../core/errors.ts";

/** The parser of a flag that takes a whole number from `min` to `max`. */
export function wholeNumber(command: string, flag: string, min: number, max: number, remedy: string) {
  return (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError("FLAG_VALUE", {
      command,
      flag,
      rule: `a whole number from ${min} to ${max}`,
      got: text,
      remedy,
    });
  };
}

/** The parser of a flag that takes one of a few words. */
export function oneOf<const T extends string>(command: string, flag: string, words: readonly T[]) {
  return (text: string): T => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new UsageError("FLAG_VALUE", {
      command,
      flag,
      rule: `one of ${words.join(", ")}`,
      got: text,
      remedy: `try ${flag} ${words[0]}`,
    });
  };
}
