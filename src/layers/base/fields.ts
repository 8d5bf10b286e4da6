import type { serialization } from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import {
  type Constraint,
  type Initializer,
  type ObjectConfig,
  type Regularizer,
  restore,
  save,
} from "./objects.ts";

type Saved = serialization.ConfigDictValue;

/** What may be given, and what it means. */
export interface Kind<Given, Value> {
  /** Completes "must be". */
  readonly rule: string;
  /** Undefined where the rule is broken. */
  read(given: Given): Value | undefined;
  write(value: Value): Saved;
}

/** One field of a layer's configuration. */
export interface Field<Given, Value> {
  readonly required: boolean;
  read(op: string, name: string, given: Given | null | undefined): Value;
  /** Undefined where it is not to be saved. */
  write(value: Value): Saved | undefined;
}

export type Fields = Readonly<Record<string, Field<unknown, unknown>>>;

type GivenOf<F> = F extends { read(op: string, name: string, given: infer G): unknown } ? G : never;
type ValueOf<F> = F extends { read(op: string, name: string, given: never): infer V } ? V : never;
export type RequiredKeys<F extends Fields> = {
  [K in keyof F]: F[K]["required"] extends true ? K : never;
}[keyof F];

/** What a layer's constructor takes: what is required, and whatever else. */
export type FieldArgs<F extends Fields> = { [K in RequiredKeys<F>]: NonNullable<GivenOf<F[K]>> } & {
  [K in Exclude<keyof F, RequiredKeys<F>>]?: GivenOf<F[K]>;
};

/** What a layer works with: every field, checked. */
export type FieldValues<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

function refuse(op: string, name: string, rule: string, got: unknown, remedy: string): never {
  const isLiteral = typeof got === "object" || typeof got === "string";
  const text = got === undefined || got === null ? "nothing" : isLiteral ? JSON.stringify(got) : String(got);
  throw new OptionError("OPTION", { op, rule: `${name} must be ${rule}`, got: text, remedy, name });
}

function read<G, V>(kind: Kind<G, V>, op: string, name: string, given: G, remedy: string): V {
  return kind.read(given) ?? refuse(op, name, kind.rule, given, remedy);
}

/** A field without a default. */
export function required<G, V>(kind: Kind<G, V>): Field<G, V> & { readonly required: true } {
  return {
    required: true,
    read: (op, name, given) => read(kind, op, name, given as G, "a layer needs one"),
    write: (value) => kind.write(value),
  };
}

/** A field that means `value` when it is left out or null. */
export function byDefault<G, V>(kind: Kind<G, V>, value: G): Field<G, V> & { readonly required: false } {
  const remedy = `leave it out for ${JSON.stringify(value)}`;
  return {
    required: false,
    read: (op, name, given) => read(kind, op, name, given ?? value, remedy),
    write: (value) => kind.write(value),
  };
}

/** A field that may be left out, or null, which Keras writes for it. */
export function optional<G, V>(kind: Kind<G, V>): Field<G, V | undefined> & { readonly required: false } {
  return {
    required: false,
    read: (op, name, given) =>
      given === null || given === undefined ? undefined : read(kind, op, name, given, "or leave it out"),
    write: (value) => (value === undefined ? null : kind.write(value)),
  };
}

/** A field that Keras does not have: it is saved only where it says something, so that Keras loads the others. */
export function ours<F extends Field<never, unknown>>(field: F): F {
  const unset = JSON.stringify(field.read("", "", undefined));
  const write = (value: never) => (JSON.stringify(value) === unset ? undefined : field.write(value));
  return { ...field, write };
}

/**
 * A field that cannot be written down, such as a function: a layer that has one works, and refuses to be saved.
 *
 * The field it makes throws OptionError OPTION where `holds` is false, and UNSUPPORTED when the layer is saved.
 */
export function unsaved<V>(
  rule: string,
  holds: (given: unknown) => boolean,
): Field<V, V | undefined> & { readonly required: false } {
  return {
    required: false,
    read: (op, name, given) => {
      if (given === null || given === undefined) return undefined;
      return holds(given) ? given : refuse(op, name, rule, typeof given, "or leave it out");
    },
    write: (value) => {
      if (value === undefined) return undefined;
      throw new OptionError("UNSUPPORTED", {
        op: "getConfig",
        rule: `a layer is saved as JSON, which cannot hold ${rule}`,
        got: "a layer with one",
        remedy: "save its weights, and make the layer anew with the function",
      });
    },
  };
}

