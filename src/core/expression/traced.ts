/**
 * The values that `scoreMod` and `maskMod` compute with: they stand for a number or a truth that no path has computed
 * yet, and remember what is done with them. JavaScript cannot overload `+` or `<`, so both are methods; writing the
 * operator is an error that names the place, and so is a comparison that nobody uses, as after `if`.
 */
import { OptionError } from "../errors.ts";
import type { ArrayInfo } from "../notation.ts";
import { show } from "../notation.ts";
import type { Binary, Compare, Node, Nodes, Unary } from "./nodes.ts";
import { placeOf } from "./place.ts";

/** One run of a user's function. */
export class Trace {
  readonly op: string;
  readonly option: string;
  readonly nodes: Nodes;
  /** Truths that were made and that nothing has read, with the places where they were made. */
  readonly unread = new Map<TracedBoolean, Error | undefined>();
  readonly #remembers: boolean;

  /** Remembering where each truth was made takes time; it is for finding the line of an error. */
  constructor(op: string, option: string, nodes: Nodes, remembers: boolean) {
    this.op = op;
    this.option = option;
    this.nodes = nodes;
    this.#remembers = remembers;
  }

  refuse(rule: string, got: unknown, remedy: string, error = new Error()): OptionError<"OPTION"> {
    const { op, option } = this;
    const at = placeOf(error);
    return new OptionError("OPTION", {
      op,
      name: option,
      rule: `${option} ${rule}`,
      got: at ? `${String(got)} at ${at}` : got,
      remedy,
      ...(at && { at }),
    });
  }

  number(node: Node): TracedNumber {
    return new TracedNumber(this, node);
  }

  truth(node: Node): TracedBoolean {
    const made = new TracedBoolean(this, node);
    this.unread.set(made, this.#remembers ? new Error() : undefined);
    return made;
  }

  /** The node of an argument that must be a number. */
  numberOf(x: unknown, what = "an operation"): Node {
    if (x instanceof TracedNumber && x.trace === this) return x.node;
    if (typeof x === "number" && !Number.isNaN(x)) return this.nodes.constant(x);
    throw this.refuse(
      `must give ${what} numbers or traced numbers`,
      shown(x, this),
      "pass a number, an index or a value of a captured tensor",
    );
  }

  /** The node of an argument that must be a truth. */
  truthOf(x: unknown, what = "and, or and select"): Node {
    if (x instanceof TracedBoolean && x.trace === this) {
      this.unread.delete(x);
      return x.node;
    }
    if (typeof x === "boolean") return this.nodes.truth(x);
    throw this.refuse(
      `must give ${what} booleans or traced comparisons`,
      shown(x, this),
      "compare numbers first, as in q.greaterEqual(k)",
    );
  }
}

/** A value as an error shows it. */
export function shown(x: unknown, trace?: Trace): string {
  if (x instanceof TracedNumber || x instanceof TracedBoolean) {
    const kind = x instanceof TracedNumber ? "a traced number" : "a traced boolean";
    return trace && x.trace !== trace ? `${kind} of another call` : kind;
  }
  if (typeof x === "function" || (typeof x === "object" && x !== null))
    return typeof x === "object" ? "an object" : "a function";
  return typeof x === "string" ? JSON.stringify(x) : String(x);
}

abstract class Traced {
  readonly trace: Trace;
  readonly node: Node;

  constructor(trace: Trace, node: Node) {
    this.trace = trace;
    this.node = node;
  }

  /** JavaScript asks for a primitive in `a + b`, `a < b`, `${a}` and `Math.exp(a)`. */
  [Symbol.toPrimitive](): never {
    throw this.trace.refuse(
      "must not use +, -, <, Math or text on a traced value",
      "one of them",
      "write methods: x.add(y), x.less(y), x.exp(), condition.select(a, b)",
    );
  }
}

/** A number of one element: the score, an index, a captured number, or what was made of them. */
export class TracedNumber extends Traced {
  #unary(op: Unary): TracedNumber {
    return this.trace.number(this.trace.nodes.unary(op, this.node));
  }

