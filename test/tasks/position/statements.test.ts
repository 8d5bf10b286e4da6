import { expect, test } from "vitest";
import { positionStatements } from "../../../src/tasks/position/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

for (const { name, bars, run } of positionStatements.filter(({ quick }) => quick)) {
  test(`${name} keeps its bars`, { timeout: 60_000 }, async () => {
    const figures = await run(() => undefined);
    for (const bar of bars) expect(keeps(figures[bar.figure], bar), JSON.stringify(figures)).toBe(true);
  });
}
