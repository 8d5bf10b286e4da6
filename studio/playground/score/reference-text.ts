/** What the float64 reference computes, element by element, as a text of JavaScript. */
import { inOrder, type Node } from "../../../src/core/expression/nodes.ts";

const SIGNS: Partial<Record<Node["op"], string>> = {
  ...{ add: "+", sub: "-", mul: "*", div: "/" },
  ...{ less: "<", lessEqual: "<=", equal: "===", and: "&&", or: "||" },
};

const literal = ({ kind, value }: Node): string => {
  if (kind === "boolean") return String(value !== 0);
  const text = Number.isFinite(value) ? String(value) : value > 0 ? "Infinity" : "-Infinity";
  return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? "-0" : text})` : text;
};

function textOf(node: Node, args: readonly string[]): string {
  const [a, b, c] = args as [string, string, string];
  if (node.op === "constant") return literal(node);
  if (node.op === "variable") return node.name;
  if (node.op === "gather") return `at(tensors.${node.name}, [${args.join(", ")}])`;
  if (node.op === "select") return `(${a} ? ${b} : ${c})`;
  if (node.op === "not") return `!${a}`;
  if (node.op === "neg") return `(-${a})`;
  if (node.op === "mod") return `(${a} - ${b} * Math.floor(${a} / ${b}))`;
  const sign = SIGNS[node.op];
  return sign ? `(${a} ${sign} ${b})` : `Math.${node.op}(${args.join(", ")})`;
}

/** `name(score, { b, h, q, k }, tensors)`: what is used twice has a name. */
function functionText(name: string, root: Node): string {
  const order = inOrder([root]);
  const uses = new Map<Node, number>();
  for (const { op, args } of order)
    for (const arg of args) uses.set(arg, (uses.get(arg) ?? 0) + (op === "mod" ? 2 : 1));
  const texts = new Map<Node, string>();
  const lines: string[] = [];
  for (const node of order) {
    const text = textOf(
      node,
      node.args.map((arg) => texts.get(arg)!),
    );
    const isNamed = node.args.length > 0 && (uses.get(node) ?? 0) > 1;
    texts.set(node, isNamed ? `x${lines.length}` : text);
    if (isNamed) lines.push(`  const x${lines.length} = ${text};`);
  }
  const result = texts
    .get(root)!
    .replace(/^\((.*)\)$/s, (whole, inner: string) => (isWhole(inner) ? inner : whole));
  return [`function ${name}(score, { b, h, q, k }, tensors) {`, ...lines, `  return ${result};`, "}"].join(
    "\n",
  );
}

/** Whether the brackets of a text are closed in it, so that those around it were one pair. */
function isWhole(text: string): boolean {
  let depth = 0;
  for (const letter of text) {
    if (letter === "(") depth++;
    if (letter === ")" && --depth < 0) return false;
  }
  return depth === 0;
}

const AT = `// An index is rounded down and clamped to its axis; NaN is 0.
function at({ shape, values }, indices) {
  let place = 0;
  for (const [axis, x] of indices.entries()) {
    const n = shape[axis];
    place = place * n + (x >= n ? n - 1 : x > 0 ? Math.floor(x) : 0);
  }
  return values[place];
}`;

/** The functions of a modification, one below the other. */
export function referenceText(functions: readonly (readonly [name: string, root: Node])[]): string {
  const texts = functions.map(([name, root]) => functionText(name, root));
  return [...texts, ...(texts.some((text) => text.includes("at(tensors")) ? [AT] : [])].join("\n\n");
}
