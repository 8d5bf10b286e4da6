import { fault } from "../trace/fault.ts";

/** Throws FORMAT: `importTrace: place must rule, got …; remedy`. */
export function refuse(place: string, rule: string, got: string, remedy: string): never {
  fault("importTrace", place, rule, got, remedy);
}
