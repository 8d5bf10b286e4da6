import { type ErrorCode, HeedError, OptionError } from "../core/errors.ts";

/** Throws: `op: place must rule, got …; remedy`. The name of who was called comes from `named`. */
export function refuse(place: string, rule: string, got: string, remedy: string): never {
  throw new OptionError("OPTION", { op: "view", rule: `${place} must ${rule}`, got, remedy, place });
}

/** Runs `work`; an error of heed's that leaves it begins with `op`, the function or command that was called. */
export function named<T>(op: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw renamed(op, error);
  }
}

/** The same error under another name; what is no error of heed's, or names no operation, stays as it is. */
export function renamed(op: string, error: unknown): unknown {
  if (!(error instanceof HeedError && "op" in (error.details as object))) return error;
  const Kind = error.constructor as new (
    code: ErrorCode,
    details: object,
    options: ErrorOptions,
  ) => HeedError;
  return new Kind(error.code, { ...(error.details as object), op }, { cause: error });
}
