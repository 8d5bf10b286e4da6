/**
 * Expressions as WGSL, the language of WebGPU's shaders.
 *
 *     toWgsl(expression, names)      one WGSL expression, f32 or bool
 *     toWgslBody(roots, names)       statements that name what is shared, and one expression for each root:
 *                                    a score beside its derivatives, which share most of their parts
 *
 * `names` say how the shader calls an element's variables, all of them f32, and the storage buffers of captured
 * tensors, each `array<f32>`, row-major (bool tensors as 0 and 1), or how one of their numbers is read. Shapes become constants of the text. Indices are
 * rounded down and clamped as everywhere. WGSL has no literal for ∞: `names.infinity` is what stands for it, such as a
 * private variable that holds the bits 0x7f800000; by default the largest float.
 *
 * A kernel takes `program.modification` = { nodes, score, mask, tensors } and asks for `score` and
 * `derivative(nodes, score, nodes.variable("score"))` in one body; a score of −∞ stays hidden, and what `mask` hides
 * becomes −∞ by selection. `planBlock(nodes, { mask, score })` says which blocks to visit, by an `Evaluator`.
 */
import { type Expression, stridesOf } from "./expression.ts";
import { inOrder, type Node } from "./nodes.ts";

export interface WgslNames {
  readonly score: string;
  readonly b: string;
  readonly h: string;
  readonly q: string;
  readonly k: string;
  /** The buffer of each captured tensor, or the text that reads one of its numbers at a place. */
  readonly tensors: Readonly<Record<string, string | ((place: string) => string)>>;
  /** Text for +∞. @default "3.4028234663852886e38" */
  readonly infinity?: string;
}

const SIGNS: Partial<Record<Node["op"], string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  less: "<",
  lessEqual: "<=",
  equal: "==",
  and: "&&",
  or: "||",
};

const LARGEST = "3.4028234663852886e38";

/** A number as WGSL writes it. */
export function literal(value: number, infinity = LARGEST): string {
  if (value === Number.POSITIVE_INFINITY) return infinity;
  if (value === Number.NEGATIVE_INFINITY) return `(-${infinity})`;
  const text = String(Math.fround(value));
  const number = /[.e]/.test(text) ? text : `${text}.0`;
  return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? "-0.0" : number})` : number;
}

/** An index rounded down and clamped to an axis of length n. */
export const clamped = (index: string, n: number): string =>
  `u32(clamp(floor(${index}), 0.0, ${literal(n - 1)}))`;

/** Where a gather reads. */
function place(shape: readonly number[], indices: readonly string[]): string {
  const strides = stridesOf(shape);
  const terms = indices.map((index, axis) => `${clamped(index, shape[axis]!)} * ${strides[axis]!}u`);
  return terms.length > 0 ? terms.join(" + ") : "0u";
}

/** The number that a gather reads. */
export function gatherText(
  { name }: Pick<Node, "name">,
  indices: readonly string[],
  { tensors }: Pick<Expression, "tensors">,
  names: Pick<WgslNames, "tensors">,
): string {
  const buffer = names.tensors[name]!;
  const at = place(tensors[name]!.shape, indices);
  return typeof buffer === "string" ? `${buffer}[${at}]` : buffer(at);
}

function textOf(
  node: Node,
  args: readonly string[],
  expression: Pick<Expression, "tensors">,
  names: WgslNames,
): string {
  const { infinity = LARGEST } = names;
  const [a, b, c] = args as [string, string, string];
  if (node.op === "constant") {
    return node.kind === "boolean" ? String(node.value !== 0) : literal(node.value, infinity);
  }
  if (node.op === "variable") return names[node.name as "score" | "b" | "h" | "q" | "k"];
  if (node.op === "gather") return gatherText(node, args, expression, names);
  if (node.op === "select") return `select(${c}, ${b}, ${a})`;
  if (node.op === "not") return `(!${a})`;
  if (node.op === "neg") return `(-${a})`;
  // tanh of large numbers is NaN where a driver makes it of eˣ.
  if (node.op === "tanh") return `tanh(clamp(${a}, -15.0, 15.0))`;
  if (node.op === "mod") return `(${a} - ${b} * floor(${a} / ${b}))`;
  const sign = SIGNS[node.op];
  return sign ? `(${a} ${sign} ${b})` : `${node.op}(${args.join(", ")})`;
}

/**
 * An expression as one WGSL expression.
 *
 * @example
 * const expression = traceScoreMod("attention", (score, { q, k }) => score.add(k.sub(q).mul(0.5)), {});
 * const names = { score: "s", b: "b", h: "h", q: "q", k: "k", tensors: {} };
 * toWgsl(expression, names); // "(s + ((k - q) * 0.5))"
 */
export function toWgsl(expression: Expression, names: WgslNames): string {
  const texts = new Map<Node, string>();
  for (const node of inOrder([expression.root])) {
    const args = node.args.map((arg) => texts.get(arg)!);
    texts.set(node, textOf(node, args, expression, names));
  }
  return texts.get(expression.root)!;
}

/** Parts that are read twice or more as `let` statements, each named `prefix` and a number, and a text for each root. */
export function toWgslBody(
  roots: readonly Node[],
  expression: Pick<Expression, "tensors">,
  names: WgslNames,
  prefix = "x",
): { statements: string[]; results: string[] } {
  const order = inOrder(roots);
  const uses = new Map<Node, number>();
  for (const node of [...order.flatMap(({ args }) => args), ...roots]) {
    uses.set(node, (uses.get(node) ?? 0) + 1);
  }
  // `mod` writes its arguments twice.
  for (const { op, args } of order) if (op === "mod") for (const arg of args) uses.set(arg, 2);
  const statements: string[] = [];
  const texts = new Map<Node, string>();
  for (const node of order) {
    const args = node.args.map((arg) => texts.get(arg)!);
    const text = textOf(node, args, expression, names);
    const isLeaf = node.op === "constant" || node.op === "variable";
    if (isLeaf || uses.get(node)! < 2) {
      texts.set(node, text);
      continue;
    }
    const name = `${prefix}${statements.length}`;
    statements.push(`let ${name} = ${text};`);
    texts.set(node, name);
  }
  return { statements, results: roots.map((root) => texts.get(root)!) };
}
