import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import { glimpseStatements } from "../../../src/tasks/glimpse/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

const QUICK = glimpseStatements.filter(({ quick }) => quick).map((one) => [one.name, one] as const);

test.each(QUICK)("%s keeps its bars", async (_, { run, bars }) => {
  await useHeedBackend();
  const before = tf.memory().numTensors;
  const figures = await run(() => undefined);
  for (const bar of bars)
    expect(keeps(figures[bar.figure], bar), JSON.stringify({ bar, figures })).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
});
