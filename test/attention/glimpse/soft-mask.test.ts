import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  doublyStochasticPenalty,
  type SoftMaskOptions,
  softMask,
} from "../../../src/attention/glimpse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { leftBehind } from "./fixture.ts";

const NORMALIZE = ["softmax", "sigmoid"] as const;

/** The masks of the logits of B images of n locations. */
function masks(logits: Float64Array, B: number, n: number, normalize: "softmax" | "sigmoid"): number[] {
  return Array.from({ length: B }, (_, b) => {
    const own = [...logits.subarray(b * n, (b + 1) * n)];
    if (normalize === "sigmoid") return own.map((e) => 1 / (1 + Math.exp(-e)));
    const sum = own.reduce((total, e) => total + Math.exp(e), 0);
    return own.map((e) => Math.exp(e) / sum);
  }).flat();
}

/** Sums of the masked image over h × w cells. */
function cells(
  image: Float64Array,
  a: number[],
  [B, H, W, C]: number[],
  [h, w]: readonly number[],
): number[] {
  const out = new Array<number>(B! * h! * w! * C!).fill(0);
  for (let b = 0; b < B!; b++)
    for (let n = 0; n < H!; n++)
      for (let m = 0; m < W!; m++)
        for (let c = 0; c < C!; c++) {
          const [i, j] = [Math.floor((n * h!) / H!), Math.floor((m * w!) / W!)];
          const e = (b * H! + n) * W! + m;
          out[((b * h! + i) * w! + j) * C! + c]! += a[e]! * image[e * C! + c]!;
        }
  return out;
}

onEveryBackend("softMask", () => {
  it.each(NORMALIZE)("with %s is the masked image, its cells' sums, and its sum", (normalize) => {
    const shape = [2, 6, 4, 3];
    const [image, logits] = [random(1, shape), random(2, [2, 6, 4])];
    const a = masks(logits.values, 2, 24, normalize);
    for (const size of [
      [6, 4],
      [3, 2],
      [2, 4],
      [1, 1],
    ] as const) {
      const { output, map } = softMask(tensor(image), { logits: tensor(logits) }, size, { normalize });
      expect(output.shape).toEqual([2, ...size, 3]);
      expect(distance(map.dataSync(), a)).toBeLessThanOrEqual(1e-6);
      expect(distance(output.dataSync(), cells(image.values, a, shape, size))).toBeLessThanOrEqual(1e-5);
    }
  });

  it("shares one unit of attention by softmax, and none by sigmoids, which may choose several places", () => {
    const logits = tensor<tf.Tensor3D>(random(3, [2, 5, 7]));
    const image = tf.ones<tf.Rank.R4>([2, 5, 7, 1]);
    const context = softMask(image, { logits }, [1, 1]).output.dataSync();
    expect(distance(context, [1, 1])).toBeLessThanOrEqual(1e-6);
    const several = softMask(image, { logits: tf.fill([2, 5, 7], 9) }, [1, 1], { normalize: "sigmoid" });
    expect(several.output.dataSync()[0]).toBeGreaterThan(34.9);
  });

  it.each([
    [2, 6, 4, 3],
    [3, 2, 10, 1],
    [1, 14, 2, 5],
  ])("passes the gradient check for image and logits, [%i, %i, %i, %i]", (B, H, W, C) => {
    const inputs = { image: tensor(random(4, [B, H, W, C])), logits: tensor(random(5, [B, H, W])) };
    for (const normalize of NORMALIZE) {
      for (const size of [
        [1, 1],
        [H / 2, W / 2],
        [H, W],
      ] as const) {
        const f = (t: Record<string, tf.Tensor>) =>
          softMask(t.image as tf.Tensor4D, { logits: t.logits as tf.Tensor3D }, size, { normalize }).output;
        expect(() => gradcheckTensors(f, inputs)).not.toThrow();
        const grads = tf.grads((image: tf.Tensor, logits: tf.Tensor) => f({ image, logits }))(
          Object.values(inputs),
          tensor(random(6, [B, ...size, C])),
        );
        for (const gradient of grads) expect(gradient.dataSync().every((d) => d !== 0)).toBe(true);
      }
    }
  });

  it("leaves no tensor behind", () => {
    const image = tensor<tf.Tensor4D>(random(1, [2, 6, 4, 3]));
    const logits = tensor<tf.Tensor3D>(random(2, [2, 6, 4]));
    for (const size of [
      [6, 4],
      [3, 2],
      [1, 1],
    ] as const) {
      const call = () => softMask(image, { logits }, size);
      expect(leftBehind(() => call() as unknown as tf.TensorContainerObject)).toBe(0);
    }
  });

  it("refuses cells of unequal size, other logits and other normalisers", () => {
    const image = tf.zeros<tf.Rank.R4>([1, 6, 4, 3]);
    const logits = tf.zeros<tf.Rank.R3>([1, 6, 4]);
    expect(() => softMask(image, { logits }, [4, 2])).toThrow(
      "softMask: size [h, w] must divide the image's [H, W] = [6, 4] into equal cells, got [4, 2]; [6, 4] gives the " +
        "masked image, [1, 1] its sum",
    );
    expect(() => softMask(image, { logits: tf.zeros([1, 4, 6]) }, [1, 1])).toThrow(
      "softMask: logits must be float32 of shape [B, H, W] = [1, 6, 4], got float32 of shape [1, 4, 6]; the letters " +
        "must mean the same sizes in all of the call's tensors",
    );
    expect(() =>
      softMask(image, { logits }, [1, 1], { normalize: "relu" } as unknown as SoftMaskOptions),
    ).toThrow("softMask: normalize must be softmax or sigmoid, got relu; choose one of them");
  });
});

