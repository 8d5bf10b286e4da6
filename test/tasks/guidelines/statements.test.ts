import { expect, test } from "vitest";
import { entropyAtStart } from "../../../src/tasks/guidelines/score-scale.ts";
import { guidelineStatements } from "../../../src/tasks/guidelines/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

for (const { name, run, bars } of guidelineStatements) {
  test(`${name} keeps its bars`, async () => {
    const figures = await run(() => undefined);
    expect(
      bars.filter((bar) => !keeps(figures[bar.figure], bar)),
      JSON.stringify(figures),
    ).toEqual([]);
  });
}

test("the entropy of scores that say nothing is 1, and falls with every doubling of an unscaled width", () => {
  expect(entropyAtStart(8, 0)).toBeCloseTo(1, 12);
  const falling = [8, 16, 32, 64, 128].map((D) => entropyAtStart(D, 1));
  expect(falling).toEqual(falling.toSorted((a, b) => b - a));
});
