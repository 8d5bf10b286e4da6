import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { trainDraw } from "../../../proofs/glimpse/autoencoder.ts";
import { trainTracker } from "../../../proofs/glimpse/tracking.ts";
import { useHeedBackend } from "../../../src/host/select.ts";

test("DRAW's picture has one box and one patch for each of its five steps, and the same run the same picture", async () => {
  await useHeedBackend();
  const before = tf.memory().numTensors;
  const options = { steps: 2, heldOut: 3 };
  const { picture } = await trainDraw(options);
  expect(tf.memory().numTensors).toBe(before);
  expect(new Set(picture.match(/<polygon points="[^"]*"/g)).size).toBe(5);
  for (let t = 1; t <= 5; t++) expect(picture).toContain(`step ${t}`);
  expect((await trainDraw(options)).picture).toBe(picture);
  expect((await trainDraw({ ...options, seed: 2 })).picture).not.toBe(picture);
});

test("the tracker's picture has its own box and the true one, and the same run the same picture", async () => {
  await useHeedBackend();
  const before = tf.memory().numTensors;
  const options = { steps: 2, heldOut: 3 };
  const { picture, still, overlap } = await trainTracker(options);
  expect(tf.memory().numTensors).toBe(before);
  expect(new Set(picture.match(/<polygon points="[^"]*"/g)).size).toBe(2);
  for (const name of ["tracked", "truth"]) expect(picture).toContain(name);
  for (const metric of [still, overlap]) {
    expect(metric).toBeGreaterThan(0);
    expect(metric).toBeLessThan(1);
  }
  expect((await trainTracker(options)).picture).toBe(picture);
});
