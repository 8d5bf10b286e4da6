/** Bounds hold: what a block is said to be, each of its elements is. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Evaluator } from "../../../src/core/expression/evaluate.ts";
import { planBlock } from "../../../src/core/expression/intervals.ts";
import { compileModification } from "../../../src/core/expression/modification.ts";
import { BINARY, COMPARE, type Node, Nodes, UNARY } from "../../../src/core/expression/nodes.ts";
import type { HostArray } from "../../../src/core/notation.ts";
import { CLASSICS } from "../../kernels/modification-cases.ts";

interface Block {
  q0: number;
  q1: number;
  k0: number;
  k1: number;
}

const B = 1;
const H = 2;

/** What is wrong with a plan of a block, by looking at each element of it. */
function wrongIn(
  nodes: Nodes,
  { mask, score, tensors }: { mask?: Node; score?: Node; tensors: Record<string, HostArray> },
  { q0, q1, k0, k1 }: Block,
): string[] {
  const plan = planBlock(nodes, { ...(mask && { mask }), ...(score && { score }) });
  const truths = new Evaluator([plan.visible, plan.full, plan.unchanged], tensors);
  const elements = new Evaluator([...(mask ? [mask] : []), ...(score ? [score] : [])], tensors);
  const wrong: string[] = [];
  for (let h = 0; h < H; h++) {
    const [visible, full, unchanged] = Array.from(truths.run({ b: 0, h, q0, q1, k0, k1 }));
    for (let q = q0; q <= q1; q++) {
      for (let k = k0; k <= k1; k++) {
        for (const given of [-3, 0.5, 40]) {
          const values = elements.run({ score: given, b: 0, h, q, k });
          const allowed = mask ? values[0] !== 0 : true;
          const value = score ? values[mask ? 1 : 0]! : given;
          if (!visible && allowed && value !== -Infinity) wrong.push(`${q},${k} is visible`);
          if (full && !allowed) wrong.push(`${q},${k} is hidden`);
          if (unchanged && !Object.is(value, given)) wrong.push(`${q},${k} is changed`);
        }
      }
    }
  }
  return wrong;
}

const blocks = fc
  .tuple(fc.nat(30), fc.nat(9), fc.nat(30), fc.nat(9))
  .map(([q0, rows, k0, columns]): Block => ({ q0, q1: q0 + rows, k0, k1: k0 + columns }));

describe("Plans of the classics hold for each element", () => {
  it.each(Object.keys(CLASSICS))("%s", (name) => {
    const shapes = { B, H, Hkv: H, T: 40, S: 40, D: 1, Dv: 1 };
    const { nodes, score, mask, tensors } = compileModification<HostArray>("test", CLASSICS[name]!(shapes))!;
    const given = { ...(mask && { mask }), ...(score && { score }), tensors };
    fc.assert(
      fc.property(blocks, (block) => {
        expect(wrongIn(nodes, given, block)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});

/** A number of any shape, from a list of choices. */
function anyNumber(nodes: Nodes, choices: Iterator<number>, depth: number): Node {
  const next = (n: number) => (choices.next().value ?? 0) % n;
  if (depth === 0 || next(5) === 0) {
    const leaf = next(6);
    if (leaf < 4) return nodes.variable((["score", "q", "k", "h"] as const)[leaf]!);
    return leaf === 4
      ? nodes.constant([-Infinity, -2, 0, 0.5, 3, 7][next(6)]!)
      : gather(nodes, choices, depth);
  }
  const sub = () => anyNumber(nodes, choices, depth - 1);
  const kind = next(4);
  if (kind === 0) return nodes.unary(UNARY[next(UNARY.length)]!, sub());
  if (kind === 1) return nodes.select(nodes.binary(COMPARE[next(3)]!, sub(), sub()), sub(), sub());
  return nodes.binary(BINARY[next(BINARY.length)]!, sub(), sub());
}

const gather = (nodes: Nodes, choices: Iterator<number>, depth: number) =>
  nodes.gather("t", [
    depth === 0 ? nodes.variable("q") : anyNumber(nodes, choices, depth - 1),
    nodes.variable("k"),
  ]);

it("plans of any expression hold for each element", () => {
  const t = {
    shape: [5, 13],
    dtype: "float32",
    values: Array.from({ length: 65 }, (_, n) => ((n * 7) % 11) - 4),
  };
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 8, maxLength: 60 }), blocks, (list, block) => {
      const nodes = new Nodes();
      const choices = list[Symbol.iterator]();
      const next = (n: number) => (choices.next().value ?? 0) % n;
      const compared = () =>
        nodes.binary(COMPARE[next(3)]!, anyNumber(nodes, choices, 3), anyNumber(nodes, choices, 2));
      const mask = nodes.binary(next(2) ? "and" : "or", compared(), nodes.not(compared()));
      const score = anyNumber(nodes, choices, 3);
      expect(wrongIn(nodes, { mask, score, tensors: { t } }, block)).toEqual([]);
    }),
    { numRuns: 1500 },
  );
});

it("a document mask skips other documents and is whole within one, without being told", () => {
  const document = { shape: [1, 24], dtype: "int32", values: Array.from({ length: 24 }, (_, n) => n >> 3) };
  const { nodes, mask, tensors } = compileModification<HostArray>("test", {
    maskMod: ({ b, q, k }, t) => t.document!.at(b, q).equal(t.document!.at(b, k)),
    tensors: { document },
  })!;
  const { visible, full } = planBlock(nodes, { mask: mask! });
  const evaluator = new Evaluator([visible, full], tensors);
  const of = (q0: number, q1: number, k0: number, k1: number) =>
    Array.from(evaluator.run({ b: 0, q0, q1, k0, k1 }));
  expect([of(0, 7, 8, 15), of(0, 7, 0, 7), of(0, 9, 0, 7), of(8, 15, 9, 12)]).toEqual([
    [0, 0],
    [1, 1],
    [1, 0],
    [1, 1],
  ]);
});
