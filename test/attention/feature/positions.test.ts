import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  axialAttention,
  crissCrossAttention,
  externalAttention,
  type NonLocalKind,
  nonLocal,
} from "../../../src/attention/feature/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { linear } from "../../../src/ops/linear.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, H, W, C, D] = [2, 3, 5, 7, 4];
const N = H * W;
const given = <T extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<T>(random(seed, shape));
const matrix = (seed: number, rows: number, columns: number) => given<tf.Tensor2D>(seed, rows, columns);
const vector = (seed: number, n: number) => given<tf.Tensor1D>(seed, n);
const image = (height = H, width = W) =>
  tf.mul(given<tf.Tensor4D>(1, B, height, width, C), 0.5) as tf.Tensor4D;
/** Outputs up to 10, each of sums of some tens of products. */
const TOLERANCE = 1e-5;

const embeddings = () => ({ wTheta: matrix(2, C, D), bTheta: vector(3, D), wPhi: matrix(4, C, D) });
const values = () => ({ wG: matrix(5, C, D), bG: vector(6, D), wZ: matrix(7, D, C), bZ: vector(8, C) });
const KINDS: readonly [NonLocalKind, () => Parameters<typeof nonLocal>[1]][] = [
  ["embeddedGaussian", () => ({ ...embeddings(), ...values() })],
  ["gaussian", values],
  ["dot", () => ({ ...embeddings(), ...values() })],
  ["concatenation", () => ({ ...embeddings(), ...values(), wF: vector(9, 2 * D) })],
];
const projections = (heads = 1) => ({
  ...{ wq: matrix(2, C, heads * D), bq: vector(3, heads * D), wk: matrix(4, C, heads * D) },
  ...{ wv: matrix(5, C, C - 1), bv: vector(6, C - 1) },
});

/** Attention of all pixels over all pixels, in `heads` heads, under a mask over pixels. */
function dense(x: tf.Tensor4D, heads: number, allow: (i: number, j: number) => boolean, scale?: number) {
  const { wq, bq, wk, wv, bv } = projections(heads);
  const [, height, width] = x.shape;
  const n = height * width;
  const pixels = tf.reshape(x, [B, n, C]);
  const split = (t: tf.Tensor) => tf.transpose(tf.reshape(t, [B, n, heads, -1]) as tf.Tensor4D, [0, 2, 1, 3]);
  const mask = tf.tensor2d(
    Array.from({ length: n * n }, (_, e) => (allow(Math.floor(e / n), e % n) ? 1 : 0)),
    [n, n],
    "bool",
  );
  const { output, weights } = softAttention(
    split(linear(pixels, wq, bq)),
    split(linear(pixels, wk)),
    split(linear(pixels, wv, bv)),
    { allow: mask, weights: true, ...(scale !== undefined && { scale }) },
  );
  const joined = tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [B, height, width, C - 1]);
  return { output: joined, weights };
}

