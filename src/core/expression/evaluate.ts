/** Expressions in float64, one element at a time: the oracle of every compiled form. */
import type { HostArray } from "../notation.ts";
import { stridesOf } from "./expression.ts";
import {
  BINARY_VALUES,
  inOrder,
  isBinary,
  isUnary,
  type Node,
  UNARY_VALUES,
  type Variable,
} from "./nodes.ts";

/** The variables of an element. */
export type Element = Partial<Record<Variable, number>>;

/** The index that a gather reads along an axis of length n: rounded down and clamped; NaN is 0. */
function clampIndex(x: number, n: number): number {
  return x >= n ? n - 1 : x > 0 ? Math.floor(x) : 0;
}

/** The last index of a box: as `clampIndex`, but NaN, which bounds nothing, is the last of the axis. */
function clampLast(x: number, n: number): number {
  return x < n - 1 ? clampIndex(x, n) : n - 1;
}

type Step = (values: Float64Array, element: Element) => number;

/**
 * Some expressions of one builder, to be computed together for one element after another.
 */
export class Evaluator {
  readonly #steps: Step[];
  readonly #values: Float64Array;
  readonly #places: Map<Node, number>;
  readonly #results: Float64Array;
  readonly #roots: readonly Node[];

  constructor(roots: readonly Node[], tensors: Readonly<Record<string, HostArray>>) {
    const order = inOrder(roots);
    this.#places = new Map(order.map((node, n) => [node, n]));
    this.#steps = order.map((node) => this.#step(node, tensors));
    this.#values = new Float64Array(order.length);
    this.#results = new Float64Array(roots.length);
    this.#roots = roots;
  }

  /** The value of each root; truths are 0 and 1. The array is the same at every call. */
  run(element: Element): Float64Array {
    for (let n = 0; n < this.#steps.length; n++) this.#values[n] = this.#steps[n]!(this.#values, element);
    for (let n = 0; n < this.#roots.length; n++) {
      this.#results[n] = this.#values[this.#places.get(this.#roots[n]!)!]!;
    }
    return this.#results;
  }

  /** Where the gather read, at the last run, as an index into its tensor's values. */
  placeOf({ name, args }: Node, tensors: Readonly<Record<string, HostArray>>): number {
    const { shape } = tensors[name]!;
    const strides = stridesOf(shape);
    let at = 0;
    for (const [axis, arg] of args.entries()) {
      at += strides[axis]! * clampIndex(this.#values[this.#places.get(arg)!]!, shape[axis]!);
    }
    return at;
  }

  #step(node: Node, tensors: Readonly<Record<string, HostArray>>): Step {
    const { op, value, name } = node;
    const [a, b, c] = node.args.map((arg) => this.#places.get(arg)!) as [number, number, number];
    if (op === "constant") return () => value;
    if (op === "variable") return (_, element) => element[name as Variable]!;
    if (op === "not") return (values) => Number(values[a] === 0);
    if (op === "select") return (values) => values[values[a] !== 0 ? b : c]!;
    if (op === "gather") return () => tensors[name]!.values[this.placeOf(node, tensors)]!;
    if (op === "gatherMin" || op === "gatherMax") return () => this.#extreme(node, tensors[name]!);
    if (isUnary(op)) {
      const f = UNARY_VALUES[op];
      return (values) => f(values[a]!);
    }
    if (!isBinary(op)) throw new Error(`unknown op ${op}`);
    const f = BINARY_VALUES[op];
    return (values) => f(values[a]!, values[b]!);
  }

  /** The extreme of a tensor over a box of indices, whose corners the arguments are in turn. */
  #extreme({ op, args }: Node, { shape, values }: HostArray): number {
    const strides = stridesOf(shape);
    const value = (n: number) => this.#values[this.#places.get(args[n]!)!]!;
    const better = op === "gatherMin" ? Math.min : Math.max;
    const visit = (axis: number, at: number): number => {
      if (axis === shape.length) return values[at]!;
      let most = op === "gatherMin" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
      const end = clampLast(value(2 * axis + 1), shape[axis]!);
      for (let i = clampIndex(value(2 * axis), shape[axis]!); i <= end; i++) {
        most = better(most, visit(axis + 1, at + i * strides[axis]!));
      }
      return most;
    };
    return visit(0, 0);
  }
}
