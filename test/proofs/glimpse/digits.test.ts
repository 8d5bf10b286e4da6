import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { DIGITS, digitBatch, readDigits } from "../../../proofs/glimpse/digits.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { itWithData } from "../../support/shared-data.ts";

/** Two digits of 11 × 9 pixels: one all 255, one all 102. */
const pixels = new Uint8Array(2 * 99).fill(255, 0, 99).fill(102, 99);
const images = { count: 2, height: 11, width: 9, pixels, labels: Uint8Array.of(7, 3) };

test("a digit lies whole on black, somewhere else in each image", async () => {
  await useHeedBackend();
  const before = tf.memory().numTensors;
  const { images: made, classes } = digitBatch(new RandomStream(1), images, 13, { side: 20 });
  expect(made.shape).toEqual([13, 20, 20, 1]);
  const light = made.dataSync();
  const corners = Array.from(classes, (label, n) => {
    const one = light.subarray(n * 400, (n + 1) * 400);
    const ink = label === 7 ? 1 : 0.4;
    expect(one.filter((x) => x > 0)).toEqual(new Float32Array(99).fill(ink));
    return one.findIndex((x) => x > 0);
  });
  expect(new Set(corners).size).toBeGreaterThan(8);
  expect(new Set(classes)).toEqual(new Set([3, 7]));
  made.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("clutter is pieces of 8 × 8 of digits, and the brighter pixel is seen where they meet", async () => {
  await useHeedBackend();
  const { images: made, classes } = digitBatch(new RandomStream(2), images, 17, { side: 31, pieces: 3 });
  const light = made.dataSync();
  for (const [n, label] of classes.entries()) {
    const one = light.subarray(n * 961, (n + 1) * 961);
    const whole = one.filter((x) => x > (label === 7 ? 0.9 : 0.3)).length;
    expect(whole).toBeGreaterThanOrEqual(99);
    expect(one.filter((x) => x > 0).length).toBeLessThanOrEqual(99 + 3 * 64);
  }
  expect(light.some((x) => x > 0.9) && light.some((x) => x > 0.3 && x < 0.5)).toBe(true);
  made.dispose();
});

itWithData(DIGITS)("the digits of MNIST are read in three parts", () => {
  const { train, valid, test: held } = readDigits();
  expect([train.count, valid.count, held.count]).toEqual([55_000, 5_000, 10_000]);
});
