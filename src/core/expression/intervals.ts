/**
 * What an expression can be over a block of queries and keys, by interval arithmetic: the least and largest number, and
 * for a truth whether it can hold and whether it must. Bounds are expressions themselves, over b, h and the block's
 * first and last rows q0, q1, k0, k1, so every path computes them as it computes anything else.
 *
 * They hold for float32 too: each step is monotone, and rounding is, so a rounded bound bounds what is rounded. (eˣ, ln
 * and tanh are not monotone to the last bit on every path; their bounds are widened by more than their errors.) A bound
 * that is not known is infinite, or NaN where infinities met: comparisons are written so that NaN decides nothing.
 */
import { inOrder, type Node, type Nodes } from "./nodes.ts";

export interface NumberBounds {
  readonly low: Node;
  readonly high: Node;
}

export interface TruthBounds {
  /** Whether it can be true somewhere in the block. */
  readonly can: Node;
  /** Whether it is true everywhere. */
  readonly must: Node;
}

/** What a block needs, as truths. */
export interface BlockPlan {
  /** Some score of the block may count. */
  readonly visible: Node;
  /** The mask hides nothing. */
  readonly full: Node;
  /** Scores stay what they are. */
  readonly unchanged: Node;
}

/** More than the errors of eˣ, ln and tanh in float32, relatively. */
const SLACK = 4e-6;

export class Bounds {
  readonly #nodes: Nodes;
  readonly #numbers = new Map<Node, NumberBounds>();
  readonly #truths = new Map<Node, TruthBounds>();

  constructor(nodes: Nodes, roots: readonly Node[]) {
    this.#nodes = nodes;
    for (const node of inOrder(roots)) {
      if (node.kind === "boolean") this.#truths.set(node, this.#truth(node));
      else this.#numbers.set(node, this.#number(node));
    }
  }

  number(node: Node): NumberBounds {
    return this.#numbers.get(node)!;
  }

  truth(node: Node): TruthBounds {
    return this.#truths.get(node)!;
  }

  /** Whether a number is the score itself throughout the block. */
  isScore(node: Node): Node {
    const nodes = this.#nodes;
    if (node.op === "variable" && node.name === "score") return nodes.truth(true);
    if (node.op !== "select") return nodes.truth(false);
    const [condition, a, b] = node.args as [Node, Node, Node];
    const { can, must } = this.truth(condition);
    const first = nodes.binary("and", must, this.isScore(a));
    return nodes.binary("or", first, nodes.binary("and", nodes.not(can), this.isScore(b)));
  }

  #truth({ op, args, value }: Node): TruthBounds {
    const nodes = this.#nodes;
    const and = (a: Node, b: Node) => nodes.binary("and", a, b);
    if (op === "constant") return { can: nodes.truth(value !== 0), must: nodes.truth(value !== 0) };
    if (op === "not") {
      const { can, must } = this.truth(args[0]!);
      return { can: nodes.not(must), must: nodes.not(can) };
    }
    if (op === "and" || op === "or") {
      const [a, b] = [this.truth(args[0]!), this.truth(args[1]!)];
      return { can: nodes.binary(op, a.can, b.can), must: nodes.binary(op, a.must, b.must) };
    }
    const [a, b] = [this.number(args[0]!), this.number(args[1]!)];
    const less = (x: Node, y: Node) => nodes.binary("less", x, y);
    const lessEqual = (x: Node, y: Node) => nodes.binary("lessEqual", x, y);
    // What compares with NaN is false, so that only numbers must be.
    const must = (holds: Node) => and(and(this.#isNumber(a), this.#isNumber(b)), holds);
    if (op === "less") return { can: nodes.not(lessEqual(b.high, a.low)), must: must(less(a.high, b.low)) };
    if (op === "lessEqual") {
      return { can: nodes.not(less(b.high, a.low)), must: must(lessEqual(a.high, b.low)) };
    }
    return {
      can: and(nodes.not(less(a.high, b.low)), nodes.not(less(b.high, a.low))),
      must: must(and(lessEqual(a.high, b.low), lessEqual(b.high, a.low))),
    };
  }

  /** Whether no element of the block can be NaN: constants are none, and neither is what lies between finite bounds. */
  #isNumber({ low, high }: NumberBounds): Node {
    const nodes = this.#nodes;
    if (low.op === "constant" && low === high) return nodes.truth(!Number.isNaN(low.value));
    const isAbove = nodes.binary("less", nodes.constant(Number.NEGATIVE_INFINITY), low);
    return nodes.binary("and", isAbove, nodes.binary("less", high, nodes.constant(Number.POSITIVE_INFINITY)));
  }

  #number(node: Node): NumberBounds {
    const { op, name, args } = node;
    const nodes = this.#nodes;
    const constants = (low: number, high: number) => ({
      low: nodes.constant(low),
      high: nodes.constant(high),
    });
    if (op === "constant") return { low: node, high: node };
    if (op === "variable") {
      if (name === "q") return { low: nodes.variable("q0"), high: nodes.variable("q1") };
      if (name === "k") return { low: nodes.variable("k0"), high: nodes.variable("k1") };
      if (name === "score") return constants(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      return { low: node, high: node };
    }
    if (op === "gather") {
      const box = args.flatMap((arg) => [this.number(arg).low, this.number(arg).high]);
      if (args.every((arg) => this.number(arg).low === this.number(arg).high))
        return { low: node, high: node };
      return { low: nodes.gather(name, box, "gatherMin"), high: nodes.gather(name, box, "gatherMax") };
    }
    if (op === "select") return this.#select(node);
    return args.length === 1 ? this.#unary(node) : this.#binary(node);
  }

