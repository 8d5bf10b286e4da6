import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import { glimpseStatements } from "../../../src/tasks/glimpse/statements.ts";
import { keeps } from "../../../src/tasks/statement.ts";

test.each(glimpseStatements.filter(({ quick }) => quick))("$name keeps its bars", async ({ run, bars }) => {
  await useHeedBackend();
  const before = tf.memory().numTensors;
  const figures = await run(() => undefined);
  for (const bar of bars)
    expect(keeps(figures[bar.figure], bar), JSON.stringify({ bar, figures })).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
});
