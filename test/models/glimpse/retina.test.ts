import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { retina } from "../../../src/models/glimpse/retina.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { images, refusal } from "./harness.ts";

onEveryBackend("retina", () => {
  test("sees the crop at a place, and means of twice as much around it, by hand", () => {
    tf.tidy(() => {
      const image = tf.reshape(tf.range(0, 36), [1, 6, 6, 1]) as tf.Tensor4D;
      // The middle, 2.5: rows and columns 2 and 3; and 1 … 4 as 2 × 2.
      const seen = retina(image, tf.tensor2d([[0, 0]]), { patch: 2, scales: 2 });
      expect(seen.shape).toEqual([1, 2, 2, 2]);
      expect([...tf.transpose(seen, [0, 3, 1, 2]).dataSync()]).toEqual([
        14, 15, 20, 21, 10.5, 12.5, 22.5, 24.5,
      ]);
      // The corner: outside of the image is 0.
      const corner = retina(image, tf.tensor2d([[1, -1]]), { patch: 3 });
      expect([...corner.dataSync()]).toEqual([0, 24, 25, 0, 30, 31, 0, 0, 0]);
    });
  });

  test("has a gradient in the image, and none in the places", () => {
    tf.tidy(() => {
      const [image, places] = [
        images(2, [5, 7, 3]),
        tf.tensor2d([
          [0.1, -0.3],
          [0.8, 2],
        ]),
      ];
      const sum = (x: tf.Tensor, at: tf.Tensor) =>
        tf.sum(retina(x as tf.Tensor4D, at as tf.Tensor2D, { patch: 2, scales: 2 }));
      const [dimage, dplaces] = tf.grads((x, at) => tf.add(sum(x!, at!), tf.mul(tf.sum(at!), 0)))([
        image,
        places,
      ]);
      expect(dimage!.dataSync().some((g) => g !== 0)).toBe(true);
      expect([...dplaces!.dataSync()]).toEqual([0, 0, 0, 0]);
    });
  });

  test("refuses places of another number, and sizes that are none", () => {
    const [x, at] = [images(2, [5, 7, 3]), tf.tensor2d([[0, 0]])];
    expect(refusal(() => retina(x, at, { patch: 2 }))).toEqual({
      message:
        "retina: places must be float32 of shape [B, 2] = [2, 2], got float32 of shape [1, 2]; " +
        "the letters must mean the same sizes in all of the call's tensors",
      left: 0,
    });
    const range = "choose one in that range or leave it out";
    expect(refusal(() => retina(x, at, { patch: 0 })).message).toBe(
      `retina: patch must be an integer ≥ 1, got 0; ${range}`,
    );
    expect(refusal(() => retina(x, at, { patch: 1, scales: 0.5 })).message).toBe(
      `retina: scales must be an integer ≥ 1, got 0.5; ${range}`,
    );
    tf.dispose([x, at]);
  });
});