/** true or false. */
export function flag(): Kind<boolean, boolean> {
  return plain("true or false", (given) => typeof given === "boolean");
}

/** An integer from `least`, to `most` if there is one. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Kind<number, number> {
  const end = most === Number.MAX_SAFE_INTEGER ? `≥ ${least}` : `from ${least} to ${most}`;
  return plain(
    `an integer ${end}`,
    (given) => Number.isSafeInteger(given) && (given as number) >= least && (given as number) <= most,
  );
}

/** A number for which `holds` is true; `rule` says so in words. */
export function number(rule: string, holds: (given: number) => boolean): Kind<number, number> {
  return plain(rule, (given) => typeof given === "number" && holds(given));
}

/** A finite number above 0. */
export function positive(): Kind<number, number> {
  return number("a number above 0", (given) => given > 0 && given < Infinity);
}

/** A finite number from 0. */
export function nonNegative(): Kind<number, number> {
  return number("a number ≥ 0", (given) => given >= 0 && given < Infinity);
}

/** A size that has a middle. */
export function odd(): Kind<number, number> {
  return number("an odd integer ≥ 1", (given) => Number.isSafeInteger(given) && given > 0 && given % 2 === 1);
}

/** A size that has halves. */
export function even(): Kind<number, number> {
  return number(
    "an even integer ≥ 2",
    (given) => Number.isSafeInteger(given) && given > 0 && given % 2 === 0,
  );
}

/** A share to drop, 0 ≤ rate < 1. */
export function rate(): Kind<number, number> {
  return number("at least 0 and below 1", (given) => given >= 0 && given < 1);
}

/** A seed for initial weights and dropout: equal seeds, equal numbers, on every backend. */
export function seed(): Field<number, number | undefined> & { readonly required: false } {
  return optional(integer(0));
}

/** One of these words. */
export function choice<const C extends string>(...choices: readonly C[]): Kind<C, C> {
  const quoted = choices.map((word) => `"${word}"`);
  return plain(quoted.join(" or "), (given) => choices.includes(given as C));
}

/** A list of integers, or one of them alone. */
export function integers(
  least = Number.MIN_SAFE_INTEGER,
): Kind<number | readonly number[], readonly number[]> {
  return {
    rule: least === Number.MIN_SAFE_INTEGER ? "an integer or a list of them" : `integers ≥ ${least}`,
    read: (given) => {
      const list = typeof given === "number" ? [given] : given;
      const fits =
        Array.isArray(list) && list.length > 0 && list.every((n) => Number.isSafeInteger(n) && n >= least);
      return fits ? [...list] : undefined;
    },
    write: (value) => (value.length === 1 ? value[0]! : [...value]),
  };
}

/** The name of an initialiser, one made by `tf.initializers`, or a saved one. */
export function initializer(): Kind<string | Initializer | ObjectConfig, Initializer> {
  return object('an initializer: a name such as "glorotUniform", or one made by tf.initializers');
}

export function regularizer(): Kind<string | Regularizer | ObjectConfig, Regularizer> {
  return object('a regularizer: "l1", "l2", "l1l2", or one made by tf.regularizers');
}

export function constraint(): Kind<string | Constraint | ObjectConfig, Constraint> {
  return object('a constraint: a name such as "nonNeg", or one made by tf.constraints');
}

/**
 * The three fields of one kind of weight, as Keras names them: `kernelInitializer`, `kernelRegularizer` and
 * `kernelConstraint` for "kernel".
 */
export function weightFields<K extends string>(kind: K, init: string) {
  return {
    [`${kind}Initializer`]: byDefault(initializer(), init),
    [`${kind}Regularizer`]: optional(regularizer()),
    [`${kind}Constraint`]: optional(constraint()),
  } as Record<
    `${K}Initializer`,
    Field<string | Initializer | ObjectConfig, Initializer> & { required: false }
  > &
    Record<
      `${K}Regularizer`,
      Field<string | Regularizer | ObjectConfig, Regularizer | undefined> & { required: false }
    > &
    Record<
      `${K}Constraint`,
      Field<string | Constraint | ObjectConfig, Constraint | undefined> & { required: false }
    >;
}

/** Values that are saved as they are. */
function plain<V extends Saved>(rule: string, holds: (given: unknown) => boolean): Kind<V, V> {
  return { rule, read: (given) => (holds(given) ? given : undefined), write: (value) => value };
}

function object<T extends serialization.Serializable>(rule: string): Kind<string | T | ObjectConfig, T> {
  return { rule, read: (given) => restore<T>(given), write: save };
}
