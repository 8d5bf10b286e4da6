import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { SlotAttentionAutoencoder } from "../../../src/models/set/slot-attention-autoencoder.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../../attention/support.ts";
import { expectGradients, expectReloads } from "./support.ts";

const [B, H, W] = [2, 5, 7];
const CONFIG = {
  ...{ height: H, width: W, channels: 3, features: 5, convolutions: 1 },
  ...{ slots: 3, slotWidth: 6, inner: 11, iterations: 2 },
};
const image = () => tensor<tf.Tensor4D>(random(1, [B, H, W, 3]));

onEveryBackend("SlotAttentionAutoencoder", () => {
  it("paints its picture of the parts where they are seen, and shares every pixel", () => {
    const model = new SlotAttentionAutoencoder(CONFIG, 1);
    const { slots, image: painted, parts, masks } = model.forward(image(), { seed: 2 });
    expect(slots.shape).toEqual([B, 3, 6]);
    expect(parts.shape).toEqual([B, 3, H, W, 3]);
    expect(distance(tf.sum(masks, 1).dataSync(), new Float32Array(B * H * W).fill(1))).toBeLessThanOrEqual(
      4 * ROUNDING,
    );
    const sum = tf.sum(tf.mul(parts, tf.expandDims(masks, 4)), 1);
    expect(distance(sum.dataSync(), painted.dataSync())).toBeLessThanOrEqual(16 * ROUNDING);
    const error = tf.mean(tf.square(tf.sub(painted, image()))).dataSync()[0]!;
    expect(model.loss(image(), { seed: 2 }).dataSync()[0]).toBeCloseTo(error, 6);
    model.dispose();
  });

  it("paints slots of another order as the same picture, and as many slots as it is asked for", () => {
    const model = new SlotAttentionAutoencoder(CONFIG, 1);
    const { slots, image: painted } = model.forward(image(), { seed: 2, slots: 5 });
    expect(slots.shape).toEqual([B, 5, 6]);
    const turned = model.decode(tf.reverse(slots, 1)).image;
    expect(distance(turned.dataSync(), painted.dataSync())).toBeLessThanOrEqual(32 * ROUNDING);
    const other = model.encode(image(), { seed: 3, slots: 5 });
    expect(distance(other.dataSync(), slots.dataSync())).toBeGreaterThan(0.01);
    model.dispose();
  });

  it("every parameter has a gradient of its loss", () => {
    const model = new SlotAttentionAutoencoder(CONFIG, 1);
    const x = image();
    expectGradients(model, () => model.loss(x, { seed: 2 }));
    model.dispose();
  });

  it("is made again of its values, bit for bit, and leaves nothing behind", () => {
    const x = image();
    expectReloads(
      (start) => new SlotAttentionAutoencoder(CONFIG, start),
      (model) => model.forward(x, { seed: 2 }).image,
    );
  });

  it("refuses images of another size, and no slots", () => {
    const model = new SlotAttentionAutoencoder(CONFIG, 1);
    expect(() => model.encode(tf.zeros([B, W, H, 3]), { seed: 1 })).toThrow(
      "SlotAttentionAutoencoder.encode: image must be float32 of shape [B, H, W, Cin] = [2, 5, 7, 3], got float32 of shape " +
        "[2, 7, 5, 3]; the letters must mean the same sizes in all of the call's tensors",
    );
    expect(() => model.encode(image(), { seed: 1, slots: 0 })).toThrow(
      "SlotAttentionAutoencoder.encode: slots must be an integer ≥ 1, got 0; correct the configuration",
    );
    expect(() => new SlotAttentionAutoencoder({ ...CONFIG, iterations: 1.5 })).toThrow(
      "SlotAttentionAutoencoder: iterations must be an integer ≥ 1, got 1.5; correct the configuration",
    );
    model.dispose();
  });
});
