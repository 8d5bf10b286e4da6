/**
 * A call of heed that is both made and written: the page evaluates the very tree that "Copy as code" prints, so what is copied
 * cannot differ from what is shown.
 */
export type Expression =
  | number
  | string
  | boolean
  | Call
  | Name
  | Lambda
  | readonly Expression[]
  | { readonly [key: string]: Expression | undefined };

/** A function of the table, by the name that a program writes: `attend`, `tf.tensor3d`. */
export class Call {
  readonly name: string;
  readonly args: readonly Expression[];

  constructor(name: string, args: readonly Expression[]) {
    this.name = name;
    this.args = args;
  }
}

/** A constant of the program, or the parameter of a function in it. */
export class Name {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `(parameter) => body` */
export class Lambda {
  readonly parameter: string;
  readonly body: Expression;

  constructor(parameter: string, body: Expression) {
    this.parameter = parameter;
    this.body = body;
  }
}

export const call = (name: string, ...args: Expression[]): Call => new Call(name, args);
export const named = (text: string): Name => new Name(text);

/** Constants, then one call, whose answer is `result`. */
export interface Program {
  readonly constants: readonly (readonly [name: string, value: Expression])[];
  readonly result: Call;
  /** What is shown of the result, by its path: `{ weights: "trace.weights" }`. */
  readonly shows: Readonly<Record<string, string>>;
}

/** What a program may call, by name. */
export type Functions = Readonly<Record<string, unknown>>;

/** @throws what the functions throw · Error for a name that is none */
export function evaluate(expression: Expression | undefined, scope: Functions): unknown {
  if (expression instanceof Name) return lookUp(expression.text, scope);
  if (expression instanceof Call) {
    const f = lookUp(expression.name, scope) as (...args: unknown[]) => unknown;
    return f(...expression.args.map((arg) => evaluate(arg, scope)));
  }
  if (expression instanceof Lambda) {
    const { parameter, body } = expression;
    return (x: unknown) => evaluate(body, { ...scope, [parameter]: x });
  }
  if (Array.isArray(expression)) return expression.map((item) => evaluate(item, scope));
  if (typeof expression === "object" && expression !== null)
    return Object.fromEntries(
      Object.entries(expression)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [key, evaluate(value, scope)]),
    );
  return expression;
}

function lookUp(name: string, scope: Functions): unknown {
  if (!Object.hasOwn(scope, name)) throw new Error(`call: ${name} is not in the table of functions`);
  return scope[name];
}

/** Evaluates the constants in their order and the result last. */
export function run({ constants, result }: Program, functions: Functions): unknown {
  let scope = functions;
  for (const [name, value] of constants) scope = { ...scope, [name]: evaluate(value, scope) };
  return evaluate(result, scope);
}

/** What a path leads to: `at({ a: { b: 1 } }, "a.b")` is 1. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], value);
}
