import { DataError } from "../../core/errors.ts";

/** Throws IMPORT: `importTrace: place must rule, got …; remedy`. */
export function refuse(place: string, rule: string, got: string, remedy: string): never {
  throw new DataError("IMPORT", { op: "importTrace", place, rule, got, remedy });
}
