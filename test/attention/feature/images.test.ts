import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  adaptiveKernelSize,
  bam,
  cbam,
  channelAttention,
  coordinateAttention,
  efficientChannelAttention,
  globalContext,
  reducedWidth,
  selectiveKernel,
  spatialAttention,
  squeezeExcitation,
  tripletAttention,
} from "../../../src/attention/feature/index.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, H, W, C, R] = [2, 3, 5, 7, 2];
const given = <T extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<T>(random(seed, shape));
const image = () => given<tf.Tensor4D>(1, B, H, W, C);
const matrix = (seed: number, rows: number, columns: number) => given<tf.Tensor2D>(seed, rows, columns);
const vector = (seed: number, n: number) => given<tf.Tensor1D>(seed, n);
const filter = (seed: number, size: number, I: number, O: number) =>
  given<tf.Tensor4D>(seed, size, size, I, O);
const bottleneck = () => ({ w1: matrix(2, C, R), b1: vector(3, R), w2: matrix(4, R, C), b2: vector(5, C) });
const map = (seed: number) => ({ w: filter(seed, 3, 2, 1) });
const bamParameters = () => ({
  channel: bottleneck(),
  spatial: {
    reduce: { w: filter(6, 1, C, R) },
    context: [{ w: filter(7, 3, R, R) }],
    project: { w: filter(8, 1, R, 1) },
  },
});

/** The pixels of each image in another order. */
function shuffled(x: tf.Tensor4D, order: number[]): tf.Tensor4D {
  const pixels = tf.gather(tf.reshape(x, [B, H * W, -1]), tf.tensor1d(order, "int32"), 1);
  return tf.reshape(pixels, x.shape);
}
const ORDER = Array.from({ length: H * W }, (_, e) => (7 * e + 3) % (H * W));

