import { expect, test } from "vitest";
import { sparseStatements } from "../../../src/tasks/efficient/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

for (const { name, bars, run } of sparseStatements.filter(({ quick }) => quick)) {
  test(`${name} keeps its bars`, { timeout: 60_000 }, async () => {
    const figures = await run(() => undefined);
    for (const bar of bars) expect(keeps(figures[bar.figure], bar), JSON.stringify(figures)).toBe(true);
  });
}
