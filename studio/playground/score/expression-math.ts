/** Traced expressions as formulas, in the notation of math/parse.ts. */
import type { Node } from "../../../src/core/expression/nodes.ts";

/** Longer formulas are no help to anyone. */
const LONGEST = 1500;

/** How tightly a formula holds together; what is looser than its place asks for is put in brackets. */
const [CHOICE, LOGIC, COMPARE, SUM, PRODUCT, ATOM] = [0, 1, 2, 3, 4, 5] as const;

interface Written {
  readonly text: string;
  readonly binds: number;
}

const SIGNS: Readonly<Record<string, readonly [sign: string, binds: number]>> = {
  add: ["+", SUM],
  sub: ["−", SUM],
  mul: ["·", PRODUCT],
  less: ["<", COMPARE],
  lessEqual: ["≤", COMPARE],
  equal: ["=", COMPARE],
  and: ["∧", LOGIC],
  or: ["∨", LOGIC],
};

const within = ({ text, binds }: Written, least: number) => (binds < least ? `(${text})` : text);
/** A name of two letters would be read as two. */
const name = (text: string) => (/^([A-Za-z]|[A-Za-z]{3,})$/.test(text) ? text : `"${text}"`);

function constant({ kind, value }: Node): Written {
  if (kind === "boolean") return { text: value ? '"true"' : '"false"', binds: ATOM };
  if (!Number.isFinite(value)) return { text: value > 0 ? "∞" : "−∞", binds: value > 0 ? ATOM : SUM };
  const [digits, exponent] = String(Number(Math.abs(value).toPrecision(5))).split("e");
  const size =
    exponent === undefined ? digits! : `${digits} · 10^{${exponent.replace("-", "−").replace("+", "")}}`;
  return value < 0 ? { text: `−${size}`, binds: SUM } : { text: size, binds: exponent ? PRODUCT : ATOM };
}

function unary(op: Node["op"], x: Written): Written | undefined {
  const texts: Partial<Record<Node["op"], string>> = {
    abs: `|${x.text}|`,
    sqrt: `\\sqrt{${x.text}}`,
    exp: `e^{${x.text}}`,
    log: `ln(${x.text})`,
    tanh: `tanh(${x.text})`,
    floor: `⌊${x.text}⌋`,
  };
  if (op === "neg") return { text: `−${within(x, PRODUCT)}`, binds: SUM };
  if (op === "not") return { text: `¬${within(x, ATOM)}`, binds: LOGIC };
  const text = texts[op];
  return text === undefined ? undefined : { text, binds: ATOM };
}

function written(node: Node, known: Map<Node, Written>): Written {
  const before = known.get(node);
  if (before) return before;
  const args = node.args.map((arg) => written(arg, known));
  const made = compose(node, args);
  known.set(node, made);
  return made;
}

function compose(node: Node, args: readonly Written[]): Written {
  const [a, b, c] = args as [Written, Written, Written];
  const { op } = node;
  if (op === "constant") return constant(node);
  if (op === "variable") return { text: name(node.name), binds: ATOM };
  if (op === "gather")
    return {
      text:
        args.length === 0
          ? name(node.name)
          : `${name(node.name)}_{${args.map(({ text }) => text).join(", ")}}`,
      binds: ATOM,
    };
  if (op === "select")
    return {
      text: `${within(a, LOGIC)} ~"then"~ ${within(b, SUM)} ~"else"~ ${within(c, SUM)}`,
      binds: CHOICE,
    };
  if (op === "div") return { text: `\\frac{${a.text}}{${b.text}}`, binds: ATOM };
  if (op === "mod") return { text: `${within(a, PRODUCT)} "mod" ${within(b, ATOM)}`, binds: PRODUCT };
  if (op === "min" || op === "max") return { text: `${op}(${a.text}, ${b.text})`, binds: ATOM };
  const one = args.length === 1 ? unary(op, a) : undefined;
  if (one) return one;
  const [sign, binds] = SIGNS[op]!;
  // What follows a minus must not begin with a sum, nor what a comparison compares be one.
  const right = op === "sub" || op === "mul" || binds === COMPARE ? binds + 1 : binds;
  return { text: `${within(a, binds === COMPARE ? SUM : binds)} ${sign} ${within(b, right)}`, binds };
}

/** A formula's right side; where it is too long for one, how long it is. */
export function mathOf(root: Node): string {
  const { text } = written(root, new Map());
  return text.length <= LONGEST ? text : `"a formula of ${text.length} signs"`;
}
