import { expect, it, test } from "vitest";
import { areaUnderCurve } from "../../../src/tasks/feature/selection.ts";
import { featureStatements } from "../../../src/tasks/feature/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

const quick = featureStatements.filter((one) => one.quick);

it.each(quick.map((one) => [one.name, one] as const))("%s keeps its bars", async (_, { bars, run }) => {
  const heard: number[] = [];
  const figures = await run((share) => heard.push(share));
  for (const bar of bars)
    expect(keeps(figures[bar.figure], bar), `${bar.figure} ${figures[bar.figure]}`).toBe(true);
  // Without the gate the task is not learnt, so it is the gate that learns it.
  expect(figures.ungatedAccuracy).toBeLessThan(0.8);
  expect(heard.at(-1)).toBe(1);
});

test("the bars are those of the plan", () => {
  const barsOf = (row: number) => featureStatements.find((one) => one.row === row)!.bars;
  expect(barsOf(14)).toEqual([
    { figure: "worstMse", atMost: 1e-3 },
    { figure: "share", atMost: 1 / 4 },
  ]);
  expect(barsOf(27)).toEqual([{ figure: "auc", atLeast: 0.99 }]);
  expect(barsOf(29)).toEqual([
    { figure: "accuracy", atLeast: 0.95 },
    { figure: "relevantGate", atLeast: 0.8 },
    { figure: "irrelevantGate", atMost: 0.2 },
  ]);
  expect(barsOf(31)).toEqual([
    { figure: "gate", atMost: 10 },
    { figure: "attention", atLeast: 40 },
  ]);
  expect(barsOf(37)[0]).toEqual({ figure: "ratio", atLeast: 2 });
  expect(barsOf(38)[0]).toEqual({ figure: "ratio", atLeast: 2 });
});

test("the area under the curve is the share of pairs in order", () => {
  expect(areaUnderCurve([0.9, 0.8], [0.1, 0.2])).toBe(1);
  expect(areaUnderCurve([0.9, 0.15], [0.1, 0.2])).toBe(0.75);
  expect(areaUnderCurve([0.5], [0.5])).toBe(0.5);
});
