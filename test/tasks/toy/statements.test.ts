import { expect, test } from "vitest";
import { keeps } from "../../../src/tasks/statement.ts";
import { STATEMENTS } from "../../../src/tasks/statements.ts";

test("every statement has a name of its own, <task>/<variant>, a row, and a sentence", () => {
  const names = STATEMENTS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, row, statement } of STATEMENTS) {
    expect(name).toMatch(/^[a-z-]+\/[a-zA-Z-]+$/);
    expect(row).toBeGreaterThan(0);
    expect(statement).toMatch(/\.$/);
  }
});

test("every score is proven on both languages, with the bars of the plan", () => {
  const barsOf = (name: string) => STATEMENTS.find((one) => one.name === name)?.bars;
  const learnt = (exact: number) => [
    { figure: "exact", atLeast: exact },
    { figure: "alignment", atLeast: 0.9 },
  ];
  for (const score of ["additive", "general", "dot", "scaledDot", "concat", "location", "bahdanau"]) {
    const exact = ["general", "dot", "concat"].includes(score) ? 0.99 : 0.95;
    expect(barsOf(`local-swap/${score}`)).toEqual(learnt(exact));
    expect(barsOf(`reversal/${score}`)).toEqual(learnt(0.95));
  }
  for (const variant of ["additive", "bahdanau"]) {
    expect(barsOf(`idiomatic/${variant}`)).toEqual([
      ...learnt(0.95),
      { figure: "aer", atMost: 0.1 },
      { figure: "idiom", atLeast: 0.95 },
    ]);
  }
});

test("a bar is kept at its bound, and never by a figure that is missing or NaN", () => {
  expect(keeps(0.95, { figure: "exact", atLeast: 0.95 })).toBe(true);
  expect(keeps(0.949, { figure: "exact", atLeast: 0.95 })).toBe(false);
  expect(keeps(0.1, { figure: "aer", atMost: 0.1 })).toBe(true);
  expect(keeps(0.101, { figure: "aer", atMost: 0.1 })).toBe(false);
  expect(keeps(Number.NaN, { figure: "aer", atMost: 0.1 })).toBe(false);
  expect(keeps(undefined, { figure: "aer" })).toBe(false);
});
