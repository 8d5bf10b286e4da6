import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { motionPenalty } from "../../../src/models/glimpse/motion-prior.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend, random, tensor } from "../../attention/support.ts";
import { refusal } from "./harness.ts";

const trackOf = (...places: number[][][]) => places.map((rows) => tf.tensor2d(rows));

onEveryBackend("motionPenalty", () => {
  test("is 0 for what moves straight on at a steady speed, and at rest", () => {
    tf.tidy(() => {
      const track = [0, 1, 2, 3, 4].map((t) =>
        tf.tensor2d([
          [3 + 2 * t, 5 - t],
          [7, 7],
        ]),
      );
      expect(motionPenalty(track).dataSync()[0]).toBe(0);
    });
  });

  test("is the squared change of speed, the mean over times and examples, by hand", () => {
    tf.tidy(() => {
      // Changes of speed: (1, 0), then (−3, 2) of the first example; none of the second. (1 + 13)/4, times λ.
      const track = trackOf(
        [
          [0, 0],
          [1, 1],
        ],
        [
          [1, 0],
          [1, 1],
        ],
        [
          [3, 0],
          [1, 1],
        ],
        [
          [2, 2],
          [1, 1],
        ],
      );
      expect(motionPenalty(track).dataSync()[0]).toBeCloseTo(14 / 4, 6);
      expect(motionPenalty(track, { weight: 0.5 }).dataSync()[0]).toBeCloseTo(7 / 4, 6);
      expect(motionPenalty(track, { weight: 0 }).dataSync()[0]).toBe(0);
    });
  });

  test("has gradients that agree with differences at every time", () => {
    const places = Object.fromEntries(
      [2, 3, 5, 7, 11].map((seed, t) => [`place ${t}`, tensor(random(seed, [3, 2]))]),
    );
    gradcheckTensors((given) => motionPenalty(Object.values(given) as tf.Tensor2D[]), places);
    tf.dispose(places);
  });

  test("is refused for fewer than three times, other shapes, and a weight below 0", () => {
    const [pair, wide] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[1, 2, 3]])];
    expect(refusal(() => motionPenalty([pair, pair]))).toEqual({
      message: "motionPenalty: track must have T ≥ 3 times, got T = 2; a change of speed takes three",
      left: 0,
    });
    expect(refusal(() => motionPenalty([pair, pair, wide])).message).toBe(
      "motionPenalty: track[2] must be float32 of shape [B, D] = [1, 2], got float32 of shape [1, 3]; " +
        "the letters must mean the same sizes in all of the call's tensors",
    );
    expect(refusal(() => motionPenalty([pair, pair, pair], { weight: -1 })).message).toBe(
      "motionPenalty: weight must be a number ≥ 0, got -1; choose one in that range or leave it out",
    );
    tf.dispose([pair, wide]);
  });
});
