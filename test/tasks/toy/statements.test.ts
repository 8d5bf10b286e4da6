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
  for (const language of ["local-swap", "reversal"]) {
    for (const score of ["additive", "general", "dot", "scaledDot", "concat", "location", "bahdanau"]) {
      const found = STATEMENTS.find(({ name }) => name === `${language}/${score}`);
      expect(found?.bars).toEqual([
        { figure: "exact", atLeast: 0.95 },
        { figure: "alignment", atLeast: 0.9 },
      ]);
    }
  }
  const idiomatic = STATEMENTS.find(({ name }) => name === "idiomatic/general");
  expect(idiomatic?.bars).toContainEqual({ figure: "aer", atMost: 0.1 });
  expect(idiomatic?.bars).toContainEqual({ figure: "idiom", atLeast: 0.95 });
});

test("a bar is kept at its bound, and never by a figure that is missing or NaN", () => {
  expect(keeps(0.95, { figure: "exact", atLeast: 0.95 })).toBe(true);
  expect(keeps(0.949, { figure: "exact", atLeast: 0.95 })).toBe(false);
  expect(keeps(0.1, { figure: "aer", atMost: 0.1 })).toBe(true);
  expect(keeps(0.101, { figure: "aer", atMost: 0.1 })).toBe(false);
  expect(keeps(Number.NaN, { figure: "aer", atMost: 0.1 })).toBe(false);
  expect(keeps(undefined, { figure: "aer" })).toBe(false);
});
