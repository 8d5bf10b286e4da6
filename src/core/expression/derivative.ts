/** The derivatives of expressions, as expressions. */
import { inOrder, type Node, type Nodes } from "./nodes.ts";

/**
 * ∂root/∂leaf, where the leaf is a variable or a gather. Forward through the expression, so that what a `select` does not
 * choose cannot matter, were its derivative infinite. Where min, max, |x| have a corner the derivative is that of their
 * first argument (0 for |x|); ⌊x⌋ and indices have none. A gather under another's index is not that leaf.
 */
export function derivative(nodes: Nodes, root: Node, leaf: Node): Node {
  const zero = nodes.constant(0);
  const isZero = (x: Node) => x === zero;
  const times = (a: Node, b: Node) => (isZero(a) || isZero(b) ? zero : nodes.binary("mul", a, b));
  const plus = (a: Node, b: Node) => nodes.binary("add", a, b);
  const minus = (a: Node, b: Node) => nodes.binary("sub", a, b);
  const over = (a: Node, b: Node) => (isZero(a) ? zero : nodes.binary("div", a, b));
  const done = new Map<Node, Node>();

  const ofUnary = (node: Node, dx: Node): Node => {
    const x = node.args[0]!;
    if (isZero(dx) || node.op === "floor") return zero;
    if (node.op === "neg") return nodes.unary("neg", dx);
    if (node.op === "exp") return times(node, dx);
    if (node.op === "log") return over(dx, x);
    if (node.op === "sqrt") return over(times(nodes.constant(0.5), dx), node);
    if (node.op === "tanh") return times(minus(nodes.constant(1), times(node, node)), dx);
    const below = nodes.binary("less", x, zero);
    const above = nodes.binary("less", zero, x);
    return nodes.select(below, nodes.unary("neg", dx), nodes.select(above, dx, zero));
  };

  const ofBinary = (node: Node, da: Node, db: Node): Node => {
    const [a, b] = node.args as [Node, Node];
    if (isZero(da) && isZero(db)) return zero;
    if (node.op === "add") return plus(da, db);
    if (node.op === "sub") return minus(da, db);
    if (node.op === "mul") return plus(times(da, b), times(a, db));
    if (node.op === "div") return over(minus(da, times(node, db)), b);
    if (node.op === "mod") {
      return minus(da, times(nodes.unary("floor", nodes.binary("div", a, b)), db));
    }
    const [least, most] = node.op === "min" ? [a, b] : [b, a];
    return nodes.select(nodes.binary("lessEqual", least, most), da, db);
  };

  for (const node of inOrder([root])) {
    const { op, args } = node;
    const of = (n: number) => done.get(args[n]!)!;
    if (node === leaf) done.set(node, nodes.constant(1));
    else if (node.kind === "boolean" || op === "constant" || op === "variable" || op === "gather") {
      done.set(node, zero);
    } else if (op === "select") done.set(node, nodes.select(args[0]!, of(1), of(2)));
    else if (args.length === 1) done.set(node, ofUnary(node, of(0)));
    else done.set(node, ofBinary(node, of(0), of(1)));
  }
  return done.get(root)!;
}