  #select({ args }: Node): NumberBounds {
    const nodes = this.#nodes;
    const { can, must } = this.truth(args[0]!);
    const [a, b] = [this.number(args[1]!), this.number(args[2]!)];
    const choose = (one: Node, other: Node, both: Node) =>
      nodes.select(must, one, nodes.select(nodes.not(can), other, both));
    return {
      low: choose(a.low, b.low, nodes.binary("min", a.low, b.low)),
      high: choose(a.high, b.high, nodes.binary("max", a.high, b.high)),
    };
  }

  #unary({ op, args }: Node): NumberBounds {
    const nodes = this.#nodes;
    const { low, high } = this.number(args[0]!);
    const zero = nodes.constant(0);
    const both = (f: (x: Node) => Node) => ({ low: f(low), high: f(high) });
    const wider = (f: (x: Node) => Node) => {
      const slack = (x: Node) =>
        nodes.binary(
          "add",
          nodes.binary("mul", nodes.unary("abs", x), nodes.constant(SLACK)),
          nodes.constant(1e-37),
        );
      const [from, to] = [f(low), f(high)];
      return { low: nodes.binary("sub", from, slack(from)), high: nodes.binary("add", to, slack(to)) };
    };
    if (op === "neg") return { low: nodes.unary("neg", high), high: nodes.unary("neg", low) };
    if (op === "floor") return both((x) => nodes.unary("floor", x));
    if (op === "sqrt" || op === "log") {
      // Below 0 they are NaN, which no bound holds.
      const known = wider((x) => nodes.unary(op, x));
      const isNegative = nodes.binary("less", low, zero);
      const unknown = nodes.constant(Number.NaN);
      return {
        low: nodes.select(isNegative, unknown, known.low),
        high: nodes.select(isNegative, unknown, known.high),
      };
    }
    if (op === "exp" || op === "tanh") return wider((x) => nodes.unary(op, x));
    const least = nodes.binary("max", nodes.binary("max", low, nodes.unary("neg", high)), zero);
    return { low: least, high: nodes.binary("max", nodes.unary("neg", low), high) };
  }

  #binary({ op, args }: Node): NumberBounds {
    const nodes = this.#nodes;
    const [a, b] = [this.number(args[0]!), this.number(args[1]!)];
    const f = (x: Node, y: Node) => nodes.binary(op as "add", x, y);
    if (op === "add" || op === "min" || op === "max")
      return { low: f(a.low, b.low), high: f(a.high, b.high) };
    if (op === "sub") return { low: f(a.low, b.high), high: f(a.high, b.low) };
    if (op === "mod") return this.#mod(a, b);
    const corners = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
    const all = (pick: "min" | "max") => corners.reduce((x, y) => nodes.binary(pick, x, y));
    if (op === "mul") return { low: all("min"), high: all("max") };
    const known = (x: Node) => nodes.select(this.#excludesZero(b), x, nodes.constant(Number.NaN));
    return { low: known(all("min")), high: known(all("max")) };
  }

  #excludesZero({ low, high }: NumberBounds): Node {
    const nodes = this.#nodes;
    const zero = nodes.constant(0);
    return nodes.binary("or", nodes.binary("less", zero, low), nodes.binary("less", high, zero));
  }

  /** Within one period a remainder grows with its number; across periods it may be anything below a positive divisor. */
  #mod(a: NumberBounds, b: NumberBounds): NumberBounds {
    const nodes = this.#nodes;
    const zero = nodes.constant(0);
    const period = (x: Node) => nodes.unary("floor", nodes.binary("div", x, b.low));
    const isOne = nodes.binary(
      "and",
      nodes.binary("and", nodes.binary("equal", b.low, b.high), nodes.binary("less", zero, b.low)),
      nodes.binary("equal", period(a.low), period(a.high)),
    );
    const rest = (x: Node) => nodes.binary("mod", x, b.low);
    const isKnown = nodes.binary(
      "and",
      this.#excludesZero(b),
      nodes.binary("and", this.#isNumber(a), this.#isNumber(b)),
    );
    const ifKnown = (x: Node) => nodes.select(isKnown, x, nodes.constant(Number.NaN));
    return {
      low: nodes.select(isOne, rest(a.low), ifKnown(nodes.binary("min", zero, b.low))),
      high: nodes.select(isOne, rest(a.high), ifKnown(nodes.binary("max", zero, b.high))),
    };
  }
}

/** What a block of queries q0 … q1 and keys k0 … k1 needs. Without a `mask` all is visible, without a `score` unchanged. */
export function planBlock(nodes: Nodes, { mask, score }: { mask?: Node; score?: Node }): BlockPlan {
  const bounds = new Bounds(nodes, [...(mask ? [mask] : []), ...(score ? [score] : [])]);
  const yes = nodes.truth(true);
  const { can, must } = mask ? bounds.truth(mask) : { can: yes, must: yes };
  const hidden =
    score && nodes.binary("lessEqual", bounds.number(score).high, nodes.constant(Number.NEGATIVE_INFINITY));
  return {
    visible: hidden ? nodes.binary("and", can, nodes.not(hidden)) : can,
    full: must,
    unchanged: score ? bounds.isScore(score) : yes,
  };
}
