/** What a caller in plain JavaScript may pass by mistake: refused in a sentence before anything reads it. */
import { OptionError } from "../core/errors.ts";

/** A value as an error shows it. */
export function described(value: unknown): string {
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  return ArrayBuffer.isView(value) ? Object.prototype.toString.call(value).slice(8, -1) : "an object";
}

function refuse(op: string, name: string, rule: string, got: unknown, remedy: string): OptionError<"OPTION"> {
  return new OptionError("OPTION", {
    op,
    name,
    rule: `${name} must be ${rule}`,
    got: described(got),
    remedy,
  });
}

/** @throws OptionError OPTION where there is no object */
export function checkObject(op: string, name: string, value: unknown, what: string): void {
  if (typeof value !== "object" || value === null) throw refuse(op, name, "an object", value, what);
}

/** Options that are one number, word or truth each. */
const PLAIN = ["scale", "softCap", "queryOffset", "causal", "training", "onEmptyRow", "layout"] as const;
const ARRAYS = ["bias", "allow", "sink"] as const;
const LENGTHS = ["queryLengths", "keyLengths"] as const;
const NESTED = { window: ["left", "right"], dropout: ["rate", "seed"] } as const;

/**
 * Whether options have the types that are written down; what they may be beyond that `compileProgram` says.
 *
 * @throws OptionError OPTION
 */
export function checkOptionTypes(op: string, options: unknown): void {
  checkObject(op, "options", options, "pass {}, or leave them out");
  const given = options as Record<string, unknown>;
  checkPlain(op, given, PLAIN);
  for (const name of ARRAYS) {
    const value = given[name];
    if (value === undefined || (name === "sink" && typeof value === "number")) continue;
    if (!isHostArray(value)) {
      throw refuse(op, name, "an array in ordinary memory", value, "pass { shape, dtype, values }");
    }
  }
  for (const [name, value] of Object.entries(given.tensors ?? {})) {
    if (isHostArray(value)) continue;
    throw refuse(
      op,
      `tensors.${name}`,
      "an array in ordinary memory",
      value,
      "pass { shape, dtype, values }",
    );
  }
  for (const name of LENGTHS) {
    if (given[name] !== undefined && !isArrayLike(given[name])) {
      throw refuse(op, name, "an array of numbers", given[name], "give one length per example");
    }
  }
  for (const [name, parts] of Object.entries(NESTED)) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    checkObject(op, name, value, `pass { ${parts.join(", ")} }`);
    checkPlain(op, value as Record<string, unknown>, parts);
  }
}

function checkPlain(op: string, given: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const value = given[name];
    if (value === null || /^(object|function|symbol|bigint)$/.test(typeof value)) {
      throw refuse(op, name, "one number, word or truth", value, "leave it out for its default");
    }
  }
}

const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  typeof value === "object" && value !== null && Number.isSafeInteger((value as ArrayLike<unknown>).length);

function isHostArray(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { shape, dtype, values } = value as Record<string, unknown>;
  const isShape = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  return isShape && typeof dtype === "string" && isArrayLike(values);
}

/**
 * Whether this is what a forward call gave: its program, and arrays of the kind that `like` is.
 *
 * @throws OptionError OPTION
 */
export function checkSaved(op: string, saved: unknown, arrays: readonly string[], like: string): void {
  const remedy = "pass what the forward call returned as `saved`, unchanged";
  checkObject(op, "saved", saved, remedy);
  const given = saved as Record<string, unknown>;
  const shapes = (given.program as { shapes?: unknown } | null | undefined)?.shapes;
  if (typeof shapes !== "object" || shapes === null) {
    throw refuse(op, "saved.program", "the program of the call", given.program, remedy);
  }
  const kind = described(given[like]);
  for (const name of arrays) {
    if (/^Float(32|64)Array$/.test(kind) && described(given[name]) === kind) continue;
    throw refuse(op, `saved.${name}`, "a Float32Array or Float64Array like the inputs", given[name], remedy);
  }
}