onEveryBackend("attention over the positions of images", () => {
  it("the embedded Gaussian non-local block is soft attention over the pixels, projected and added", () => {
    tf.tidy(() => {
      const x = image();
      const p = { ...embeddings(), ...values() };
      const { output, weights } = nonLocal(x, p, { scale: 0.5, weights: true });
      const pixels = tf.reshape(x, [B, N, C]);
      const one = (t: tf.Tensor) => tf.expandDims<tf.Tensor4D>(t, 1);
      const soft = softAttention(
        one(linear(pixels, p.wTheta, p.bTheta)),
        one(linear(pixels, p.wPhi)),
        one(linear(pixels, p.wG, p.bG)),
        { scale: 0.5, weights: true },
      );
      const added = tf.add(x, tf.reshape(linear(soft.output, p.wZ, p.bZ), x.shape));
      expect(distance(output.dataSync(), added.dataSync())).toBeLessThanOrEqual(TOLERANCE);
      expect(weights.dataSync()).toEqual(soft.weights.dataSync());
      expect(weights.shape).toEqual([B, N, N]);
    });
  });

  it.each(KINDS)("%s: zeros in W_z make the block the identity, bit for bit", (kind, parameters) => {
    tf.tidy(() => {
      const x = image();
      const zeros = { wZ: tf.zeros<tf.Rank.R2>([D, C]), bZ: tf.zeros<tf.Rank.R1>([C]) };
      expect(nonLocal(x, { ...parameters(), ...zeros }, { kind }).output.dataSync()).toEqual(x.dataSync());
    });
  });

  it.each(KINDS)("%s: permuting the pixels permutes the output", (kind, parameters) => {
    tf.tidy(() => {
      const x = image();
      const order = tf.tensor1d(
        Array.from({ length: N }, (_, e) => (7 * e + 3) % N),
        "int32",
      );
      const permute = (t: tf.Tensor4D) =>
        tf.reshape(tf.gather(tf.reshape(t, [B, N, C]), order, 1), t.shape) as tf.Tensor4D;
      const moved = nonLocal(permute(x), parameters(), { kind }).output;
      const expected = permute(nonLocal(x, parameters(), { kind }).output);
      expect(distance(moved.dataSync(), expected.dataSync())).toBeLessThanOrEqual(TOLERANCE);
    });
  });

  it("dot: the two orders of the product give the same, and the cheap one is taken where it is cheaper", async () => {
    const x = image();
    const p = { ...embeddings(), ...values() };
    const sizes = async (weights: boolean) => {
      const { kernels } = await tf.profile(() => nonLocal(x, p, { kind: "dot", weights }).output);
      return kernels.flatMap(({ outputShapes }) => outputShapes.map((shape) => (shape ?? []).join()));
    };
    const pairs = `${B},${N},${N}`;
    expect(await sizes(false)).not.toContain(pairs); // 2·4·4 < 15·(4 + 4)
    expect(await sizes(true)).toContain(pairs);
    const cheap = nonLocal(x, p, { kind: "dot" }).output.dataSync();
    const paired = nonLocal(x, p, { kind: "dot", weights: true });
    expect(distance(cheap, paired.output.dataSync())).toBeLessThanOrEqual(TOLERANCE);
  });

  it("takes sequences and videos as it takes images", () => {
    tf.tidy(() => {
      const p = { ...embeddings(), ...values() };
      const x = image();
      const expected = nonLocal(x, p).output.dataSync();
      expect(nonLocal(tf.reshape(x, [B, N, C]), p).output.dataSync()).toEqual(expected);
      const video = nonLocal(tf.reshape(x, [B, H, 1, W, C]), p).output;
      expect(video.shape).toEqual([B, H, 1, W, C]);
      expect(video.dataSync()).toEqual(expected);
    });
  });

  it.each(["width", "height"] as const)(
    "along the %s, axial attention is dense attention with the mask of that axis",
    (axis) => {
      tf.tidy(() => {
        const x = image();
        const heads = 2;
        const row = (p: number) => Math.floor(p / W);
        const column = (p: number) => p % W;
        for (const causal of [false, true]) {
          const same = axis === "width" ? row : column;
          const at = axis === "width" ? column : row;
          const expected = dense(x, heads, (i, j) => same(i) === same(j) && (!causal || at(j) <= at(i)));
          const { output, weights } = axialAttention(x, projections(heads), {
            axis,
            heads,
            causal,
            weights: true,
          });
          expect(distance(output.dataSync(), expected.output.dataSync())).toBeLessThanOrEqual(TOLERANCE);
          const size = axis === "width" ? W : H;
          expect(weights.shape).toEqual([B, N / size, heads, size, size]);
          const all = expected.weights.bufferSync();
          const lines = weights.bufferSync();
          for (let line = 0; line < N / size; line++) {
            const pixel = (n: number) => (axis === "width" ? line * W + n : n * W + line);
            for (let i = 0; i < size; i++) {
              for (let j = 0; j < size; j++) {
                const got = lines.get(1, line, 1, i, j);
                expect(Math.abs(got - all.get(1, 1, pixel(i), pixel(j)))).toBeLessThanOrEqual(TOLERANCE);
              }
            }
          }
        }
      });
    },
  );

  it.each([
    [3, 5],
    [1, 5],
    [5, 1],
    [1, 1],
    [7, 2],
  ])(
    "criss-cross attention of %i × %i pixels is dense attention with the mask of a cross",
    (height, width) => {
      tf.tidy(() => {
        const x = image(height, width);
        const n = height * width;
        const row = (p: number) => Math.floor(p / width);
        const expected = dense(x, 1, (i, j) => row(i) === row(j) || i % width === j % width, 1);
        const { output, weights } = crissCrossAttention(x, projections(), { weights: true });
        expect(distance(output.dataSync(), expected.output.dataSync())).toBeLessThanOrEqual(TOLERANCE);
        expect(weights.shape).toEqual([B, height, width, height + width]);
        expect(distance(tf.sum(weights, 3).dataSync(), Array(B * n).fill(1))).toBeLessThanOrEqual(
          32 * ROUNDING,
        );
        const [all, cross] = [expected.weights.bufferSync(), weights.bufferSync()];
        for (let p = 0; p < n; p++) {
          const [h, w] = [row(p), p % width];
          for (let i = 0; i < height; i++) {
            const own = i === h ? 0 : all.get(1, 0, p, i * width + w);
            expect(Math.abs(cross.get(1, h, w, i) - own)).toBeLessThanOrEqual(TOLERANCE);
          }
          for (let j = 0; j < width; j++) {
            expect(
              Math.abs(cross.get(1, h, w, height + j) - all.get(1, 0, p, h * width + j)),
            ).toBeLessThanOrEqual(TOLERANCE);
          }
        }
        const gradient = tf.grad((t) => crissCrossAttention(t as tf.Tensor4D, projections()).output)(x);
        const wanted = tf.grad(
          (t) => dense(t as tf.Tensor4D, 1, (i, j) => row(i) === row(j) || i % width === j % width, 1).output,
        )(x);
        const size = Math.max(1, ...wanted.dataSync().map(Math.abs));
        expect(distance(gradient.dataSync(), wanted.dataSync())).toBeLessThanOrEqual(TOLERANCE * size);
      });
    },
  );

  it("criss-cross attention applied twice lets every pixel reach every other, and once does not", () => {
    tf.tidy(() => {
      const x = image();
      const p = { ...projections(), wv: matrix(5, C, C), bv: vector(6, C), gamma: tf.scalar(0.5) };
      const corner = (t: tf.Tensor) => tf.slice(t, [0, 0, 0, 0], [1, 1, 1, C]);
      const once = tf.grad((t) => corner(crissCrossAttention(t as tf.Tensor4D, p).output))(x);
      const twice = tf.grad((t) =>
        corner(crissCrossAttention(crissCrossAttention(t as tf.Tensor4D, p).output, p).output),
      )(x);
      const reached = (t: tf.Tensor) =>
        tf
          .sum(tf.cast(tf.greater(tf.sum(tf.abs(tf.slice(t, [0, 0, 0, 0], [1, H, W, C])), 3), 0), "int32"))
          .dataSync()[0];
      expect(reached(once)).toBe(H + W - 1);
      expect(reached(twice)).toBe(N);
    });
  });

  it("external attention's rows sum to 1, and its first softmax is over the positions", () => {
    tf.tidy(() => {
      const x = image();
      const p = { wq: matrix(2, C, D), mk: matrix(3, 11, D), mv: matrix(4, 11, 2) };
      const { output, weights } = externalAttention(x, p);
      expect(output.shape).toEqual([B, H, W, 2]);
      expect(distance(tf.sum(weights, 2).dataSync(), Array(B * N).fill(1))).toBeLessThanOrEqual(
        16 * ROUNDING,
      );
      // A slot whose scores grow by the same for all positions takes no more than before.
      const q = tf.reshape(linear(x, p.wq), [B, N, D]);
      const scores = tf.matMul(q, tf.tile(tf.expandDims(tf.transpose(p.mk), 0), [B, 1, 1]));
      const over = tf.exp(tf.sub(scores, tf.logSumExp(scores, 1, true)));
      const expected = tf.div(over, tf.sum(over, 2, true));
      expect(distance(weights.dataSync(), expected.dataSync())).toBeLessThanOrEqual(64 * ROUNDING);
      const huge = externalAttention(tf.mul(x, 1e4), p);
      expect(huge.weights.dataSync().every(Number.isFinite)).toBe(true);
    });
  });

  it("runs in one kernel (non-local, axial) or two (criss-cross), besides projections", async () => {
    const x = image();
    const attentionCalls = async (f: () => tf.Tensor) =>
      (await tf.profile(f)).kernels.map(({ name }) => name).filter((name) => /Attention/.test(name));
    const calls = {
      embedded: () => nonLocal(x, { ...embeddings(), ...values() }).output,
      gaussian: () => nonLocal(x, values(), { kind: "gaussian" }).output,
      width: () => axialAttention(x, projections(2), { axis: "width", heads: 2 }).output,
      height: () => axialAttention(x, projections(2), { axis: "height", heads: 2 }).output,
      cross: () => crissCrossAttention(x, projections()).output,
    };
    const kernel = "HeedAttention";
    expect(await attentionCalls(calls.embedded)).toEqual([kernel]);
    expect(await attentionCalls(calls.gaussian)).toEqual([kernel]);
    expect(await attentionCalls(calls.width)).toEqual([kernel]);
    expect(await attentionCalls(calls.height)).toEqual([kernel]);
    expect(await attentionCalls(calls.cross)).toEqual([kernel, kernel]);
    for (const f of [calls.width, calls.height]) {
      const { kernels } = await tf.profile(f);
      expect(kernels.filter(({ name }) => name === "Transpose")).toEqual([]);
    }
  });
});
