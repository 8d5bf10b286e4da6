/**
 * What a tile of scores needs of `scoreMod` and `maskMod`, in WGSL, by the bounds of `core/expression/intervals.ts`: a tile
 * where the mask hides all is left out, one where it hides nothing takes no mask, and one whose scores stay as they are takes
 * no scoreMod.
 *
 *     planOf(b, h, q0, q1, k0, k1)                 0 nothing visible, else SEEN, and MASKED and CHANGED where those are needed
 *     tileTodo(n, e, b, h, i0, j0, di, dj)         that of the n-th tile of a walk; each of 64 threads plans one tile of it
 *
 * A shader's compiler may take it that no number is NaN or infinite, and may join a product and a sum; so a bound counts only
 * where it is known to be the same for all that: whole numbers below 2²⁴ and what is made of them, numbers of tensors as they
 * are, and quotients of whole numbers. A bound that does not count decides nothing, and the tile is looked at element by element.
 */
import { type Expression, stridesOf } from "../../core/expression/expression.ts";
import { Bounds } from "../../core/expression/intervals.ts";
import type { Modification } from "../../core/expression/modification.ts";
import { inOrder, type Node, type Nodes } from "../../core/expression/nodes.ts";
import { clamped, gatherText, literal, type WgslNames } from "../../core/expression/to-wgsl.ts";
import type { ArrayInfo } from "../../core/notation.ts";

/** The most numbers of a tensor that one thread looks through for a tile. */
const MOST = 128;

/** A number as text, whether it counts, as text, and what may be done with it. */
interface Bound {
  readonly text: string;
  readonly counts: string;
  /** Whole numbers may be added and multiplied, others compared. */
  readonly isWhole: boolean;
}

const UNKNOWN: Bound = { text: "0.0", counts: "false", isWhole: false };

/** All of these, as text. */
function all(...texts: readonly string[]): string {
  if (texts.includes("false")) return "false";
  const open = [...new Set(texts)].filter((text) => text !== "true");
  return open.length > 1 ? `(${open.join(" && ")})` : (open[0] ?? "true");
}

const isInfinite = ({ op, value }: Node, sign: 1 | -1) => op === "constant" && value === sign * Infinity;

class PlanText {
  readonly statements: string[] = [];
  readonly #expression: Pick<Expression, "tensors">;
  readonly #names: Pick<WgslNames, "tensors">;
  readonly #numbers = new Map<Node, Bound>();
  readonly #truths = new Map<Node, string>();
  readonly #boxes = new Map<string, string>();

  constructor(
    expression: Pick<Expression, "tensors">,
    names: Pick<WgslNames, "tensors">,
    roots: readonly Node[],
  ) {
    this.#expression = expression;
    this.#names = names;
    for (const node of inOrder(roots)) {
      if (node.kind === "boolean") this.#truths.set(node, this.#named(this.#truth(node)));
      else this.#numbers.set(node, this.#number(node));
    }
  }

  truth(node: Node): string {
    return this.#truths.get(node)!;
  }

