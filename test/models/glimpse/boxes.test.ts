import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { boxLoss, intersectionOverUnion } from "../../../src/models/glimpse/boxes.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { refusal } from "./harness.ts";

const box = (...rows: [number, number, number, number][]) => tf.tensor2d(rows);

onEveryBackend("boxes", () => {
  test("overlap by their area over what they cover together, by hand, and 0 where they do not meet", () => {
    tf.tidy(() => {
      const a = box([0, 0, 2, 2], [0, 0, 2, 2], [1, 1, 4, 2], [0, 0, 1, 1], [0, 0, 1, 1]);
      const b = box([0, 0, 2, 2], [1, 0, 2, 2], [2, 1, 2, 2], [1, 0, 1, 1], [5, 5, 3, 3]);
      const found = [...intersectionOverUnion(a, b).dataSync()];
      // The second: 2 of 4 + 4 − 2; the third: 4 of 8 + 4 − 4.
      [1, 1 / 3, 1 / 2, 0, 0].forEach((wanted, n) => {
        expect(found[n]).toBeCloseTo(wanted, 6);
      });
    });
  });

  test("are as far apart as their edges, in sides of the true one, by hand", () => {
    tf.tidy(() => {
      // Off by 2 at the top and by 4 at the bottom, of height 4; by 1 at the right, of width 2: (0.5 + 1 + 0 + 0.5)/4.
      const [found, truth] = [box([3, 5, 6, 3]), box([1, 5, 4, 2])];
      expect(boxLoss([found], [truth]).dataSync()[0]).toBeCloseTo(0.5, 6);
      expect(boxLoss([found, truth], [truth, truth]).dataSync()[0]).toBeCloseTo(0.25, 6);
    });
  });

  test("have gradients that agree with differences, where they do not meet too", () => {
    const truth = [box([1, 5, 4, 2]), box([30, 2, 3, 7])];
    const [first, second] = [box([3, 5.5, 6, 3]), box([1, 1, 2, 2])];
    gradcheckTensors(({ first, second }) => boxLoss([first as tf.Tensor2D, second as tf.Tensor2D], truth), {
      first,
      second,
    });
    tf.dispose([...truth, first, second]);
  });

  test("are refused where there is none, or not a true one for each", () => {
    const one = box([0, 0, 1, 1]);
    const two = box([0, 0, 1, 1], [0, 0, 1, 1]);
    const counts = "boxLoss: there must be a true box for each, one or more";
    expect(refusal(() => boxLoss([], []))).toEqual({
      message: `${counts}, got 0 and 0; give one tensor for each time`,
      left: 0,
    });
    expect(refusal(() => boxLoss([one], [one, one])).message).toBe(
      `${counts}, got 1 and 2; give one tensor for each time`,
    );
    expect(refusal(() => intersectionOverUnion(one, two)).message).toBe(
      "intersectionOverUnion: truth[0] must be float32 of shape [B, 4] = [1, 4], got float32 of shape [2, 4]; " +
        "the letters must mean the same sizes in all of the call's tensors",
    );
    tf.dispose([one, two]);
  });
});
