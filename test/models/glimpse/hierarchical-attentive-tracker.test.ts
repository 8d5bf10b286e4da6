import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { capture } from "../../../src/capture/capture.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { boxLoss } from "../../../src/models/glimpse/boxes.ts";
import {
  HierarchicalAttentiveTracker,
  type TrackerConfig,
} from "../../../src/models/glimpse/hierarchical-attentive-tracker.ts";
import { gaussianBox } from "../../../src/viz/index.ts";
import { describeModel, images, refusal } from "./harness.ts";

const IMAGE = [13, 17, 3] as const;
const CONFIG: TrackerConfig = {
  image: [IMAGE[0], IMAGE[1]],
  channels: IMAGE[2],
  glimpse: [5, 3],
  features: 2,
  appearance: 7,
  units: 5,
};
const BOX = [2.5, 4, 5, 7];

/** Boxes of as many examples as there are frames. */
const boxes = (count: number) =>
  tf.tensor2d(Array.from({ length: count }, (_, n) => [BOX[0]! + n, ...BOX.slice(1)]));

/** Four frames of a video for each image: the image, shifted by some columns a frame. */
function video(x: tf.Tensor4D): tf.Tensor4D[] {
  const columns = x.shape[2];
  return [0, 1, 2, 3].map((t) =>
    tf.concat(
      [tf.slice(x, [0, 0, t, 0], [-1, -1, columns - t, -1]), tf.slice(x, [0, 0, 0, 0], [-1, -1, t, -1])],
      2,
    ),
  ) as tf.Tensor4D[];
}

describeModel("HierarchicalAttentiveTracker", {
  make: (start = 1) => new HierarchicalAttentiveTracker(CONFIG, start),
  image: IMAGE,
  loss: (model, x) => {
    const first = boxes(x.shape[0]);
    const found = model.track(video(x), first);
    return boxLoss(
      found.slice(1),
      found.slice(1).map((_, t) => tf.add(first, t + 3)),
    );
  },
  outputs: (model, x) => tf.concat2d(model.track(video(x), boxes(x.shape[0])), 1),
  // Three steps of some 20 roundings and sums over 45 numbers each, which add up like their square root.
  roundings: 24,
  kinks: true,
});

/** A tracker whose every parameter is 0 but the bias of its move. */
function moving(
  move: number[],
  motion: "stay" | "coast" = "stay",
  speedFrames = 1,
): HierarchicalAttentiveTracker {
  const model = new HierarchicalAttentiveTracker({ ...CONFIG, motion, speedFrames }, 1);
  for (const [name, variable] of Object.entries(model.parameters.variables))
    tf.tidy(() => variable.assign(name === "move/bias" ? tf.tensor1d(move) : tf.zerosLike(variable)));
  return model;
}

describeModel("HierarchicalAttentiveTracker that coasts", {
  make: (start = 1) => new HierarchicalAttentiveTracker({ ...CONFIG, motion: "coast" }, start),
  image: IMAGE,
  loss: (model, x) =>
    boxLoss(
      model.track(video(x), boxes(x.shape[0])),
      [...Array(4).keys()].map((t) => tf.add(boxes(x.shape[0]), t + 3)),
    ),
  outputs: (model, x) => tf.concat2d(model.track(video(x), boxes(x.shape[0])), 1),
});

