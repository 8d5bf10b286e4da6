import { expect, test } from "vitest";
import { adaptiveStatements } from "../../../src/tasks/adaptive/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

const quick = adaptiveStatements.filter((one) => one.quick).map((one) => [one.name, one] as const);

test.each(quick)("%s keeps its bars", async (_, { run, bars }) => {
  const figures = await run(() => undefined);
  for (const bar of bars)
    expect(keeps(figures[bar.figure], bar), JSON.stringify({ bar, figures })).toBe(true);
});
