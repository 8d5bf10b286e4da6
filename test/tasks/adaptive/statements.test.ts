import { expect, test } from "vitest";
import { adaptiveStatements } from "../../../src/tasks/adaptive/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

test.each(adaptiveStatements.filter(({ quick }) => quick))(
  "$name keeps its bars: $statement",
  async ({ run, bars }) => {
    const figures = await run(() => undefined);
    for (const bar of bars)
      expect(keeps(figures[bar.figure], bar), JSON.stringify({ bar, figures })).toBe(true);
  },
);
