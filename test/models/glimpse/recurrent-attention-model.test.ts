import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { capture } from "../../../src/capture/capture.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import {
  type RecurrentAttentionConfig,
  RecurrentAttentionModel,
} from "../../../src/models/glimpse/recurrent-attention-model.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import { glimpseView } from "../../../src/views/glimpse.ts";
import { describeModel, images, refusal } from "./harness.ts";

const IMAGE = [11, 13, 3] as const;
const CONFIG: RecurrentAttentionConfig = {
  image: [IMAGE[0], IMAGE[1]],
  channels: IMAGE[2],
  patch: 3,
  scales: 2,
  glimpses: 3,
  hidden: 5,
  units: 7,
  classes: 4,
  deviation: 0.3,
};
const labels = (count: number) =>
  tf.tensor1d(
    Array.from({ length: count }, (_, n) => n % 4),
    "int32",
  );

describeModel("RecurrentAttentionModel", {
  make: (start = 1) => new RecurrentAttentionModel(CONFIG, start),
  image: IMAGE,
  loss: (model, x) => model.loss(x, labels(x.shape[0]), 3),
  outputs: (model, x) => {
    const { place, logits, expected, logProbability } = model.run(x, 2).at(-1)!;
    const [a, b] = [expected, logProbability].map((t) => tf.expandDims(t, 1) as tf.Tensor2D);
    return tf.concat2d([place, logits, a!, b!, model.classify(x)], 1);
  },
});

/** A model whose every parameter is 0: it scores all classes alike, of which the first is the likeliest, and expects nothing. */
function idle(): RecurrentAttentionModel {
  const model = new RecurrentAttentionModel(CONFIG, 1);
  for (const variable of Object.values(model.parameters.variables))
    tf.tidy(() => variable.assign(tf.zerosLike(variable)));
  return model;
}

/** Its noise at look t: [B, 2]. */
const noiseOf = (seed: number, t: number, B: number) =>
  new RandomStream(seed, t).fillNormal(new Float32Array(2 * B));

describe("the policy of an idle model", () => {
  test("looks at the middle, with a seed σ times its noise beside it", async () => {
    await useHeedBackend();
    const model = idle();
    tf.tidy(() => {
      const x = images(2, IMAGE);
      expect(model.run(x).flatMap(({ place }) => [...place.dataSync()])).toEqual(Array(12).fill(0));
      const [first, second, third] = model.run(x, 5).map(({ place }) => [...place.dataSync()]);
      expect(first).toEqual([0, 0, 0, 0]);
      for (const [t, place] of [second!, third!].entries())
        noiseOf(5, t, 2).forEach((z, n) => {
          expect(place[n]).toBeCloseTo(0.3 * z, 6);
        });
    });
    model.dispose();
  });

  test("says how likely its places were, by hand", async () => {
    await useHeedBackend();
    const model = idle();
    tf.tidy(() => {
      const found = model.run(images(1, IMAGE), 5).map(({ logProbability }) => logProbability.dataSync()[0]!);
      const [y, x] = noiseOf(5, 0, 1) as unknown as [number, number];
      expect(found[0]).toBe(0);
      expect(found[1]).toBeCloseTo(-(y * y + x * x) / 2 - Math.log(2 * Math.PI * 0.09), 4);
    });
    model.dispose();
  });

  test("learns from the reward alone: −mean (R − b)·(l − μ)/σ² at its mean, and R at the baseline", async () => {
    await useHeedBackend();
    const model = idle();
    const x = images(3, IMAGE);
    const wanted = tf.tensor1d([0, 1, 0], "int32");
    const { grads } = namedGradients(model.parameters.variables, () => model.loss(x, wanted, 5));
    const rewards = [1, 0, 1];
    const noise = [0, 1].map((t) => noiseOf(5, t, 3));
    for (const axis of [0, 1]) {
      const terms = noise.flatMap((z) => rewards.map((R, b) => (R * z[2 * b + axis]!) / 0.3));
      const mean = terms.reduce((a, b) => a + b) / terms.length;
      expect(grads["location/bias"]!.dataSync()[axis]).toBeCloseTo(-mean, 5);
    }
    // ∂ ½(R − b)²/∂b = −R, the mean over looks and examples.
    expect(grads["baseline/bias"]!.dataSync()[0]).toBeCloseTo(-2 / 3, 5);
    // Cross-entropy: softmax − one-hot, the mean over examples; nothing of the reward.
    const classes = [0.25 - 2 / 3, 0.25 - 1 / 3, 0.25, 0.25];
    [...grads["class/bias"]!.dataSync()].forEach((g, n) => {
      expect(g).toBeCloseTo(classes[n]!, 5);
    });
    tf.dispose([grads, x, wanted]);
    model.dispose();
  });
});

test("a capture has a glimpse for each scale of each look, and the view draws their boxes", async () => {
  await useHeedBackend();
  const model = new RecurrentAttentionModel({ ...CONFIG, channels: 1 }, 1);
  const x = images(1, [11, 13, 1]);
  const trace = capture((image: tf.Tensor4D) => model.classify(image), x);
  expect(trace.glimpseSizes).toEqual(
    [0, 1, 2].flatMap(() => [
      [3, 3],
      [6, 6],
    ]),
  );
  expect(glimpseView.svg(trace, {}).match(/<polygon/g)!.length).toBe(2 * 6);
  for (const one of [model, x]) one.dispose();
});

describe("the recurrent attention model refuses", () => {
  const op = "RecurrentAttentionModel";
  const range = "choose one in that range or leave it out";
  test.each([
    [{ glimpses: 1 }, `${op}: glimpses must be an integer ≥ 2, got 1; ${range}`],
    [{ deviation: 0 }, `${op}: deviation must be a positive number, got 0; ${range}`],
    [{ classes: 2.5 }, `${op}: classes must be an integer ≥ 1, got 2.5; ${range}`],
    [
      { steps: 3 },
      `${op}: every key must be one of image, channels, patch, scales, glimpses, hidden, units, classes, deviation, ` +
        "got steps; correct the configuration",
    ],
  ])("a configuration with %j", async (changes, message) => {
    await useHeedBackend();
    const make = () => new RecurrentAttentionModel({ ...CONFIG, ...changes } as RecurrentAttentionConfig);
    expect(refusal(make)).toEqual({ message, left: 0 });
  });

  test("images and labels of other sizes, and a seed that is none", async () => {
    await useHeedBackend();
    const model = new RecurrentAttentionModel(CONFIG, 1);
    const [x, three] = [images(2, IMAGE), labels(3)];
    expect(refusal(() => model.loss(x, three, 1))).toEqual({
      message:
        `${op}.loss: labels must be int32 of shape [B] = [2], got int32 of shape [3]; ` +
        "the letters must mean the same sizes in all of the call's tensors",
      left: 0,
    });
    expect(refusal(() => model.run(x, 0.5)).message).toBe(
      `${op}.run: seed must be an integer ≥ 0, got 0.5; ${range}`,
    );
    tf.dispose([x, three]);
    model.dispose();
  });
});
