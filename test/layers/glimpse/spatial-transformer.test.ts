import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { spatialTransformer } from "../../../src/attention/index.ts";
import { SpatialTransformer } from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs, modelOf } from "../harness.ts";

const IMAGE = [5, 7, 2];

describeLayer(SpatialTransformer, {
  "that looks at the image itself": { args: { height: 3, width: 2, alignCorners: false }, inputs: [IMAGE] },
  "that is told where to look by features": {
    args: { height: 4, width: 3, alignCorners: true, transform: "crop", padding: "border", seed: 1 },
    inputs: [IMAGE, [11]],
  },
  "that is told θ": {
    args: { height: 3, width: 4, alignCorners: true, localization: false },
    inputs: [IMAGE, [6]],
  },
});

onEveryBackend("SpatialTransformer", () => {
  it("begins as the identity", () => {
    const [image, features] = layerInputs([IMAGE, [11]]) as [tf.Tensor4D, tf.Tensor2D];
    for (const transform of ["affine", "crop"] as const) {
      for (const alignCorners of [true, false]) {
        const args = { height: 5, width: 7, alignCorners, transform, padding: "border" } as const;
        for (const inputs of [[image], [image, features]]) {
          const output = new SpatialTransformer(args).apply(inputs) as tf.Tensor;
          // Positions are a few roundings of numbers up to 7 wrong, neighbours differ by up to 6.
          expect(distance(output.dataSync(), image.dataSync())).toBeLessThanOrEqual(6 * 7 * 2 ** -22);
        }
      }
    }
  });

  it("is spatialTransformer at the numbers that it is told, row by row or by name", () => {
    const [image, theta] = layerInputs([IMAGE, [6]]) as [tf.Tensor4D, tf.Tensor2D];
    const options = { alignCorners: false, interpolation: "nearest", padding: "reflection" } as const;
    const layer = new SpatialTransformer({ height: 3, width: 2, localization: false, ...options });
    const expected = spatialTransformer(image, tf.reshape(theta, [2, 2, 3]), [3, 2], options).output;
    expect((layer.apply([image, theta]) as tf.Tensor).dataSync()).toEqual(expected.dataSync());
    const crop = new SpatialTransformer({
      height: 3,
      width: 2,
      localization: false,
      transform: "crop",
      ...options,
    });
    const four = tf.slice(theta, [0, 0], [2, 4]);
    const [scaleX, shiftX, scaleY, shiftY] = tf.unstack(four, 1) as tf.Tensor1D[];
    const named = { scaleX: scaleX!, shiftX: shiftX!, scaleY: scaleY!, shiftY: shiftY! };
    const cropped = spatialTransformer(image, named, [3, 2], options).output;
    expect((crop.apply([image, four]) as tf.Tensor).dataSync()).toEqual(cropped.dataSync());
  });

  it("learns to turn images as its target is turned", async () => {
    // Smooth images, so that a pixel's gradient points the right way from 0.2 radians away.
    const wave = (n: number, at: number) => Math.sin((at * Math.PI) / n);
    const pixels = Array.from(
      { length: 11 * 11 },
      (_, e) => wave(11, e % 11) * wave(11, Math.floor(e / 11)) + (e % 11) / 11,
    );
    const image = tf.tensor4d(pixels, [1, 11, 11, 1]);
    const turn = 0.2;
    const theta = tf.tensor3d([
      [
        [Math.cos(turn), -Math.sin(turn), 0],
        [Math.sin(turn), Math.cos(turn), 0],
      ],
    ]);
    const options = { alignCorners: true, padding: "border" } as const;
    const target = spatialTransformer(image, theta, [11, 11], options).output;
    const layer = new SpatialTransformer({ height: 11, width: 11, ...options });
    const model = modelOf(layer, [[11, 11, 1], [1]]);
    model.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
    const x = [image, tf.ones([1, 1])];
    const first = (model.evaluate(x, target) as tf.Scalar).dataSync()[0]!;
    await model.fit(x, target, { epochs: 60, verbose: 0 });
    expect((model.evaluate(x, target) as tf.Scalar).dataSync()[0]).toBeLessThan(first / 50);
  });

  it("refuses numbers that are no transform, and to guess the corners", () => {
    const args = { height: 3, width: 2, alignCorners: true, localization: false } as const;
    expect(() => new SpatialTransformer(args).apply(layerInputs([IMAGE, [5]]))).toThrow(
      "SpatialTransformer: features [B, F] must be the F = 6 numbers of the transform where localization is false, got " +
        "F = 5; give them as the second input, or let the layer make them",
    );
    expect(() => new SpatialTransformer(args).apply(layerInputs([IMAGE]))).toThrow(/got none; /);
    const unsaid = { height: 3, width: 2 } as unknown as ConstructorParameters<typeof SpatialTransformer>[0];
    expect(() => new SpatialTransformer(unsaid)).toThrow(
      "SpatialTransformer: alignCorners must be true or false, got nothing; a layer needs one",
    );
  });
});
