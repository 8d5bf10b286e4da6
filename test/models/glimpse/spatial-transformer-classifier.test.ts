import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { affineGrid } from "../../../src/attention/glimpse/index.ts";
import { capture } from "../../../src/capture/capture.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import {
  SpatialTransformerClassifier,
  type SpatialTransformerConfig,
} from "../../../src/models/glimpse/spatial-transformer-classifier.ts";
import { gridSample } from "../../../src/ops/grid-sample.ts";
import { glimpseView } from "../../../src/views/glimpse.ts";
import { distance, ROUNDING } from "../../attention/support.ts";
import { describeModel, images, refusal } from "./harness.ts";

const IMAGE = [11, 13, 3] as const;
const CONFIG: SpatialTransformerConfig = {
  image: [IMAGE[0], IMAGE[1]],
  channels: IMAGE[2],
  glimpse: [5, 7],
  features: 2,
  hidden: 5,
  classes: 4,
};
const labels = (count: number) =>
  tf.tensor1d(
    Array.from({ length: count }, (_, n) => n % 4),
    "int32",
  );

for (const transform of ["affine", "crop", "none"] as const)
  describeModel(`SpatialTransformerClassifier, ${transform}`, {
    make: (start = 1) => new SpatialTransformerClassifier({ ...CONFIG, transform }, start),
    image: IMAGE,
    loss: (model, x) => model.loss(x, labels(x.shape[0])),
    outputs: (model, x) => {
      const flat = [model.locate(x), model.glimpse(x), model.classify(x)];
      return tf.concat2d(
        flat.map((t) => tf.reshape(t, [x.shape[0], -1]) as tf.Tensor2D),
        1,
      );
    },
    // Sums over 27 and 105 numbers and some 20 steps, which add up like their square root.
    ...(transform === "affine" && { roundings: 24, kinks: true }),
  });

describe("the window", () => {
  test.each(["affine", "crop"] as const)("begins as the whole image: %s", async (transform) => {
    await useHeedBackend();
    const model = new SpatialTransformerClassifier({ ...CONFIG, transform }, 1);
    tf.tidy(() => {
      const x = images(2, IMAGE);
      const identity = tf.tensor3d([1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0], [2, 2, 3]);
      expect([...model.locate(x).dataSync()]).toEqual([...identity.dataSync()]);
      const options = { alignCorners: true } as const;
      const whole = gridSample(x, affineGrid(identity, [5, 7], options), options);
      expect(distance(model.glimpse(x).dataSync(), whole.dataSync())).toBeLessThan(4 * ROUNDING);
    });
    model.dispose();
  });

  test("of a crop has no shear, and its four numbers are scaleX, shiftX, scaleY, shiftY", async () => {
    await useHeedBackend();
    const model = new SpatialTransformerClassifier({ ...CONFIG, transform: "crop" }, 1);
    tf.tidy(() => {
      model.parameters.variables["localization/output/bias"]!.assign(
        tf.tensor1d([-0.5, 0.25, -0.75, -0.125]),
      );
      expect([...model.locate(images(1, IMAGE)).dataSync()]).toEqual([0.5, 0, 0.25, 0, 0.25, -0.125]);
    });
    model.dispose();
  });

  test("moves with the one bright pixel of an image, where a feature tells where it is", async () => {
    await useHeedBackend();
    const model = new SpatialTransformerClassifier({ ...CONFIG, channels: 1, transform: "crop" }, 1);
    tf.tidy(() => {
      const { variables } = model.parameters;
      for (const name of ["first", "second", "third"]) {
        const kernel = variables[`localization/${name}/kernel`]!;
        kernel.assign(tf.mul(tf.onesLike(kernel), 4));
      }
      const output = variables["localization/output/kernel"]!;
      // shiftX reads the columns of the first feature, shiftY its rows: [rows, rows, columns, columns] → four numbers.
      output.assign(tf.tensor2d([0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [4, 4]));
      const dot = (y: number, x: number) =>
        tf.scatterND(tf.tensor2d([[0, y, x, 0]], [1, 4], "int32"), tf.ones([1]), [1, 11, 13, 1]);
      const shifts = (y: number, x: number) => {
        const theta = model.locate(dot(y, x) as tf.Tensor4D).dataSync();
        return [theta[5]!, theta[2]!];
      };
      const [low, high] = [shifts(9, 1), shifts(1, 11)];
      expect(low.map(Math.sign)).toEqual([1, -1]);
      expect(high.map(Math.sign)).toEqual([-1, 1]);
      for (const shift of [...low, ...high]) expect(Math.abs(shift)).toBeGreaterThan(0.3);
    });
    model.dispose();
  });
});

test("a capture has the window, and the view draws its box and what lies in it", async () => {
  await useHeedBackend();
  const model = new SpatialTransformerClassifier({ ...CONFIG, channels: 1 }, 1);
  const x = images(1, [11, 13, 1]);
  const trace = capture((image: tf.Tensor4D) => model.classify(image), x);
  expect(trace.glimpses!.map(({ shape }) => shape)).toEqual([[2, 3]]);
  expect(trace.glimpseSizes).toEqual([[5, 7]]);
  expect(glimpseView.svg(trace, {}).match(/<polygon/g)!.length).toBe(2);
  for (const one of [model, x]) one.dispose();
});

describe("the spatial transformer classifier refuses", () => {
  const op = "SpatialTransformerClassifier";
  test.each([
    [
      { transform: "shift" },
      `${op}: transform must be "affine" or "crop" or "none", got shift; choose one of them`,
    ],
    [
      { features: 0 },
      `${op}: features must be an integer ≥ 1, got 0; choose one in that range or leave it out`,
    ],
    [
      { units: 3 },
      `${op}: every key must be one of image, channels, glimpse, transform, features, hidden, classes, got units; ` +
        "correct the configuration",
    ],
  ])("a configuration with %j", async (changes, message) => {
    await useHeedBackend();
    const make = () =>
      new SpatialTransformerClassifier({ ...CONFIG, ...changes } as SpatialTransformerConfig);
    expect(refusal(make)).toEqual({ message, left: 0 });
  });

  test("images and labels of other sizes", async () => {
    await useHeedBackend();
    const model = new SpatialTransformerClassifier(CONFIG, 1);
    const [x, three] = [images(2, IMAGE), labels(3)];
    const letters = "the letters must mean the same sizes in all of the call's tensors";
    expect(refusal(() => model.loss(x, three))).toEqual({
      message: `${op}.loss: labels must be int32 of shape [B] = [2], got int32 of shape [3]; ${letters}`,
      left: 0,
    });
    const flat = tf.zeros([2, 11, 13]);
    expect(refusal(() => model.locate(flat as tf.Tensor4D)).message).toBe(
      `${op}.locate: images [B, H, W, C] must have rank 4, got shape [2, 11, 13]; reshape it first`,
    );
    tf.dispose([x, three, flat]);
    model.dispose();
  });
});
