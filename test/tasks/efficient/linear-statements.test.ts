import { describe, expect, test } from "vitest";
import { efficientLinearStatements } from "../../../src/tasks/efficient/linear/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

describe("linear and approximate attention", () => {
  for (const { name, statement, bars, run } of efficientLinearStatements.filter(({ quick }) => quick)) {
    test(`${name}: ${statement}`, async () => {
      const heard: number[] = [];
      const figures = await run((share) => heard.push(share));
      expect(heard.at(-1)).toBe(1);
      for (const bar of bars) {
        expect(keeps(figures[bar.figure], bar), `${bar.figure}: ${figures[bar.figure]}`).toBe(true);
      }
    });
  }
});
