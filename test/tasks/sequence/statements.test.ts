import { describe, expect, test } from "vitest";
import { sequenceStatements } from "../../../src/tasks/sequence/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

describe("what is said of sequence attention", () => {
  test.each(sequenceStatements.filter(({ quick }) => quick).map((one) => [one.name, one] as const))(
    "%s keeps its bars",
    async (_, { bars, run }) => {
      const figures = await run(() => {});
      for (const bar of bars) expect(keeps(figures[bar.figure], bar), JSON.stringify(figures)).toBe(true);
    },
    60_000,
  );

  test("has the bars of the plan", () => {
    expect(sequenceStatements.map(({ name, bars }) => [name, bars])).toEqual([
      ["correspondence/cross-attention", [{ figure: "alignment", atLeast: 0.99 }]],
      ["monotone/local-p", [{ figure: "distance", atMost: 1 }]],
    ]);
  });
});
