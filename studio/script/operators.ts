/** The operators of a script, on ordinary numbers; on a traced value each leads to the method that is meant. */
import { TracedBoolean } from "../../src/core/expression/index.ts";
import { isTraced } from "./members.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of a script have no type that is known here.
type Operand = any;

const BINARY: Readonly<Record<string, (a: Operand, b: Operand) => unknown>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "**": (a, b) => a ** b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "===": (a, b) => a === b,
  "!==": (a, b) => a !== b,
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "<<": (a, b) => a << b,
  ">>": (a, b) => a >> b,
  ">>>": (a, b) => a >>> b,
};

const UNARY: Readonly<Record<string, (a: Operand) => unknown>> = {
  "-": (a) => -a,
  "+": (a) => +a,
  "!": (a) => !a,
};

/** The method that stands for an operator on traced values. */
const METHODS: Readonly<Record<string, string>> = {
  "+": "x.add(y)",
  "-": "x.sub(y)",
  "*": "x.mul(y)",
  "/": "x.div(y)",
  "%": "x.mod(y)",
  "<": "x.less(y)",
  "<=": "x.lessEqual(y)",
  ">": "x.greater(y)",
  ">=": "x.greaterEqual(y)",
  "===": "x.equal(y)",
  "!==": "x.notEqual(y)",
  "!": "x.not()",
};

const isOperand = (x: unknown) =>
  ["number", "boolean", "string", "undefined"].includes(typeof x) || x === null;

/** @throws TypeError for a traced value, and for what is no number */
export function binary(operator: string, a: unknown, b: unknown): unknown {
  if (isTraced(a) || isTraced(b)) throw onTraced(operator);
  const f = BINARY[operator];
  if (!f) throw new TypeError(`${operator} is not offered here`);
  // Comparing objects is harmless; anything else would ask them for a primitive.
  if (!(isOperand(a) && isOperand(b)) && !/^[!=]==$/.test(operator))
    throw new TypeError(`${operator} needs numbers; tensors have functions, as tf.add(a, b)`);
  return f(a, b);
}

/** @throws TypeError for a traced value, and for what is no number */
export function unary(operator: string, a: unknown): unknown {
  if (isTraced(a)) throw onTraced(operator === "-" ? "unary -" : operator);
  const f = UNARY[operator];
  if (!f) throw new TypeError(`${operator} is not offered here`);
  if (!isOperand(a) && operator !== "!") throw new TypeError(`${operator} needs a number`);
  return f(a);
}

/** @throws TypeError for a traced value, of which nobody knows yet whether it is true */
export function truthOf(value: unknown, operator: string): boolean {
  if (!isTraced(value)) return Boolean(value);
  const remedy =
    operator === "&&" || operator === "||"
      ? `write a.${operator === "&&" ? "and" : "or"}(b)`
      : "write condition.select(a, b)";
  const what = value instanceof TracedBoolean ? "a traced comparison will be" : "a traced value will be";
  throw new TypeError(`${operator} cannot see what ${what}; ${remedy}`);
}

function onTraced(operator: string): TypeError {
  const method = operator === "unary -" ? "x.neg()" : (METHODS[operator] ?? "a method, as x.add(y)");
  return new TypeError(
    `${operator.replace("unary ", "")} cannot be written on a traced value; write ${method}`,
  );
}
