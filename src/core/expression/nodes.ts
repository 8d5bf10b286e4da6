/**
 * Expressions over one score of attention: what a traced `scoreMod` or `maskMod` is made of. Nodes are values, equal
 * ones are one object, and building simplifies: constants are computed, x + 0 and x · 1 are x.
 *
 *     numbers   score b h q k · constants · tensors[name][i, j, …] · + − · / mod min max − |x| √ eˣ ln tanh ⌊x⌋ · select
 *     booleans  < ≤ = · and or not · true false
 *
 * `q` and `k` are the numbers of the query's and the key's row. An index is rounded down and clamped to its axis, so an
 * axis of length 1 is repeated; NaN is index 0. `mod` has the sign of its divisor, as in TensorFlow.js: a − b·⌊a/b⌋.
 */
export type Kind = "number" | "boolean";

export const UNARY = ["neg", "abs", "sqrt", "exp", "log", "tanh", "floor"] as const;
export const BINARY = ["add", "sub", "mul", "div", "mod", "min", "max"] as const;
export const COMPARE = ["less", "lessEqual", "equal"] as const;
export const LOGIC = ["and", "or"] as const;
export type Unary = (typeof UNARY)[number];
export type Binary = (typeof BINARY)[number];
export type Compare = (typeof COMPARE)[number];
export type Logic = (typeof LOGIC)[number];

/** What an expression may read of an element. The last four are of bounds: the first and last row of a block. */
export type Variable = "score" | "b" | "h" | "q" | "k" | "q0" | "q1" | "k0" | "k1";

/** `gatherMin` and `gatherMax` take the least and largest index of each axis in turn: the extremes over that box. */
export type Op =
  | ("constant" | "variable" | "gather" | "gatherMin" | "gatherMax" | "select" | "not")
  | (Unary | Binary | Compare | Logic);

export interface Node {
  readonly id: number;
  readonly op: Op;
  readonly kind: Kind;
  readonly args: readonly Node[];
  /** Of a constant; true is 1. */
  readonly value: number;
  /** Of a variable or a gathered tensor. */
  readonly name: string;
}

/** Functions of numbers, on whichever path. */
export const UNARY_VALUES: Record<Unary, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  floor: Math.floor,
};

export const BINARY_VALUES: Record<Binary | Compare | Logic, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a - b * Math.floor(a / b),
  min: Math.min,
  max: Math.max,
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
};

const isIn = <T extends string>(list: readonly T[], op: string): op is T => list.includes(op as T);
export const isUnary = (op: Op): op is Unary => isIn(UNARY, op);
export const isBinary = (op: Op): op is Binary | Compare | Logic => op in BINARY_VALUES;
const isNumeric = (op: Op) => !(isIn(COMPARE, op) || isIn(LOGIC, op) || op === "not");

/** Makes nodes, each only once. */
export class Nodes {
  readonly #made = new Map<string, Node>();

  #make(op: Op, kind: Kind, args: readonly Node[], value = 0, name = ""): Node {
    const number = Object.is(value, -0) ? "-0" : value;
    const key = `${op} ${kind} ${number} ${name} ${args.map(({ id }) => id).join(" ")}`;
    let node = this.#made.get(key);
    if (!node) {
      node = { id: this.#made.size, op, kind, args, value, name };
      this.#made.set(key, node);
    }
    return node;
  }

  constant(value: number): Node {
    return this.#make("constant", "number", [], value);
  }

  truth(value: boolean): Node {
    return this.#make("constant", "boolean", [], Number(value));
  }

  variable(name: Variable): Node {
    return this.#make("variable", "number", [], 0, name);
  }

  gather(name: string, indices: readonly Node[], op: "gather" | "gatherMin" | "gatherMax" = "gather"): Node {
    return this.#make(op, "number", indices, 0, name);
  }

  unary(op: Unary, x: Node): Node {
    if (x.op === "constant") return this.constant(UNARY_VALUES[op](x.value));
    return this.#make(op, "number", [x]);
  }

  binary(op: Binary | Compare | Logic, a: Node, b: Node): Node {
    if (a.op === "constant" && b.op === "constant") {
      const value = BINARY_VALUES[op](a.value, b.value);
      return isNumeric(op) ? this.constant(value) : this.truth(value !== 0);
    }
    return simpler(this, op, a, b) ?? this.#make(op, isNumeric(op) ? "number" : "boolean", [a, b]);
  }

  not(a: Node): Node {
    if (a.op === "constant") return this.truth(a.value === 0);
    return a.op === "not" ? a.args[0]! : this.#make("not", "boolean", [a]);
  }

  select(condition: Node, a: Node, b: Node): Node {
    if (condition.op === "constant") return condition.value ? a : b;
    return a === b ? a : this.#make("select", a.kind, [condition, a, b]);
  }
}

const isConstant = (node: Node, value: number) => node.op === "constant" && Object.is(node.value, value);

/** A node that is the same number whatever the others are, NaN and infinities too. (x · 0 is not 0 where x is NaN.) */
function simpler(nodes: Nodes, op: Op, a: Node, b: Node): Node | undefined {
  const none = (x: Node) => x.op === "constant" && x.value === 0;
  if (op === "add") return none(a) ? b : none(b) ? a : undefined;
  if (op === "sub") return none(b) ? a : none(a) ? nodes.unary("neg", b) : undefined;
  if (op === "mul") return isConstant(a, 1) ? b : isConstant(b, 1) ? a : undefined;
  if (op === "div") return isConstant(b, 1) ? a : undefined;
  if (op === "and" || op === "or") {
    if (a === b) return a;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (one.op === "constant") return (one.value !== 0) === (op === "and") ? other : one;
    }
  }
  return undefined;
}

/** What the roots are made of, arguments before what is made of them. */
export function inOrder(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  const visit = (node: Node) => {
    if (seen.has(node)) return;
    for (const arg of node.args) visit(arg);
    seen.add(node);
  };
  for (const root of roots) visit(root);
  // A set keeps the order in which a node was added, which is after its arguments.
  return [...seen];
}
