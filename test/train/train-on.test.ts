import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import { linearSchedule } from "../../src/train/schedule.ts";
import { type TrainOnOptions, trainOn } from "../../src/train/train-on.ts";

beforeAll(useHeedBackend);

/** Two numbers that are to become 1 and 2, on noise that depends on the step alone. */
function run(options: Partial<TrainOnOptions<number>> = {}) {
  const [w, frozen] = [tf.variable(tf.tensor1d([5, -3])), tf.variable(tf.scalar(7))];
  const losses: number[] = [];
  const whole: TrainOnOptions<number> = {
    variables: { w },
    batchAt: (k) => ({ batch: Math.sin(k), tokens: 2 }),
    loss(batch, dropoutSeed) {
      const wanted = tf.add(tf.tensor1d([1, 2]), 0.1 * batch + 1e-9 * dropoutSeed);
      return tf.mul(tf.sum(tf.square(tf.sub(w, wanted))), tf.div(frozen, 7)) as tf.Scalar;
    },
    steps: 60,
    learningRate: linearSchedule({ peak: 0.5, steps: 60 }),
    seed: 3,
    ...options,
  };
  return { w, frozen, losses, done: trainOn(whole) };
}

test("trains what it is given and nothing else, and ends with the best that was seen", async () => {
  const { w, frozen, done } = run();
  const { stopped, step } = await done;
  expect([stopped, step]).toEqual(["done", 60]);
  const [one, two] = w.dataSync();
  expect(Math.abs(one! - 1) + Math.abs(two! - 2)).toBeLessThan(0.3);
  expect(frozen.dataSync()[0]).toBe(7);

  const scores = [1, 9, 2];
  const seen: number[][] = [];
  const judged = run({
    evaluateEvery: 20,
    evaluate() {
      seen.push([...judged.w.dataSync()]);
      return scores[seen.length - 1]!;
    },
  });
  await judged.done;
  expect([...judged.w.dataSync()]).toEqual(seen[1]);
});

test("a run that was stopped goes on to the same bits, and another recipe is refused", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "heed-train-on-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const whole = run();
  await whole.done;
  const stop = new AbortController();
  const checkpoint = { folder };
  const first = run({
    checkpoint,
    recipe: { peak: 0.5 },
    signal: stop.signal,
    batchAt(k) {
      if (k === 25) stop.abort();
      return { batch: Math.sin(k), tokens: 2 };
    },
  });
  expect((await first.done).stopped).toBe("signal");
  const second = run({ checkpoint, recipe: { peak: 0.5 } });
  const { resumedFrom } = await second.done;
  expect(resumedFrom).toBe(26);
  expect([...second.w.dataSync()]).toEqual([...whole.w.dataSync()]);
  await expect(run({ checkpoint, recipe: { peak: 0.6 } }).done).rejects.toThrow(
    "trainOn: a run must go on with the recipe that it began with, got another",
  );
});

test("a learning rate that is a number is refused with the schedule to take", async () => {
  await expect(run({ learningRate: 0.01 as never }).done).rejects.toThrow(
    "trainOn: learningRate must be a function of the step, got 0.01; pass constantSchedule({ peak: 0.001 }), or another " +
      "schedule",
  );
});
