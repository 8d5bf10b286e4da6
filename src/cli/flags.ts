import { UsageError } from "../core/errors.ts";
import type { TerminalCapabilities } from "../viz/terminal/capabilities.ts";

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

/** Refuses words and `--input` together. @throws UsageError USAGE */
export function checkOnePlace(op: string, noun: string, words: readonly string[], input: string | undefined) {
  if (input === undefined || words.length === 0) return;
  const fault = { op, rule: `${noun} must come from one place`, got: "some as words and --input" };
  throw new UsageError("USAGE", { ...fault, remedy: "leave one of them out", flag: "--input" });
}

/** How an answer is printed: an object, a line, or a line with its picture below. */
export type AnswerFormat = "json" | "line" | "picture";

/** The form that the flags ask for; pictures are for terminals, and for those who ask for colours. */
export function answerFormat(
  { json, picture }: { json?: boolean; picture?: boolean },
  { isTTY, depth }: Pick<TerminalCapabilities, "isTTY" | "depth">,
): AnswerFormat {
  if (json) return "json";
  return picture !== false && (isTTY || depth > 1) ? "picture" : "line";
}
