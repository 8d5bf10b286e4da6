import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { drawGaussians, drawParameters, drawRead, drawWrite } from "../../../src/attention/glimpse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { type FixtureArray, fixture, leftBehind, toTensor } from "./fixture.ts";

interface Case {
  image: FixtureArray;
  patch: FixtureArray;
  parameters: FixtureArray;
  read: FixtureArray;
  written: FixtureArray;
  filtersY: FixtureArray;
}

const CASES = fixture<Case[]>("draw").map((one) => [one.image.shape, one] as const);

const inner = (a: tf.Tensor, b: tf.Tensor) => {
  const [x, y] = [a.dataSync(), b.dataSync()];
  return Array.from(x).reduce((sum, value, e) => sum + value * y[e]!, 0);
};

const small = (seed: number, B: number) =>
  tf.mul(tensor<tf.Tensor2D>(random(seed, [B, 5])), 0.4) as tf.Tensor2D;

onEveryBackend("DRAW's attention", () => {
  it.each(CASES)("reads and writes as the paper's formulas do, images of %j", (_, given) => {
    tf.tidy(() => {
      const [image, patch] = [toTensor<tf.Tensor4D>(given.image), toTensor<tf.Tensor4D>(given.patch)];
      const [, N] = patch.shape;
      const [, H, W] = image.shape;
      const parameters = drawParameters(toTensor(given.parameters));
      const read = drawRead(image, parameters, [N, N], { filters: true });
      expect(distance(read.output.dataSync(), given.read.values)).toBeLessThanOrEqual(1e-5);
      expect(distance(read.filters.y.dataSync(), given.filtersY.values)).toBeLessThanOrEqual(1e-5);
      const written = drawWrite(patch, parameters, [H, W]);
      expect(written.filters).toBeUndefined();
      expect(distance(written.output.dataSync(), given.written.values)).toBeLessThanOrEqual(1e-5);
    });
  });

  it("writes as the transpose of what it reads, where the intensity is 1", () => {
    const vector = tf.concat([tf.slice(small(1, 3), [0, 0], [3, 4]), tf.zeros([3, 1])], 1) as tf.Tensor2D;
    const [image, patch] = [
      tensor<tf.Tensor4D>(random(2, [3, 7, 11, 2])),
      tensor<tf.Tensor4D>(random(3, [3, 3, 5, 2])),
    ];
    const parameters = drawParameters(vector);
    const read = drawRead(image, parameters, [3, 5]).output;
    const written = drawWrite(patch, parameters, [7, 11]).output;
    expect(Math.abs(inner(read, patch) - inner(image, written))).toBeLessThanOrEqual(1e-5);
    // With an intensity γ the one is γ times, the other 1/γ times that.
    const louder = { ...parameters, logIntensity: tf.fill<tf.Rank.R1>([3], Math.log(4)) };
    const loud = inner(drawRead(image, louder, [3, 5]).output, patch);
    const soft = inner(image, drawWrite(patch, louder, [7, 11]).output);
    expect(Math.abs(loud / 4 - 4 * soft)).toBeLessThanOrEqual(1e-5);
  });

  it("spans the image's longer side at zeros, from the first pixel to the last", () => {
    const { y, x } = drawGaussians(drawParameters(tf.zeros([1, 5])), [4, 4], [5, 13]);
    // δ = 12/3; the columns are 0, 4, 8 and 12, the rows lie around the middle one, 2.
    expect([x.u.dataSync()[0], x.d.dataSync()[0], x.s.dataSync()[0]]).toEqual([0, 4, 1]);
    expect([y.u.dataSync()[0], y.d.dataSync()[0]]).toEqual([-4, 4]);
  });

  it("has −1 and 1 one pixel beyond the edges, since the paper counts pixels from 1", () => {
    const { x } = drawGaussians(drawParameters(tf.tensor2d([[-1, 0, 0, -30, 0]])), [2, 2], [7, 9]);
    expect(x.u.dataSync()[0]).toBeCloseTo(-1, 5);
    const end = drawGaussians(drawParameters(tf.tensor2d([[1, 0, 0, -30, 0]])), [2, 2], [7, 9]);
    expect(end.x.u.dataSync()[0]).toBeCloseTo(9, 5);
  });

  it.each([
    [2, 5, 3, 2],
    [3, 5, 7, 1],
    [1, 7, 5, 3],
  ])("passes the gradient checks of reading and writing, images of [%i, %i, %i, %i]", (B, H, W, C) => {
    // In eighths: a whole unit of the vector moves a centre by half of the image, too far for the check's step.
    const vector = tf.mul(small(4, B), 8);
    const parameters = (v: tf.Tensor) => drawParameters(tf.mul(v, 1 / 8) as tf.Tensor2D);
    const [image, patch] = [tensor(random(5, [B, H, W, C])), tensor(random(6, [B, 3, 2, C]))];
    const read = (t: Record<string, tf.Tensor>) =>
      drawRead(t.image as tf.Tensor4D, parameters(t.vector!), [3, 2]).output;
    const write = (t: Record<string, tf.Tensor>) =>
      drawWrite(t.patch as tf.Tensor4D, parameters(t.vector!), [H, W]).output;
    gradcheckTensors(read, { image, vector });
    gradcheckTensors(write, { patch, vector });
    for (const [f, shape] of [
      [(v: tf.Tensor) => read({ image, vector: v }), [B, 3, 2, C]],
      [(v: tf.Tensor) => write({ patch, vector: v }), [B, H, W, C]],
    ] as const) {
      const gradient = tf.grad(f)(vector, tensor(random(7, shape)));
      expect(gradient.dataSync().every((d) => d !== 0)).toBe(true);
    }
  });

  it("leaves no tensor behind", () => {
    const image = tensor<tf.Tensor4D>(random(2, [3, 7, 11, 2]));
    const patch = tensor<tf.Tensor4D>(random(3, [3, 3, 5, 2]));
    const vector = small(8, 3);
    const parameters = drawParameters(vector);
    const calls = [
      () => drawRead(image, parameters, [3, 5], { filters: true }),
      () => drawWrite(patch, parameters, [7, 11]),
      () => drawGaussians(parameters, [3, 5], [7, 11]),
      () => drawParameters(vector),
    ];
    for (const call of calls) expect(leftBehind(() => call() as unknown as tf.TensorContainerObject)).toBe(0);
  });

  it("refuses patches without a stride, vectors of another width and other batches", () => {
    const parameters = drawParameters(tf.zeros([2, 5]));
    expect(() => drawRead(tf.zeros([2, 7, 7, 1]), parameters, [1, 1])).toThrow(
      "drawRead: N = max(h, w) must be 2 or more, got 1; choose one in that range or leave it out",
    );
    expect(() => drawParameters(tf.zeros([2, 4]))).toThrow(
      "drawParameters: vector must be float32 of shape [B, 5] = [2, 5], got float32 of shape [2, 4]; the letters must " +
        "mean the same sizes in all of the call's tensors",
    );
    expect(() => drawWrite(tf.zeros([3, 2, 2, 1]), parameters, [5, 5])).toThrow(
      "drawWrite: gX must be float32 of shape [B] = [3], got float32 of shape [2]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
    expect(() => drawWrite(tf.zeros([2, 2, 2, 1]), parameters, [5, 0])).toThrow(
      "drawWrite: the image's size [H, W] must be two integers of 1 or more, got [5,0]; give rows, then columns",
    );
  });
});