onEveryBackend("attention over images", () => {
  it("every gate and map lies in (0, 1), in the shape that its documentation says", () => {
    tf.tidy(() => {
      const x = image();
      const gates: [tf.Tensor, number[]][] = [
        [squeezeExcitation(x, bottleneck()).gate, [B, 1, 1, C]],
        [efficientChannelAttention(x, { w: vector(2, 3) }).gate, [B, 1, 1, C]],
        [channelAttention(x, bottleneck()).gate, [B, 1, 1, C]],
        [spatialAttention(x, map(2)).map, [B, H, W, 1]],
        [cbam(x, { channel: bottleneck(), spatial: map(6) }).gate, [B, 1, 1, C]],
        [cbam(x, { channel: bottleneck(), spatial: map(6) }).map, [B, H, W, 1]],
        [bam(x, bamParameters()).map, [B, H, W, C]],
        ...Object.entries(tripletAttention(x, { hw: map(2), hc: map(3), wc: map(4) }).map).map(
          ([name, t]) =>
            [t, { hw: [B, H, W, 1], hc: [B, H, 1, C], wc: [B, 1, W, C] }[name]!] as [tf.Tensor, number[]],
        ),
      ];
      const strips = { w1: matrix(2, C, R), wh: matrix(3, R, C), ww: matrix(4, R, C) };
      const { output, rowGate, columnGate } = coordinateAttention(x, strips);
      gates.push([rowGate, [B, H, 1, C]], [columnGate, [B, 1, W, C]]);
      for (const [gate, shape] of gates) {
        expect(gate.shape).toEqual(shape);
        expect(gate.dataSync().every((g) => g > 0 && g < 1)).toBe(true);
      }
      const product = tf.mul(x, tf.mul(rowGate, columnGate));
      expect(distance(output.dataSync(), product.dataSync())).toBeLessThanOrEqual(8 * ROUNDING);
    });
  });

  it("channel gates are the same at every pixel and do not notice the order of pixels", () => {
    tf.tidy(() => {
      const x = image();
      const gates = [
        (t: tf.Tensor4D) => squeezeExcitation(t, bottleneck()),
        (t: tf.Tensor4D) => efficientChannelAttention(t, { w: vector(2, 3) }),
        (t: tf.Tensor4D) => channelAttention(t, bottleneck()),
      ];
      for (const f of gates) {
        const { output, gate } = f(x);
        expect(output.dataSync()).toEqual(tf.mul(x, gate).dataSync());
        const other = f(shuffled(x, ORDER));
        expect(distance(other.gate.dataSync(), gate.dataSync())).toBeLessThanOrEqual(16 * ROUNDING);
        expect(distance(other.output.dataSync(), shuffled(output, ORDER).dataSync())).toBeLessThanOrEqual(
          64 * ROUNDING,
        );
      }
      const zeros = { w1: tf.zeros<tf.Rank.R2>([C, R]), w2: tf.zeros<tf.Rank.R2>([R, C]) };
      expect(
        squeezeExcitation(x, zeros)
          .gate.dataSync()
          .every((g) => g === 0.5),
      ).toBe(true);
    });
  });

  it("CBAM is its channel attention and then its spatial attention, bit for bit", () => {
    tf.tidy(() => {
      const x = image();
      const both = cbam(x, { channel: bottleneck(), spatial: map(6) });
      const first = channelAttention(x, bottleneck());
      const second = spatialAttention(first.output, map(6));
      expect(both.gate.dataSync()).toEqual(first.gate.dataSync());
      expect(both.map.dataSync()).toEqual(second.map.dataSync());
      expect(both.output.dataSync()).toEqual(second.output.dataSync());
    });
  });

  it("shares the gradient of a maximum evenly among the pixels that hold it", () => {
    const x = tf.tensor4d([3, 3, 1, 3], [1, 2, 2, 1]);
    const parameters = { w1: tf.ones<tf.Rank.R2>([1, 1]), w2: tf.ones<tf.Rank.R2>([1, 1]) };
    const gradient = tf.grad((t) => channelAttention(t as tf.Tensor4D, parameters).gate)(x);
    // The gate's slope s = g(1 − g) comes from the mean by a quarter each, and from the maximum by a third each.
    const g = 1 / (1 + Math.exp(-5.5));
    const s = g * (1 - g);
    const [third, none] = [s * (1 / 4 + 1 / 3), s / 4];
    expect(distance(gradient.dataSync(), [third, third, none, third])).toBeLessThanOrEqual(8 * ROUNDING);
  });

  it("the map of a global context sums to 1, and its block is the identity where W₂ = 0", () => {
    tf.tidy(() => {
      const x = image();
      const parameters = { wk: vector(2, C), w1: matrix(3, C, R), w2: tf.zeros<tf.Rank.R2>([R, C]) };
      const { output, map } = globalContext(x, parameters);
      expect(map.shape).toEqual([B, H, W, 1]);
      expect(distance(tf.sum(map, [1, 2, 3]).dataSync(), [1, 1])).toBeLessThanOrEqual(16 * ROUNDING);
      expect(output.dataSync()).toEqual(x.dataSync());
      const scores = tf.sum(tf.mul(x, parameters.wk), 3);
      const expected = tf.softmax(tf.reshape(scores, [B, H * W]));
      expect(distance(map.dataSync(), expected.dataSync())).toBeLessThanOrEqual(16 * ROUNDING);
    });
  });

  it("the weights of selected kernels sum to 1, and the output mixes the branches by them", () => {
    tf.tidy(() => {
      const x = image();
      const branches = [
        { w: filter(2, 1, C, 3) },
        { w: filter(3, 3, C, 3) },
        { w: filter(4, 3, C, 3), dilation: 3 },
      ];
      const { output, weights } = selectiveKernel(x, { branches, w1: matrix(5, 3, 2), w2: matrix(6, 2, 9) });
      expect(output.shape).toEqual([B, H, W, 3]);
      expect(distance(tf.sum(weights, 1).dataSync(), Array(B * 3).fill(1))).toBeLessThanOrEqual(8 * ROUNDING);
      const alone = selectiveKernel(x, {
        branches: [branches[1]!],
        w1: matrix(5, 3, 2),
        w2: matrix(7, 2, 3),
      });
      const expected = tf.relu(tf.conv2d(x, branches[1]!.w, 1, "same"));
      expect(alone.output.dataSync()).toEqual(expected.dataSync());
      const gradient = tf.grad((t) => {
        const one = { branches: [branches[1]!], w1: matrix(5, 3, 2), w2: matrix(7, 2, 3) };
        return selectiveKernel(t as tf.Tensor4D, one).output;
      })(x);
      const wanted = tf.grad((t) => tf.relu(tf.conv2d(t as tf.Tensor4D, branches[1]!.w, 1, "same")))(x);
      expect(distance(gradient.dataSync(), wanted.dataSync())).toBeLessThanOrEqual(1e-5);
    });
  });

  it("a dilated convolution equals one whose filter has zeros between its taps, at any size", () => {
    tf.tidy(() => {
      for (const [height, width, dilation] of [
        [3, 5, 2],
        [7, 4, 3],
        [2, 2, 4],
        [9, 8, 2],
      ] as const) {
        const x = given<tf.Tensor4D>(1, 2, height, width, 3);
        const w = filter(2, 3, 3, 3);
        const size = 2 * dilation + 1;
        const spread = tf.buffer([size, size, 3, 3]);
        w.dataSync().forEach((value, e) => {
          const [i, j, rest] = [Math.floor(e / 27), Math.floor(e / 9) % 3, e % 9];
          spread.set(value, i * dilation, j * dilation, Math.floor(rest / 3), rest % 3);
        });
        const open = { w1: tf.zeros<tf.Rank.R2>([3, 1]), w2: tf.zeros<tf.Rank.R2>([1, 3]) };
        const { output } = selectiveKernel(x, { ...open, branches: [{ w, dilation }] });
        const expected = tf.relu(tf.conv2d(x, spread.toTensor() as tf.Tensor4D, 1, "same"));
        // Sums of 27 products of size 1 to 10.
        expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-5);
      }
    });
  });

  it("takes a function in place of a folded normalisation", () => {
    tf.tidy(() => {
      const x = image();
      const [scale, shift] = [tf.tensor1d([0.5]), tf.tensor1d([-1])];
      const folded = spatialAttention(x, { ...map(2), norm: { scale, shift } });
      const norm = <T extends tf.Tensor>(t: T): T => tf.sub(tf.div(t, 2), 1);
      const called = spatialAttention(x, { ...map(2), norm });
      expect(called.map.dataSync()).toEqual(folded.map.dataSync());
    });
  });

  it("dispenses with turning the image for triplet attention: only maps are transposed", async () => {
    const x = image();
    const { kernels } = await tf.profile(
      () => tripletAttention(x, { hw: map(2), hc: map(3), wc: map(4) }).output,
    );
    const moved = kernels.filter(({ name, outputShapes }) => {
      const size = (outputShapes[0] ?? []).reduce((a, b) => a * b, 1);
      return name === "Transpose" && size >= x.size;
    });
    expect(moved).toEqual([]);
  });
});

it("reducedWidth is never 0, and rounds to a divisor as timm does", () => {
  expect([1, 8, 15, 16, 17, 31, 32, 256].map((n) => reducedWidth(n))).toEqual([1, 1, 1, 1, 1, 1, 2, 16]);
  // From timm 1.0.31: make_divisible(C / 16, 8, round_limit=0.)
  const timm = { 16: 8, 64: 8, 190: 8, 192: 16, 200: 16, 256: 16, 320: 24 };
  for (const [width, expected] of Object.entries(timm)) {
    expect(reducedWidth(Number(width), { divisor: 8 })).toBe(expected);
  }
  expect(reducedWidth(10, { ratio: 4 })).toBe(2);
});

it("adaptiveKernelSize is the paper's: 3 for 64 channels, 5 for 512, and always odd", () => {
  expect([1, 4, 16, 64, 127, 128, 256, 512, 2048].map((n) => adaptiveKernelSize(n))).toEqual([
    1, 1, 3, 3, 3, 5, 5, 5, 7,
  ]);
});