  #named(text: string): string {
    if (/^\w+$/.test(text)) return text;
    this.statements.push(`let x${this.statements.length} = ${text};`);
    return `x${this.statements.length - 1}`;
  }

  #truth({ op, args, value }: Node): string {
    const [a, b] = args as [Node, Node];
    if (op === "constant") return String(value !== 0);
    if (op === "not") return `!${this.truth(a)}`;
    if (op === "and") return all(this.truth(a), this.truth(b));
    if (op === "or") return `(${this.truth(a)} || ${this.truth(b)})`;
    if (op === "select") return `select(${this.truth(args[2]!)}, ${this.truth(b)}, ${this.truth(a)})`;
    const [x, y] = [this.#numbers.get(a)!, this.#numbers.get(b)!];
    // Whether a number is finite.
    if (op === "less" && isInfinite(a, -1)) return y.counts;
    if (op === "less" && isInfinite(b, 1)) return x.counts;
    const counts = all(x.counts, y.counts);
    if (counts === "false") return counts;
    const sign = { less: "<", lessEqual: "<=", equal: "==" }[op as "less"];
    return all(counts, `(${x.text} ${sign} ${y.text})`);
  }

  #number(node: Node): Bound {
    const { op, name, value } = node;
    if (op === "constant") {
      const isKnown = Math.abs(value) < 2 ** 24;
      return isKnown ? { text: literal(value), counts: "true", isWhole: Number.isInteger(value) } : UNKNOWN;
    }
    if (op === "variable") {
      return name === "score" ? UNKNOWN : { text: `f32(${name})`, counts: "true", isWhole: true };
    }
    if (op === "gather") return this.#gather(node);
    if (op === "gatherMin" || op === "gatherMax") return this.#extreme(node);
    const args = node.args.filter(({ kind }) => kind === "number").map((arg) => this.#numbers.get(arg)!);
    const [a, b] = args as [Bound, Bound];
    const isWhole = args.every((arg) => arg.isWhole);
    const counts = all(...args.map((arg) => arg.counts));
    if (op === "select") {
      const truth = this.truth(node.args[0]!);
      const both = a.counts === b.counts ? a.counts : `select(${b.counts}, ${a.counts}, ${truth})`;
      if (both === "false") return UNKNOWN;
      const text = this.#named(`select(${b.text}, ${a.text}, ${truth})`);
      return { text, counts: this.#named(both), isWhole };
    }
    if (counts === "false") return UNKNOWN;
    const made = (text: string, whole = isWhole) => ({ text: this.#named(text), counts, isWhole: whole });
    if (op === "neg") return made(`-${a.text}`);
    if (op === "abs") return made(`abs(${a.text})`);
    if (op === "floor") return made(`floor(${a.text})`, true);
    if (op === "min" || op === "max") return made(`${op}(${a.text}, ${b.text})`);
    // What follows must be the same however it is computed.
    if (!isWhole) return UNKNOWN;
    const sign = { add: "+", sub: "-", mul: "*" }[op as "add"];
    if (sign) {
      const text = this.#named(`${a.text} ${sign} ${b.text}`);
      return { text, counts: this.#named(all(counts, `(abs(${text}) < 16777216.0)`)), isWhole };
    }
    if (op !== "div" && op !== "mod") return UNKNOWN;
    const divides = this.#named(all(counts, `(${b.text} != 0.0)`));
    const text =
      op === "div" ? `${a.text} / ${b.text}` : `${a.text} - ${b.text} * floor(${a.text} / ${b.text})`;
    return { text: this.#named(text), counts: divides, isWhole: op === "mod" };
  }

  /** Numbers of tensors of int32 and bool are whole; whether one counts is looked at when it is read. */
  #read(name: string, text: string, counts: string): Bound {
    const isWhole = !this.#expression.tensors[name]!.dtype.startsWith("float");
    return { text, counts, isWhole };
  }

  #gather(node: Node): Bound {
    const args = node.args.map((arg) => this.#numbers.get(arg)!);
    const counts = all(...args.map((arg) => arg.counts));
    if (counts === "false") return UNKNOWN;
    const text = this.#named(
      gatherText(
        node,
        args.map((arg) => arg.text),
        this.#expression,
        this.#names,
      ),
    );
    return this.#read(node.name, text, this.#named(all(counts, `isKnown(${text})`)));
  }

  /** Least and largest over a box, and whether all of it counts, by one function for both. */
  #extreme({ op, name, args }: Node): Bound {
    const { shape } = this.#expression.tensors[name]!;
    const ends = args.map((arg, n) => {
      const { text, counts } = this.#numbers.get(arg)!;
      const length = shape[Math.floor(n / 2)]!;
      const index = clamped(text, length);
      const whole = n % 2 === 0 ? "0u" : `${length - 1}u`;
      return counts === "true" ? index : counts === "false" ? whole : `select(${whole}, ${index}, ${counts})`;
    });
    const call = `${boxName(Object.keys(this.#expression.tensors).indexOf(name))}(${ends.join(", ")})`;
    const box = this.#boxes.get(call) ?? this.#named(call);
    this.#boxes.set(call, box);
    return this.#read(name, `${box}.${op === "gatherMin" ? "x" : "y"}`, this.#named(`(${box}.z != 0.0)`));
  }
}

const boxName = (n: number) => `box${n}`;

/** Least and largest of a tensor over a box of indices, and 1 if there are few enough and all of them count. */
function boxText(n: number, shape: readonly number[], read: (place: string) => string): string {
  const axes = shape.map((_, axis) => axis);
  const strides = stridesOf(shape);
  const loops = axes.map((a) => `for (var i${a} = low${a}; i${a} <= high${a}; i${a}++) {`).join("\n  ");
  const place = axes.map((a) => `i${a} * ${strides[a]}u`).join(" + ") || "0u";
  const isEmpty = axes.map((a) => `high${a} < low${a}`).join(" || ") || "false";
  const count = axes.map((a) => `(high${a} - low${a} + 1u)`).join(" * ") || "1u";
  return `fn ${boxName(n)}(${axes.map((a) => `low${a}: u32, high${a}: u32`).join(", ")}) -> vec3f {
  if (${isEmpty}) { return vec3f(); }
  if (${count} > ${MOST}u) { return vec3f(); }
  var least = LARGEST;
  var most = -LARGEST;
  ${loops}
  let x = ${read(place)};
  if (!isKnown(x)) { return vec3f(); }
  least = min(least, x);
  most = max(most, x);
  ${axes.map(() => "}").join(" ")}
  return vec3f(least, most, 1.0);
}
`;
}

/** Whether all scores of a tile are −∞ by what a select of scoreMod says. */
function hiddenBy(nodes: Nodes, bounds: Bounds, score: Node): Node {
  if (isInfinite(score, -1)) return nodes.truth(true);
  if (score.op !== "select") return nodes.truth(false);
  const [condition, a, b] = score.args as [Node, Node, Node];
  const { can, must } = bounds.truth(condition);
  const [first, second] = [hiddenBy(nodes, bounds, a), hiddenBy(nodes, bounds, b)];
  const or = (x: Node, y: Node) => nodes.binary("or", x, y);
  const and = (x: Node, y: Node) => nodes.binary("and", x, y);
  return or(and(first, second), or(and(must, first), and(nodes.not(can), second)));
}

/** The functions of a shader that walks over tiles. */
export function tilePlanText(
  modification: Modification<ArrayInfo>,
  tensors: Readonly<Record<string, (place: string) => string>>,
): string {
  const { nodes, score, mask } = modification;
  const bounds = new Bounds(nodes, [...(mask ? [mask] : []), ...(score ? [score] : [])]);
  const { can, must } = mask ? bounds.truth(mask) : { can: nodes.truth(true), must: nodes.truth(true) };
  const visible = score ? nodes.binary("and", can, nodes.not(hiddenBy(nodes, bounds, score))) : can;
  const unchanged = score ? bounds.isScore(score) : nodes.truth(true);
  const plan = new PlanText(modification, { tensors }, [visible, must, unchanged]);
  const boxes = Object.entries(modification.tensors).map(([name, { shape }], n) =>
    plan.statements.some((text) => text.includes(`${boxName(n)}(`)) ? boxText(n, shape, tensors[name]!) : "",
  );
  return /* wgsl */ `
fn isKnown(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x4b800000u; }
${boxes.join("")}
fn planOf(b: i32, h: i32, q0: i32, q1: i32, k0: i32, k1: i32) -> u32 {
  ${plan.statements.join("\n  ")}
  if (!${plan.truth(visible)}) { return 0u; }
  return SEEN | select(MASKED, 0u, ${plan.truth(must)}) | select(CHANGED, 0u, ${plan.truth(unchanged)});
}

const SEEN = 1u;
const MASKED = 2u;
const CHANGED = 4u;
var<workgroup> plans: array<u32, 64>;

fn tileTodo(n: i32, e: Example, b: i32, h: i32, i0: i32, j0: i32, di: i32, dj: i32) -> u32 {
  if ((n & 63) == 0) {
    let i = i0 + di * li;
    let j = j0 + dj * li;
    plans[li] = planOf(b, h, i, min(i + 31, e.queryLength - 1), j, min(j + 31, e.keyLength - 1));
  }
  return workgroupUniformLoad(&plans[n & 63]);
}
`;
}
