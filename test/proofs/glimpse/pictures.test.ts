import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { trainDraw } from "../../../proofs/glimpse/autoencoder.ts";
import { trainForOcclusion } from "../../../proofs/glimpse/occlusion.ts";
import { trainSpatialTransformer } from "../../../proofs/glimpse/spatial-transformer.ts";
import { trainTracker } from "../../../proofs/glimpse/tracking.ts";
import { videoBatch } from "../../../proofs/glimpse/videos.ts";
import { RandomStream } from "../../../src/core/random.ts";
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

test("the spatial transformer's pictures have the box of its window, and the classifier that sees everything has none", async () => {
  await useHeedBackend();
  const before = tf.memory().numTensors;
  const run = (transform: "crop" | "none") => trainSpatialTransformer({ transform, steps: 2, heldOut: 3 });
  const { pictures, accuracy } = await run("crop");
  expect(pictures.length).toBe(3);
  // A dark line below a coloured one.
  for (const picture of pictures) expect(picture.match(/<polygon/g)!.length).toBe(2);
  expect([0, 1 / 3, 2 / 3, 1]).toContain(accuracy);
  expect((await run("crop")).pictures).toEqual(pictures);
  expect((await run("none")).pictures).toEqual([]);
  expect(tf.memory().numTensors).toBe(before);
});

test("an object is hidden in three frames, and both trackers are measured in the same videos", async () => {
  await useHeedBackend();
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const videos = (hidden?: readonly [number, number]) =>
      videoBatch(new RandomStream(3), 2, 5, {
        objects: 1,
        straight: true,
        speed: [2, 3],
        ...(hidden && { hidden }),
      });
    const [seen, hidden] = [videos(), videos([1, 4])];
    expect(hidden.places).toEqual(seen.places);
    const ink = (frames: readonly tf.Tensor4D[]) => frames.map((frame) => tf.sum(frame).dataSync()[0]!);
    const all = ink(seen.frames);
    expect(ink(hidden.frames)).toEqual([all[0], 0, 0, 0, all[4]]);
    // Straight on, with the speed that was asked for: as far in the last two frames as in all, to the rounding of a pixel.
    const [first, last] = [seen.places[0]![0]!, seen.places[4]![0]!];
    for (const axis of [0, 1] as const) {
      const way = Math.abs(last[axis] - first[axis]);
      expect(way).toBeGreaterThanOrEqual(2 * 4 - 1);
      expect(way).toBeLessThanOrEqual(3 * 4 + 1);
    }
  });
  for (const prior of [true, false]) {
    const { before: followed, recovery } = await trainForOcclusion({ prior, steps: 1, heldOut: 4 });
    for (const share of [followed, recovery]) expect([0, 0.25, 0.5, 0.75, 1]).toContain(share);
  }
  expect(tf.memory().numTensors).toBe(before);
});
