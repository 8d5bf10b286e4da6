import { expect, test } from "vitest";
import { discreteStatements } from "../../../src/tasks/discrete/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

test.each(discreteStatements.filter(({ quick }) => quick))(
  "$name keeps its bars: $statement",
  async ({ run, bars }) => {
    const figures = await run(() => undefined);
    for (const bar of bars)
      expect(keeps(figures[bar.figure], bar), JSON.stringify({ bar, figures })).toBe(true);
  },
);
