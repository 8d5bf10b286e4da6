import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { type Atoms, assignAtoms } from "../../../src/tasks/atom-mapping/assign.ts";

const atoms = (elements: number[], bonds: [number, number][]): Atoms => ({
  elements,
  neighbours: elements.map((_, at) => bonds.flatMap(([a, b]) => (a === at ? [b] : b === at ? [a] : []))),
});

test("a case by hand: elements must agree, the surest goes first, and its neighbour follows against the weights", () => {
  // C–C–O of the products; C–C–O and a lone C among the reactants.
  const products = atoms(
    [6, 6, 8],
    [
      [0, 1],
      [1, 2],
    ],
  );
  const reactants = atoms(
    [6, 6, 8, 6],
    [
      [0, 1],
      [1, 2],
    ],
  );
  const attention = [
    [0.3, 0.3, 9, 0.4],
    [0.2, 0.1, 9, 0.7],
    [9, 9, 0.5, 9],
  ];
  // The oxygen first, its only partner: 1. Then its neighbour, product 1, prefers reactant 1 by the multiplier:
  // 10·0.1 / (0.2 + 10·0.1 + 0.7); then product 0, beside it, reactant 0: 10·0.3 / (10·0.3 + 0.4).
  const { origins, confidences, weights } = assignAtoms(attention, products, reactants, 10);
  expect(origins).toEqual([0, 1, 2]);
  expect(confidences[2]).toBe(1);
  expect(confidences[1]).toBeCloseTo(1 / 1.9, 12);
  expect(confidences[0]).toBeCloseTo(3 / 3.4, 12);
  expect(weights[2]).toEqual([0, 0, 1, 0]);
  expect(weights[1]!.map((weight) => Number(weight.toFixed(12)))).toEqual([0.2, 0.1, 0, 0.7]);
  // Without the multiplier the lone atom is taken.
  expect(assignAtoms(attention, products, reactants, 1).origins).toEqual([0, 3, 2]);
});

test("each reactant atom is taken once, and what is left over has none and does not count", () => {
  const reactants = atoms([6, 8, 7], []);
  const { origins, confidences, weights } = assignAtoms(
    [
      [0.9, 0, 0],
      [0.2, 0, 0],
      [0, 0, 0.1],
      [1, 1, 1],
      [0, 1e-30, 0],
    ],
    atoms([6, 6, 7, 16, 8], []),
    reactants,
    90,
  );
  expect(origins).toEqual([0, -1, 2, -1, 1]);
  expect(confidences).toEqual([1, 1, 1, 1, 1]);
  expect(weights[3]).toEqual([0, 0, 0]);
});

/** The formula, without looking at how it is computed: every sum anew, in plain loops. */
function plain(attention: number[][], products: Atoms, reactants: Atoms, multiplier: number) {
  const factor = new Map<string, number>();
  const origins = products.elements.map(() => -1);
  let confidence = 1;
  const weight = (p: number, r: number) =>
    origins[p] !== -1 || origins.includes(r) || products.elements[p] !== reactants.elements[r]
      ? 0
      : attention[p]![r]! * (factor.get(`${p} ${r}`) ?? 1);
  for (const _ of origins) {
    let best = { p: -1, r: -1, share: 1e-8 };
    for (const p of origins.keys()) {
      const row = reactants.elements.map((_, r) => weight(p, r));
      const sum = row.reduce((a, b) => a + b, 0);
      for (const [r, w] of row.entries())
        if (sum > 0 && w / sum > best.share) best = { p, r, share: w / sum };
    }
    if (best.p < 0) break;
    for (const n of products.neighbours[best.p]!)
      for (const m of reactants.neighbours[best.r]!)
        factor.set(`${n} ${m}`, (factor.get(`${n} ${m}`) ?? 1) * multiplier);
    origins[best.p] = best.r;
    confidence *= best.share;
  }
  return { origins, confidence };
}

test("it equals the formula in plain loops on random graphs, with more atoms on either side", () => {
  const random = new RandomStream(5);
  for (const [P, R] of [
    [7, 13],
    [13, 7],
    [11, 11],
  ] as const) {
    const side = (n: number) =>
      atoms(
        Array.from({ length: n }, () => [6, 7, 8][random.integer(3)]!),
        Array.from({ length: n - 1 }, (_, at) => [random.integer(at + 1), at + 1] as [number, number]),
      );
    const [products, reactants] = [side(P), side(R)];
    const attention = Array.from({ length: P }, () => Array.from({ length: R }, () => random.uniform()));
    const expected = plain(attention, products, reactants, 90);
    const { origins, confidences } = assignAtoms(attention, products, reactants, 90);
    expect(origins).toEqual(expected.origins);
    expect(confidences.reduce((a, b) => a * b, 1)).toBeCloseTo(expected.confidence, 12);
  }
});

test("a side without atoms is refused", () => {
  expect(() => assignAtoms([], atoms([], []), atoms([6], []), 90)).toThrow(
    "assignAtoms: both sides must have atoms, got 0 of products and 1 of reactants; write both sides",
  );
});
