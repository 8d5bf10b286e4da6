import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { imagesChecksum, readImages, readTraining } from "../../../src/data/labelled-images.ts";
import { cardData, firstParagraph } from "../../../src/tasks/card-data.ts";
import { composeVideo, SIDE } from "../../../src/tasks/tracking/compose.ts";
import { drawnDigits, OBJECT, writtenDigits } from "../../../src/tasks/tracking/digits.ts";
import { HIDDEN_FRAMES, hiddenVideo, overlapOf } from "../../../src/tasks/tracking/evaluate.ts";
import { itWithData } from "../../support/shared-data.ts";

test("drawn digits are ten different pictures that fill their height", () => {
  const { pictures, labels, ofDigit } = drawnDigits();
  expect(pictures).toHaveLength(10);
  expect(new Set(pictures.map((picture) => picture.join())).size).toBe(10);
  expect(ofDigit).toEqual(Array.from(labels, (digit) => [digit]));
  for (const picture of pictures) {
    expect(picture).toHaveLength(OBJECT * OBJECT);
    const row = (y: number) => picture.subarray(y * OBJECT, (y + 1) * OBJECT).some((light) => light > 0.2);
    expect([row(0), row(OBJECT - 1)]).toEqual([true, true]);
  }
});

test("a written digit is cut out and fitted: a bar of 2 × 4 becomes 5 × 10 in the middle", () => {
  const pixels = new Uint8Array(2 * 12 * 12);
  for (let x = 3; x < 7; x++) for (let y = 5; y < 7; y++) pixels[y * 12 + x] = 255;
  pixels[144] = 255;
  const images = { count: 2, height: 12, width: 12, pixels, labels: Uint8Array.of(4, 7) };
  const { pictures, ofDigit } = writtenDigits(images);
  const rows = Array.from({ length: OBJECT }, (_, y) =>
    Array.from(pictures[0]!.subarray(y * OBJECT, (y + 1) * OBJECT)).reduce((sum, light) => sum + light, 0),
  );
  // Half a pixel above and below the five is on the bar.
  expect(rows).toEqual([0, 0, 5, 10, 10, 10, 10, 5, 0, 0]);
  expect([ofDigit[4], ofDigit[7], ofDigit[0]]).toEqual([[0], [1], []]);
  expect(() => writtenDigits({ ...images, labels: Uint8Array.of(4, 4) })).toThrow(
    "writtenDigits: images must be of two digits or more, 0 to 9, got 1 classes; give the images of MNIST",
  );
});

test("what is followed moves in a straight line, meets no edge, and is where its box says", () => {
  const pool = drawnDigits();
  for (let n = 0; n < 20; n++) {
    const { frames, boxes, digit } = composeVideo(pool, new RandomStream(1, n), {
      times: 11,
      distractors: 0,
    });
    const ink = pool.pictures[digit]!.reduce((sum, light) => sum + light, 0);
    for (const [t, [top, left, height, width]] of boxes.entries()) {
      expect([height, width]).toEqual([OBJECT, OBJECT]);
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0);
      expect(Math.max(top, left)).toBeLessThanOrEqual(SIDE - OBJECT + 1e-9);
      // Between pixels nothing is lost, and nothing lies outside of the box.
      expect(frames[t]!.reduce((sum, light) => sum + light, 0)).toBeCloseTo(ink, 3);
      const astray = frames[t]!.filter((light, at) => {
        const [y, x] = [Math.floor(at / SIDE), at % SIDE];
        const isNear = y > top - 1 && y < top + OBJECT && x > left - 1 && x < left + OBJECT;
        return light > 0 && !isNear;
      });
      expect(astray).toHaveLength(0);
      if (t < 2) continue;
      for (const axis of [0, 1] as const)
        expect(boxes[t]![axis] - 2 * boxes[t - 1]![axis] + boxes[t - 2]![axis]).toBeCloseTo(0, 9);
    }
    const speed = Math.hypot(boxes[1]![0] - boxes[0]![0], boxes[1]![1] - boxes[0]![1]);
    expect(speed).toBeGreaterThanOrEqual(4.6);
    expect(speed).toBeLessThanOrEqual(5.6);
  }
});

test("distractors are other digits, and hide nothing of the first frame's box for good", () => {
  const alone = composeVideo(drawnDigits(), new RandomStream(1, 5), { times: 5, distractors: 0 });
  const among = composeVideo(drawnDigits(), new RandomStream(1, 5), { times: 5, distractors: 2 });
  expect([among.boxes, among.digit]).toEqual([alone.boxes, alone.digit]);
  const light = (frame: Float32Array) => frame.reduce((sum, one) => sum + one, 0);
  expect(light(among.frames[0]!)).toBeGreaterThan(2 * light(alone.frames[0]!));
});

test("a test video hides its digit for three frames, and the seed and number make it", () => {
  const { frames, boxes } = hiddenVideo(drawnDigits(), 1, 0, 0);
  const [from, to] = HIDDEN_FRAMES;
  expect(to - from).toBe(3);
  expect(frames.map((frame) => frame.some((light) => light > 0))).toEqual(
    frames.map((_, t) => t < from || t >= to),
  );
  expect(boxes).toHaveLength(11);
  expect(hiddenVideo(drawnDigits(), 1, 0, 2)).toEqual(hiddenVideo(drawnDigits(), 1, 0, 2));
  expect(hiddenVideo(drawnDigits(), 1, 1, 2)).not.toEqual(hiddenVideo(drawnDigits(), 1, 0, 2));
});

test("overlap by hand", () => {
  expect(overlapOf([0, 0, 2, 2], [1, 0, 2, 2])).toBeCloseTo(1 / 3, 12);
  expect(overlapOf([0, 0, 2, 2], [5, 5, 2, 2])).toBe(0);
  expect(overlapOf([3, 4, 5, 6], [3, 4, 5, 6])).toBe(1);
});

itWithData("mnist")("a card knows them by their checksum, whatever the folder is called", (folder) => {
  const { train } = readTraining(folder);
  const of = { noticeOf: firstParagraph, changesOf: () => "Cut out." };
  const card = cardData("my-digits", imagesChecksum(train), of);
  expect(card).toMatchObject({ name: "mnist", licence: "CC-BY-SA-3.0", changes: "Cut out." });
  expect(cardData("mnist", "other bytes", of)).toMatchObject({ name: "mnist", licence: "not stated" });
});

itWithData("mnist")("written digits are told apart by their labels", (folder) => {
  const { pictures, ofDigit } = writtenDigits(readImages(folder, "test"));
  expect(pictures).toHaveLength(10_000);
  expect(ofDigit.map(({ length }) => length)).toEqual([
    980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
  ]);
});