describe("a tracker that always moves alike", () => {
  test("moves the centre by shares of the sides, and scales these by a tenth at most, by hand", async () => {
    await useHeedBackend();
    const model = moving([0.5, -1, 50, -50]);
    const x = images(1, IMAGE);
    tf.tidy(() => {
      const [first, second] = model.track([x, x], tf.tensor2d([BOX]));
      expect([...first!.dataSync()]).toEqual(BOX);
      // The centre (5, 7.5) goes to (5 + 0.5·5, 7.5 − 7); sides 5·e^0.1 and 7·e^−0.1.
      const [height, width] = [5 * Math.exp(0.1), 7 * Math.exp(-0.1)];
      const wanted = [7.5 - height / 2, 0.5 - width / 2, height, width];
      [...second!.dataSync()].forEach((value, n) => {
        expect(value).toBeCloseTo(wanted[n]!, 5);
      });
    });
    for (const one of [model, x]) one.dispose();
  });

  test("keeps its speed where it coasts, to which every move adds, and looks there", async () => {
    await useHeedBackend();
    const tops = (motion: "stay" | "coast", move: number) => {
      const model = moving([move, 0, 0, 0], motion);
      const x = images(1, IMAGE);
      const found = tf.tidy(() =>
        model.track([x, x, x, x], tf.tensor2d([BOX])).map((box) => box.dataSync()[0]!),
      );
      for (const one of [model, x]) one.dispose();
      return found;
    };
    // A fifth of 5 rows a frame: 1, 1, 1; or 1, 2, 3.
    for (const [motion, wanted] of [
      ["stay", [2.5, 3.5, 4.5, 5.5]],
      ["coast", [2.5, 3.5, 5.5, 8.5]],
    ] as const)
      tops(motion, 0.2).forEach((top, t) => {
        expect(top).toBeCloseTo(wanted[t]!, 5);
      });
    const model = moving([0, 0, 0, 0], "coast");
    const x = images(1, IMAGE);
    const first = tf.tensor2d([BOX]);
    const state = model.start(x, first);
    const speed = tf.tensor2d([[2, -3]]);
    const trace = capture((frame: tf.Tensor4D) => model.step(frame, { ...state, speed }).box, x);
    const [u, d, , v, e] = [...trace.glimpses![0]!.slice()] as [number, number, number, number, number];
    expect(u + 2 * d).toBeCloseTo(BOX[0]! + 2 + 2, 5);
    expect(v + e).toBeCloseTo(BOX[1]! + 3 - 3, 5);
    tf.dispose([x, first, speed, state as unknown as tf.TensorContainer]);
    model.dispose();
  });

  test("averages its speed over so many frames, by hand", async () => {
    await useHeedBackend();
    const model = moving([0.2, 0, 0, 0], "coast", 2);
    const x = images(1, IMAGE);
    const tops = tf.tidy(() =>
      model.track(Array(5).fill(x), tf.tensor2d([BOX])).map((box) => box.dataSync()[0]!),
    );
    // A row a frame more than its speed, which is 0, then 1, (1 + 2)/2 and (1.5 + 2.5)/2 rows.
    for (const [t, top] of [2.5, 3.5, 5.5, 8, 11].entries()) expect(tops[t]).toBeCloseTo(top, 5);
    for (const one of [model, x]) one.dispose();
    expect(() => moving([0, 0, 0, 0], "coast", 0)).toThrow("speedFrames must be an integer ≥ 1, got 0");
  });

  test("looks at twice the box around its centre, whatever the context is asked to be", async () => {
    await useHeedBackend();
    const model = moving([0, 0, 0, 0]);
    const x = images(1, [...IMAGE.slice(0, 2), 3]);
    const first = tf.tensor2d([BOX]);
    const state = model.start(x, first);
    const trace = capture((frame: tf.Tensor4D) => model.step(frame, state).mask, x);
    expect(trace.glimpses!.length).toBe(1);
    const [u, d, , v, e] = [...trace.glimpses![0]!.slice()] as [number, number, number, number, number];
    // Rows 0 … 9 of 5 Gaussians: 2 apart, from 0.5 − 0.5; columns 0.5 … 13.5 of 3.
    const [topLeft, , bottomRight] = gaussianBox({ u, d }, { u: v, d: e }, [5, 3]);
    const centre = [(topLeft[1] + bottomRight[1]) / 2, (topLeft[0] + bottomRight[0]) / 2];
    expect(centre[0]).toBeCloseTo(BOX[0]! + (BOX[2]! - 1) / 2, 5);
    expect(centre[1]).toBeCloseTo(BOX[1]! + (BOX[3]! - 1) / 2, 5);
    expect(5 * d).toBeCloseTo(2 * BOX[2]!, 5);
    expect(3 * e).toBeCloseTo(2 * BOX[3]!, 5);
    tf.dispose([x, first, state as unknown as tf.TensorContainer]);
    model.dispose();
  });
});

test("frame by frame it finds what it finds in all, and a later frame changes no box before it", async () => {
  await useHeedBackend();
  const model = new HierarchicalAttentiveTracker(CONFIG, 3);
  tf.tidy(() => {
    const x = images(2, IMAGE);
    const frames = video(x);
    const all = model.track(frames, boxes(2)).map((box) => [...box.dataSync()]);
    let state = model.start(frames[0]!, boxes(2));
    for (const [t, frame] of frames.slice(1).entries()) {
      state = model.step(frame, state);
      expect([...state.box.dataSync()]).toEqual(all[t + 1]);
    }
    const other = model.track([...frames.slice(0, 3), images(2, IMAGE, 9)], boxes(2));
    expect(other.slice(0, 3).map((box) => [...box.dataSync()])).toEqual(all.slice(0, 3));
    expect([...other[3]!.dataSync()]).not.toEqual(all[3]);
  });
  model.dispose();
});

describe("the tracker refuses", () => {
  const op = "HierarchicalAttentiveTracker";
  test.each([
    [
      { units: 1.5 },
      `${op}: units must be an integer ≥ 1, got 1.5; choose one in that range or leave it out`,
    ],
    [
      { context: -1 },
      `${op}: context must be a positive number, got -1; choose one in that range or leave it out`,
    ],
    [
      { glimpse: [3, 0] },
      `${op}: glimpse must be two integers of 1 or more, got [3,0]; give rows, then columns`,
    ],
    [
      { size: 3 },
      `${op}: every key must be one of image, channels, glimpse, context, motion, speedFrames, features, appearance, units, got size; ` +
        "correct the configuration",
    ],
  ])("a configuration with %j", async (changes, message) => {
    await useHeedBackend();
    const make = () => new HierarchicalAttentiveTracker({ ...CONFIG, ...changes } as TrackerConfig);
    expect(refusal(make)).toEqual({ message, left: 0 });
  });

  test("no frames, frames of another size and boxes of another number", async () => {
    await useHeedBackend();
    const model = new HierarchicalAttentiveTracker(CONFIG, 1);
    const [x, small, one] = [images(2, IMAGE), images(2, [13, 16, 3]), boxes(1)];
    const letters = "the letters must mean the same sizes in all of the call's tensors";
    expect(refusal(() => model.track([], one))).toEqual({
      message: `${op}.track: there must be a frame, got none; give one tensor for each time`,
      left: 0,
    });
    expect(refusal(() => model.track([small], one)).message).toBe(
      `${op}.start: frame must be float32 of shape [B, H, W, C] = [2, 13, 17, 3], got float32 of shape [2, 13, 16, 3]; ${letters}`,
    );
    expect(refusal(() => model.track([x, x], one))).toEqual({
      message: `${op}.start: box must be float32 of shape [B, 4] = [2, 4], got float32 of shape [1, 4]; ${letters}`,
      left: 0,
    });
    tf.dispose([x, small, one]);
    model.dispose();
  });
});
