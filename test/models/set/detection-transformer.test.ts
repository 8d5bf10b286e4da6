import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { DetectionTransformer } from "../../../src/models/set/detection-transformer.ts";
import type { SceneObject } from "../../../src/models/set/matching.ts";
import { setPredictionLoss } from "../../../src/models/set/set-prediction-loss.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../../attention/support.ts";
import { expectGradients, expectReloads } from "./support.ts";

const [B, H, W, Q, K] = [2, 5, 7, 3, 2];
const CONFIG = {
  ...{ channels: 3, convolutions: [5], width: 8, heads: 2, inner: 11 },
  ...{ encoderLayers: 1, decoderLayers: 2, queries: Q, classes: K },
};
const FEATURES = { ...CONFIG, convolutions: [] };
const image = () => tensor<tf.Tensor4D>(random(1, [B, H, W, 3]));
const OBJECTS: SceneObject[][] = [
  [
    { label: 0, box: [0.25, 0.5, 0.2, 0.3] },
    { label: 1, box: [0.75, 0.25, 0.1, 0.1] },
  ],
  [],
];

onEveryBackend("setPredictionLoss", () => {
  // Query 0 says class 1 at the place of the object, query 1 no object.
  const logits = () => tf.tensor3d([0, 4, 0, 0, 0, 4], [1, 2, 3]);
  const boxes = () => tf.tensor3d([0.5, 0.5, 0.25, 0.5, 0.1, 0.1, 0.1, 0.1], [1, 2, 4]);
  const objects: SceneObject[][] = [[{ label: 1, box: [0.5, 0.5, 0.5, 0.5] }]];

  it("is a sum worked by hand", () => {
    const parts = setPredictionLoss({ logits: logits(), boxes: boxes() }, objects);
    expect(parts.matches).toEqual([[[0, 0]]]);
    // Both queries are right with −ln(e⁴/(e⁴ + 2)); the width is ¼ off; the box is half of the object.
    const entropy = Math.log(1 + 2 * Math.exp(-4));
    const found = [parts.classification, parts.distance, parts.overlap, parts.loss].map(
      (t) => t.dataSync()[0]!,
    );
    expect(distance(found, [entropy, 0.25, 0.5, entropy + 5 * 0.25 + 2 * 0.5])).toBeLessThanOrEqual(
      16 * ROUNDING,
    );
    const wrong = setPredictionLoss({ logits: tf.reverse(logits(), 2), boxes: boxes() }, objects, {
      noObject: 0.25,
    });
    // Query 0 is as it was, query 1 wrong with −ln(1/(e⁴ + 2)) = entropy + 4, and counts a quarter.
    expect(wrong.classification.dataSync()[0]).toBeCloseTo((entropy + 0.25 * (entropy + 4)) / 1.25, 5);
  });

  it("does not depend on the order of queries or objects, and passes the gradient check", () => {
    const given = { logits: tensor(random(4, [2, 5, 3])), boxes: tf.sigmoid(tensor(random(5, [2, 5, 4]))) };
    const loss = (t: Record<string, tf.Tensor>, list: SceneObject[][]) =>
      setPredictionLoss(t as unknown as { logits: tf.Tensor3D; boxes: tf.Tensor3D }, list).loss;
    const [first] = OBJECTS;
    const turned = { logits: tf.reverse(given.logits, 1), boxes: tf.reverse(given.boxes, 1) };
    const [one, other] = [loss(given, OBJECTS), loss(turned, [first!.toReversed(), []])];
    expect(distance(one.dataSync(), other.dataSync())).toBeLessThanOrEqual(32 * ROUNDING * 10);
    expect(() =>
      gradcheckTensors(
        ({ logits: l }) => loss({ ...given, logits: l! }, OBJECTS),
        { logits: given.logits },
        64,
      ),
    ).not.toThrow();
  });

  it("moves the boxes of matched queries alone, and none where no scene has an object", () => {
    const gradient = (list: SceneObject[][]) =>
      tf
        .grad((t) => setPredictionLoss({ logits: logits(), boxes: t as tf.Tensor3D }, list).loss)(boxes())
        .dataSync();
    const some = gradient(objects);
    expect(some.slice(0, 4).some((d: number) => d !== 0)).toBe(true);
    expect([...some.slice(4)]).toEqual([0, 0, 0, 0]);
    expect(gradient([[]]).every((d: number) => d === 0)).toBe(true);
  });

  it("refuses lists for another number of scenes, and labels that are no class", () => {
    const prediction = { logits: logits(), boxes: boxes() };
    const { numTensors } = tf.memory();
    expect(() => setPredictionLoss(prediction, [])).toThrow(
      "setPredictionLoss: objects must be B=1 lists, one for each scene, got 0 lists; pass an empty list for a scene without " +
        "objects",
    );
    expect(() => setPredictionLoss(prediction, [[{ label: 2, box: [0.5, 0.5, 1, 1] }]])).toThrow(
      "matchObjects: a label must be an integer from 0 to 1, got 2; count classes from 0, or make a model with more of them",
    );
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

onEveryBackend("DetectionTransformer", () => {
  it("says a class and a box of each query, and what it looked at", () => {
    for (const [config, grid] of [
      [CONFIG, [3, 4]],
      [FEATURES, [5, 7]],
    ] as const) {
      const model = new DetectionTransformer(config, 1);
      const output = model.forward(image(), { attention: true });
      expect(output.logits.shape).toEqual([B, Q, K + 1]);
      expect(output.boxes.shape).toEqual([B, Q, 4]);
      expect(output.grid).toEqual(grid);
      expect(output.earlier.length).toBe(1);
      const S = grid[0] * grid[1];
      expect(output.attention.shape).toEqual([B, 2, Q, S]);
      const sums = tf.sum(output.attention, 3).dataSync();
      expect(distance(sums, new Float32Array(B * 2 * Q).fill(1))).toBeLessThanOrEqual(16 * ROUNDING);
      const within = output.boxes.dataSync().every((n: number) => n > 0 && n < 1);
      expect(within).toBe(true);
      model.dispose();
    }
  });

  it("begins at its points: the centre of each box is that of the query's part of the image", () => {
    const model = new DetectionTransformer({ ...FEATURES, queries: 5 }, 1);
    const still = model.parameters.variables["box/output/kernel"]!;
    still.assign(tf.zerosLike(still));
    const boxes = model.forward(image()).boxes.arraySync()[0]!;
    const centres = boxes.flatMap(([x, y]) => [x!, y!]);
    // Five points: a row of three and a row of two.
    const points = [1 / 6, 1 / 4, 1 / 2, 1 / 4, 5 / 6, 1 / 4, 1 / 4, 3 / 4, 3 / 4, 3 / 4];
    expect(distance(centres, points)).toBeLessThanOrEqual(16 * ROUNDING);
    model.dispose();
  });

  it("its loss is that of every layer of the decoder, and every parameter has a gradient of it", () => {
    const model = new DetectionTransformer(CONFIG, 1);
    const x = image();
    const { earlier, ...last } = model.forward(x);
    const sum = [last, ...earlier].map((said) => setPredictionLoss(said, OBJECTS).loss.dataSync()[0]!);
    const { loss } = model.loss(x, OBJECTS);
    expect(loss.dataSync()[0]).toBeCloseTo(sum[0]! + sum[1]!, 4);
    // The queries of the first layer are 0 but for their places: as values they say nothing, in whatever shares.
    const none = [
      "query/kernel",
      "query/bias",
      "key/kernel",
      "value/kernel",
      "output/kernel",
      "norm/gamma",
      "norm/beta",
    ];
    const still = ["key/bias", "decoder/0/cross/norm/gamma", ...none.map((name) => `decoder/0/self/${name}`)];
    expectGradients(model, () => model.loss(x, OBJECTS).loss, still);
    model.dispose();
  });

  it("finds the objects of the highest scores first, and leaves nothing behind", () => {
    const model = new DetectionTransformer(CONFIG, 1);
    const x = image();
    const { numTensors } = tf.memory();
    const all = model.detect(x, { least: 0 });
    expect(tf.memory().numTensors).toBe(numTensors);
    const { logits, boxes } = model.forward(x);
    const [chances, places] = [tf.softmax(logits).arraySync(), boxes.arraySync()];
    for (const [b, found] of all.entries()) {
      expect(found.map(({ query }) => query).toSorted()).toEqual([0, 1, 2]);
      const scores = found.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, c) => c - a));
      for (const { query, label, score, box } of found) {
        expect(score).toBe(chances[b]![query]![label]);
        expect(score).toBe(Math.max(...chances[b]![query]!.slice(0, -1)));
        expect(box).toEqual(places[b]![query]);
      }
      const half = model.detect(x, { least: scores[1]! })[b]!;
      expect(half.length).toBe(2);
    }
    model.dispose();
  });

  it("has a non-local block that begins as the identity, and that every cell reads all cells by", () => {
    const config = { ...CONFIG, encoderLayers: 0, nonLocal: 3 };
    const [without, model] = [{ ...config, nonLocal: 0 }, config].map((c) => new DetectionTransformer(c, 1));
    const x = image();
    const said = (of: DetectionTransformer) => of.forward(x).logits.dataSync();
    expect(distance(said(model!), said(without!))).toBeLessThanOrEqual(64 * ROUNDING * 10);
    expect(without!.forward(x, { attention: true }).cells).toBeUndefined();
    const z = model!.parameters.variables["non-local/z/kernel"]!;
    z.assign(tensor(random(3, [3, 8])));
    expect(distance(said(model!), said(without!))).toBeGreaterThan(1e-3);
    const { cells } = model!.forward(x, { attention: true });
    expect(cells!.shape).toEqual([B, 12, 12]);
    const sums = tf.sum(cells!, 2).dataSync();
    expect(distance(sums, new Float32Array(B * 12).fill(1))).toBeLessThanOrEqual(16 * ROUNDING);
    // Moves all scores of a cell alike.
    const still = ["key/bias", "phi/bias", "decoder/0/cross/norm/gamma"];
    const first = ["query/kernel", "query/bias", "key/kernel", "value/kernel", "output/kernel"];
    const norms = ["norm/gamma", "norm/beta"];
    const none = [...first, ...norms].map((name) => `decoder/0/self/${name}`);
    expectGradients(model!, () => model!.loss(x, OBJECTS).loss, [...still, ...none]);
    model!.dispose();
    without!.dispose();
  });

  it("is made again of its values, bit for bit, and leaves nothing behind", () => {
    const x = image();
    expectReloads(
      (start) => new DetectionTransformer(CONFIG, start),
      (model) => model.forward(x).boxes,
    );
  });

  it("refuses configurations and images that are none", () => {
    expect(() => new DetectionTransformer({ ...CONFIG, width: 6 })).toThrow(
      "DetectionTransformer: width must be a multiple of 4, got 6; correct the configuration",
    );
    expect(() => new DetectionTransformer({ ...CONFIG, convolutions: [0] })).toThrow(
      "DetectionTransformer: convolutions must be a list of integers ≥ 1, got [0]; correct the configuration",
    );
    expect(() => new DetectionTransformer({ ...CONFIG, nonLocal: -1 })).toThrow(
      "DetectionTransformer: nonLocal must be an integer ≥ 0, got -1; correct the configuration",
    );
    const model = new DetectionTransformer(CONFIG, 1);
    expect(() => model.forward(tf.zeros([B, H, W, 4]))).toThrow(
      "DetectionTransformer: x must be float32 of shape [B, H, W, Cin] = [2, 5, 7, 3], got float32 of shape [2, 5, 7, 4]; the " +
        "letters must mean the same sizes in all of the call's tensors",
    );
    model.dispose();
  });
});