  #binary(op: Binary, other: unknown): TracedNumber {
    const { trace, node } = this;
    return trace.number(trace.nodes.binary(op, node, trace.numberOf(other, op)));
  }

  #compare(op: Compare, other: unknown, isSwapped = false): TracedBoolean {
    const { trace, node } = this;
    const given = trace.numberOf(other, op);
    return trace.truth(isSwapped ? trace.nodes.binary(op, given, node) : trace.nodes.binary(op, node, given));
  }

  add(y: number | TracedNumber): TracedNumber {
    return this.#binary("add", y);
  }
  sub(y: number | TracedNumber): TracedNumber {
    return this.#binary("sub", y);
  }
  mul(y: number | TracedNumber): TracedNumber {
    return this.#binary("mul", y);
  }
  div(y: number | TracedNumber): TracedNumber {
    return this.#binary("div", y);
  }
  /** x − y·⌊x/y⌋, which has the sign of y. */
  mod(y: number | TracedNumber): TracedNumber {
    return this.#binary("mod", y);
  }
  min(y: number | TracedNumber): TracedNumber {
    return this.#binary("min", y);
  }
  max(y: number | TracedNumber): TracedNumber {
    return this.#binary("max", y);
  }
  neg(): TracedNumber {
    return this.#unary("neg");
  }
  abs(): TracedNumber {
    return this.#unary("abs");
  }
  sqrt(): TracedNumber {
    return this.#unary("sqrt");
  }
  exp(): TracedNumber {
    return this.#unary("exp");
  }
  log(): TracedNumber {
    return this.#unary("log");
  }
  tanh(): TracedNumber {
    return this.#unary("tanh");
  }
  floor(): TracedNumber {
    return this.#unary("floor");
  }
  /** 1/(1 + e⁻ˣ), as (1 + tanh(x/2))/2. */
  sigmoid(): TracedNumber {
    return this.mul(0.5).tanh().mul(0.5).add(0.5);
  }
  square(): TracedNumber {
    return this.mul(this);
  }
  less(y: number | TracedNumber): TracedBoolean {
    return this.#compare("less", y);
  }
  lessEqual(y: number | TracedNumber): TracedBoolean {
    return this.#compare("lessEqual", y);
  }
  greater(y: number | TracedNumber): TracedBoolean {
    return this.#compare("less", y, true);
  }
  greaterEqual(y: number | TracedNumber): TracedBoolean {
    return this.#compare("lessEqual", y, true);
  }
  equal(y: number | TracedNumber): TracedBoolean {
    return this.#compare("equal", y);
  }
  notEqual(y: number | TracedNumber): TracedBoolean {
    return this.equal(y).not();
  }
}

/** A truth of one element: a comparison, or what was made of some. */
export class TracedBoolean extends Traced {
  and(y: boolean | TracedBoolean): TracedBoolean {
    const { trace } = this;
    return trace.truth(trace.nodes.binary("and", trace.truthOf(this), trace.truthOf(y, "and")));
  }
  or(y: boolean | TracedBoolean): TracedBoolean {
    const { trace } = this;
    return trace.truth(trace.nodes.binary("or", trace.truthOf(this), trace.truthOf(y, "or")));
  }
  not(): TracedBoolean {
    return this.trace.truth(this.trace.nodes.not(this.trace.truthOf(this)));
  }
  /** `a` where this is true, else `b`. */
  select(a: number | TracedNumber, b: number | TracedNumber): TracedNumber {
    const { trace } = this;
    const condition = trace.truthOf(this);
    return trace.number(
      trace.nodes.select(condition, trace.numberOf(a, "select"), trace.numberOf(b, "select")),
    );
  }
}

/** A captured tensor: `at` reads one of its numbers. */
export class TracedTensor<V extends TracedNumber | TracedBoolean = TracedNumber> {
  readonly #trace: Trace;
  readonly #name: string;
  readonly shape: readonly number[];
  readonly #isBool: boolean;

  constructor(trace: Trace, name: string, { shape, dtype }: ArrayInfo) {
    this.#trace = trace;
    this.#name = name;
    this.shape = shape;
    this.#isBool = dtype === "bool";
  }

  /**
   * The number (of a bool tensor the truth) at one index per axis. Indices are rounded down and clamped to their axis, so
   * an axis of length 1 is repeated.
   */
  at(...indices: (number | TracedNumber)[]): V {
    const trace = this.#trace;
    if (indices.length !== this.shape.length) {
      throw trace.refuse(
        `must give ${this.#name}.at one index for each axis of ${show(this.shape)}`,
        `${indices.length}`,
        `pass ${this.shape.length}`,
      );
    }
    const gathered = trace.nodes.gather(
      this.#name,
      indices.map((index) => trace.numberOf(index, `${this.#name}.at`)),
    );
    if (!this.#isBool) return trace.number(gathered) as V;
    const isZero = trace.nodes.binary("equal", gathered, trace.nodes.constant(0));
    return trace.truth(trace.nodes.not(isZero)) as V;
  }

  [Symbol.toPrimitive](): never {
    throw this.#trace.refuse(
      "must not use a captured tensor as a number",
      `tensors.${this.#name}`,
      `read one of its numbers: tensors.${this.#name}.at(${this.shape.map(() => "i").join(", ")})`,
    );
  }
}
