import { DataError } from "../../core/errors.ts";

/** Throws FORMAT: `op: place must rule, got …; remedy`. */
export function fault(op: string, place: string, rule: string, got: string, remedy: string): never {
  throw new DataError("FORMAT", { op, rule: `${place} must ${rule}`, got, remedy, place });
}

const LONGEST = 60;

/** Text of a file inside a message: quoted, and never long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

/** What a value of unknown type is, in a few words, however large or deep it is. */
export function described(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return value === undefined ? "nothing" : String(value);
}

/** The sizes of a shape, of which a file may claim very many. */
export function shown(shape: readonly number[]): string {
  return shape.length > 8 ? `${shape.length} sizes` : `[${shape.join(", ")}]`;
}