onEveryBackend("doublyStochasticPenalty", () => {
  it("is λ Σ_i (τ − Σ_t α_ti)², the mean over the batch, over the steps that count", () => {
    const [B, T, H, W] = [2, 3, 5, 7];
    const alpha = random(7, [B, T, H, W]);
    const lengths = [3, 2];
    const allow = tf.tensor2d([1, 1, 1, 1, 1, 0], [2, 3], "bool");
    let exact = 0;
    for (let b = 0; b < B; b++)
      for (let i = 0; i < H * W; i++) {
        let sum = 0;
        for (let t = 0; t < lengths[b]!; t++) sum += alpha.values[(b * T + t) * H * W + i]!;
        exact += (0.7 * (1.5 - sum) ** 2) / B;
      }
    const penalty = doublyStochasticPenalty(tensor(alpha), { weight: 0.7, total: 1.5, allow });
    expect(penalty.shape).toEqual([]);
    expect(distance(penalty.dataSync(), [exact])).toBeLessThanOrEqual(1e-6 * exact * 10);
  });

  it("is 0 where every location gets one over all steps, and lets NaN of padded steps reach nothing", () => {
    const alpha = tf.tensor3d([0.25, 0.75, 0.75, 0.25, Number.NaN, Number.NaN], [1, 3, 2]);
    const allow = tf.tensor2d([1, 1, 0], [1, 3], "bool");
    expect(doublyStochasticPenalty(alpha, { allow }).dataSync()[0]).toBe(0);
    const gradient = tf.grad((a: tf.Tensor) => doublyStochasticPenalty(a, { allow, total: 2 }))(alpha);
    // −2·(2 − 1) for the steps that count.
    expect(Array.from(gradient.dataSync(), (d) => d + 0)).toEqual([-2, -2, -2, -2, 0, 0]);
  });

  it.each([
    [2, 3, 5],
    [3, 2, 7],
    [1, 5, 11],
  ])("passes the gradient check, [%i, %i, %i]", (B, T, L) => {
    const f = ({ alpha }: Record<string, tf.Tensor>) => doublyStochasticPenalty(alpha!, { weight: 0.3 });
    expect(() => gradcheckTensors(f, { alpha: tensor(random(8, [B, T, L])) })).not.toThrow();
  });

  it("leaves no tensor behind", () => {
    const alpha = tensor(random(8, [2, 3, 5]));
    expect(leftBehind(() => doublyStochasticPenalty(alpha))).toBe(0);
  });

  it("refuses masks without steps or locations, and penalties that reward", () => {
    expect(() => doublyStochasticPenalty(tf.zeros([2, 3]))).toThrow(
      "doublyStochasticPenalty: alpha [B, T, …] must have rank 3 or more, got shape [2, 3]; reshape it first",
    );
    expect(() => doublyStochasticPenalty(tf.zeros([2, 3, 5]), { weight: -1 })).toThrow(
      "doublyStochasticPenalty: weight must be 0 or more, got -1; choose one in that range or leave it out",
    );
    expect(() => doublyStochasticPenalty(tf.zeros([2, 3, 5]), { allow: tf.ones([2, 2], "bool") })).toThrow(
      "doublyStochasticPenalty: allow must be bool of shape [B, T] = [2, 3], got bool of shape [2, 2]; the letters " +
        "must mean the same sizes in all of the call's tensors",
    );
  });
});
