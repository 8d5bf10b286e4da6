import { UsageError } from "../core/errors.ts";

/** The parser of a flag that takes a whole number from `min` to `max`. */
export function wholeNumber(command: string, flag: string, min: number, max: number, remedy: string) {
  return (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const rule = `a whole number from ${min} to ${max}`;
    throw new UsageError("USAGE", wrongFlag(command, flag, rule, text, remedy));
  };
}

/** The parser of a flag that takes a number from `min` to `max`. */
export function numberFrom(command: string, flag: string, min: number, max: number, remedy: string) {
  return (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError("USAGE", wrongFlag(command, flag, `a number from ${min} to ${max}`, text, remedy));
  };
}

/** The parser of `--ids`. */
export function idList(command: string) {
  return (text: string): number[] => {
    if (/^\d+(,\d+)*$/.test(text)) return text.split(",").map(Number);
    const rule = "whole numbers between commas";
    throw new UsageError("USAGE", wrongFlag(command, "--ids", rule, text, "try --ids 1,2,3"));
  };
}

/** The parser of a flag that takes one of a few words. */
export function oneOf<const T extends string>(command: string, flag: string, words: readonly T[]) {
  return (text: string): T => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    const rule = `one of ${words.join(", ")}`;
    throw new UsageError("USAGE", wrongFlag(command, flag, rule, text, `try ${flag} ${words[0]}`));
  };
}

/** The fault of a flag with a value that it cannot take. */
export const wrongFlag = (op: string, flag: string, rule: string, got: string, remedy: string) => ({
  op,
  rule: `${flag} must be ${rule}`,
  got: JSON.stringify(got),
  remedy,
  flag,
});

/** The fault of a file that cannot be read. */
export const unreadable = (op: string, file: string, got: string) => ({
  op,
  rule: `${file} must be readable`,
  got,
  remedy: "check the name",
  path: file,
});

/** The fault of a file that cannot be written. */
export const unwritable = (op: string, file: string, got: string) => ({
  op,
  rule: `${file} must be a file that can be written`,
  got,
  remedy: "name another one",
  path: file,
});
