/**
 * What a script may reach of a value: a list, not a search through prototypes. Functions have no members at all, so that there is
 * no way from a value to what would read text as code, and objects have those alone that are their own.
 */
import { Tensor } from "@tensorflow/tfjs-core";
import { TracedBoolean, TracedNumber, TracedTensor } from "../../src/core/expression/index.ts";

type Key = string | number;
// biome-ignore lint/suspicious/noExplicitAny: values of a script have no type that is known here.
type Anything = any;

const ARRAY = [
  "map",
  "flatMap",
  "flat",
  "keys",
  "fill",
  "slice",
  "concat",
  "filter",
  "reduce",
  "every",
  "some",
  "includes",
  "push",
];
const TENSOR = ["dataSync", "arraySync", "shape", "dtype", "rank", "size"];
const NUMBER = [
  ...[
    "add",
    "sub",
    "mul",
    "div",
    "mod",
    "min",
    "max",
    "neg",
    "abs",
    "sqrt",
    "exp",
    "log",
    "tanh",
    "floor",
    "sigmoid",
    "square",
  ],
  ...["less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual"],
];
const TRUTH = ["and", "or", "not", "select"];
/** A score of heed is an object with these two. */
const SCORE = ["score", "prepare"];

/** What may be read of a value beyond its own members. */
function offered(value: object): readonly string[] {
  if (Array.isArray(value)) return ARRAY;
  if (value instanceof Tensor) return TENSOR;
  if (value instanceof TracedNumber) return NUMBER;
  if (value instanceof TracedBoolean) return TRUTH;
  if (value instanceof TracedTensor) return ["at", "shape"];
  return SCORE.every((name) => name in value && typeof (value as Anything)[name] === "function") ? SCORE : [];
}

/** Functions that have members after all: the few that were given some. */
const STATICS = new WeakMap<object, Readonly<Record<string, unknown>>>();

/** A function with members of its own, as `Array.from`. */
export function withMembers<F extends object>(f: F, members: Readonly<Record<string, unknown>>): F {
  STATICS.set(f, members);
  return f;
}

const isClosed = (value: object) =>
  [Tensor, TracedNumber, TracedBoolean, TracedTensor].some((one) => value instanceof one);

/**
 * A member of a value; methods keep the value that they are of.
 *
 * @throws TypeError for a member that is not offered
 */
export function memberOf(value: unknown, key: Key): unknown {
  if (value === undefined || value === null) throw new TypeError(`${value} has no .${key}`);
  if (typeof value === "string" && key === "length") return value.length;
  if (typeof value === "function") {
    const members = STATICS.get(value);
    if (members && Object.hasOwn(members, key)) return members[key];
  }
  if (typeof value === "object") return isPlain(value) ? ofPlain(value, key) : ofOther(value, key);
  throw new TypeError(`.${key} is not offered here`);
}

/** What a plain object has not is undefined, as in JavaScript; captured tensors refuse it themselves. */
function ofPlain(value: Record<string, unknown>, key: Key): unknown {
  if (Object.hasOwn(value, key) || !(key in value)) return value[key];
  throw new TypeError(`.${key} is not offered here`);
}

function ofOther(value: object, key: Key): unknown {
  const isOwn = !isClosed(value) && Object.hasOwn(value, key);
  const isElement = ArrayBuffer.isView(value) && (typeof key === "number" || key === "length");
  if (isOwn || isElement) return (value as Anything)[key];
  const names = offered(value);
  if (names.includes(String(key))) {
    const member = (value as Anything)[key];
    return typeof member === "function" ? member.bind(value) : member;
  }
  // An index beyond a list.
  if (Array.isArray(value) && typeof key === "number") return undefined;
  const others = names.length > 0 ? `; there are ${names.join(", ")}` : "";
  throw new TypeError(`.${key} is not offered here${others}`);
}

export const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);

/** Whether a value stands for one that is not computed yet. */
export const isTraced = (value: unknown): boolean =>
  value instanceof TracedNumber || value instanceof TracedBoolean || value instanceof TracedTensor;
