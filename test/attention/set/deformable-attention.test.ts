import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { deformableAttention, deformableDirections } from "../../../src/attention/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { plane } from "../glimpse/fixture.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { type Flat, leftBehind, small } from "./support.ts";

const [B, T, C, CV, H, L, P, DV, COUT] = [2, 5, 3, 11, 3, 2, 7, 2, 13];
const SIZES = [
  [11, 7],
  [5, 3],
] as const;
const inputs = () => ({
  query: tensor<tf.Tensor3D>(random(1, [B, T, C])),
  // Some of them outside the image, where all is 0.
  references: tf.add(0.5, tf.mul(0.4, tensor(random(2, [B, T, 2])))) as tf.Tensor3D,
  levels: SIZES.map(([rows, columns], l) => tensor<tf.Tensor4D>(random(3 + l, [B, rows, columns, CV]))),
});
const parameters = () => ({
  wOffset: small(10, C, H, L, P, 2),
  bOffset: deformableDirections(H, L, P),
  wScore: small(11, C, H, L, P),
  bScore: small(12, H, L, P),
  wv: small<tf.Tensor3D>(13, CV, H, DV),
  bv: small<tf.Tensor2D>(14, H, DV),
  wo: small<tf.Tensor3D>(15, H, DV, COUT),
  bo: small<tf.Tensor1D>(16, COUT),
});

type Grid = number[][][];

/** Bilinear reading of [rows][columns][channels] at a share of the image, zeros outside. */
function read(image: Grid, x: number, y: number): number[] {
  const [rows, columns] = [image.length, image[0]!.length];
  const [column, row] = [x * columns - 0.5, y * rows - 0.5];
  return image[0]![0]!.map((_, c) => {
    let sum = 0;
    for (let n = 0; n < rows; n++)
      for (let m = 0; m < columns; m++)
        sum += image[n]![m]![c]! * Math.max(0, 1 - Math.abs(column - m)) * Math.max(0, 1 - Math.abs(row - n));
    return sum;
  });
}

/** Equation 3 of the paper as loops in float64: [B][T][Cout]. */
function oracle({ query, references, levels }: ReturnType<typeof inputs>, p: ReturnType<typeof parameters>) {
  const flat = (t: tf.Tensor) => t.dataSync() as Float32Array;
  const [wOffset, bOffset, wScore, bScore] = [p.wOffset, p.bOffset, p.wScore, p.bScore].map(
    flat,
  ) as Float32Array[];
  const [wv, bv, wo, bo] = [p.wv, p.bv, p.wo, p.bo].map((t) => t.arraySync()) as [
    Grid,
    number[][],
    Grid,
    number[],
  ];
  const value = (image: Grid, h: number): Grid =>
    image.map((row) =>
      row.map((pixel) => bv[h]!.map((b, d) => pixel.reduce((sum, n, c) => sum + n * wv[c]![h]![d]!, b))),
    );
  const places = references.arraySync();
  const images = levels.map((level) => level.arraySync());
  return query.arraySync().map((example, b) => {
    const values = images.map((image) => Array.from({ length: H }, (_, h) => value(image[b]!, h)));
    return example.map((q, t) => {
      const heads = Array.from({ length: H }, (_, h) => {
        const points = Array.from({ length: L * P }, (_, lp) => h * L * P + lp);
        const project = (w: Float32Array, bias: Float32Array, e: number, n: number) =>
          q.reduce((sum, x, c) => sum + x * w[c * n + e]!, bias[e]!);
        const scores = points.map((e) => Math.exp(project(wScore!, bScore!, e, H * L * P)));
        const all = scores.reduce((sum, n) => sum + n, 0);
        return points
          .map((e, lp) => {
            const l = Math.floor(lp / P);
            const [rows, columns] = SIZES[l]!;
            const [dx, dy] = [0, 1].map((axis) => project(wOffset!, bOffset!, 2 * e + axis, H * L * P * 2));
            const [x, y] = places[b]![t]!;
            return read(values[l]![h]!, x! + dx! / columns, y! + dy! / rows).map(
              (n) => (n * scores[lp]!) / all,
            );
          })
          .reduce((sum, point) => sum.map((n, d) => n + point[d]!));
      });
      return bo.map((b0, o) =>
        heads.reduce((sum, head, h) => sum + head.reduce((s, n, d) => s + n * wo[h]![d]![o]!, 0), b0),
      );
    });
  });
}

onEveryBackend("deformableAttention", () => {
  it("computes what the loops of the paper's equation compute", () => {
    const { output, weights, locations } = deformableAttention(inputs(), parameters(), {
      weights: true,
      locations: true,
    });
    const expected = oracle(inputs(), parameters()).flat(2);
    // A location is wrong by some roundings of numbers up to 22 (pixels), a pixel differs from its neighbour by up to 10.
    expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(22 * 10 * 8 * ROUNDING);
    expect(weights.shape).toEqual([B, T, H, L, P]);
    expect(locations.shape).toEqual([B, T, H, L, P, 2]);
    const sums = tf.sum(weights, [3, 4]).dataSync();
    expect(distance(sums, new Float32Array(B * T * H).fill(1))).toBeLessThanOrEqual(16 * ROUNDING);
  });

  it("reads the pixel at its reference, and the one to the right an offset of 1 later", () => {
    // 2 × 3 pixels 1 … 6; the reference (½, ¼) is the centre of pixel 2 in the upper row.
    const levels = [tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 2, 3, 1])];
    const given = {
      query: tf.ones<tf.Rank.R3>([1, 1, 1]),
      references: tf.tensor3d([0.5, 0.25], [1, 1, 2]),
      levels,
    };
    const still = { wOffset: tf.zeros([1, 1, 1, 1, 2]), wScore: tf.zeros([1, 1, 1, 1]) };
    const one = tf.ones<tf.Rank.R3>([1, 1, 1]);
    const at = (x: number, y: number) => {
      const bOffset = tf.tensor4d([x, y], [1, 1, 1, 2]);
      return deformableAttention(given, { ...still, bOffset, wv: one, wo: one }).output.dataSync()[0]!;
    };
    const read = [at(0, 0), at(1, 0), at(0, 1), at(-0.5, 0), at(0, 0.5), at(2, 0)];
    // A location is a share of the image, rounded a few times; pixels differ by up to 6.
    expect(distance(read, [2, 3, 5, 1.5, 3.5, 0])).toBeLessThanOrEqual(6 * 3 * 4 * ROUNDING);
  });

  it("begins in the eight directions of the square around the query, each point one pixel further", () => {
    const offsets = deformableDirections(8, 1, 2).arraySync() as number[][][][];
    const near = offsets.map(([level]) =>
      level!.map(([x, y]) => [Math.round(x! * 1e5) / 1e5 + 0, Math.round(y! * 1e5) / 1e5 + 0]),
    );
    const around = [
      [1, 0],
      [1, 1],
      [0, 1],
      [-1, 1],
      [-1, 0],
      [-1, -1],
      [0, -1],
      [1, -1],
    ];
    expect(near).toEqual(
      around.map(([x, y]) => [
        [x, y],
        [2 * x!, 2 * y!],
      ]),
    );
  });

  it("passes the gradient check for queries, references, levels and every parameter", () => {
    // Planes have one slope between all pixels, so that no step of the check meets a kink; all points stay inside.
    const image = (rows: number, columns: number) =>
      tf.tensor4d(plane([1, rows, columns, 2]), [1, rows, columns, 2]);
    const all: Flat = {
      query: tf.tensor3d([0.5, -0.25, 0.1, 0.3, -0.2, 0.4], [1, 2, 3]),
      references: tf.tensor3d([0.5, 0.45, 0.55, 0.5], [1, 2, 2]),
      level0: image(11, 13),
      level1: image(7, 7),
      wOffset: small(10, 3, 1, 2, 3, 2),
      bOffset: small(11, 1, 2, 3, 2),
      wScore: small(12, 3, 1, 2, 3),
      bScore: small(13, 1, 2, 3),
      ...{ wv: small(14, 2, 1, 2), bv: small(15, 1, 2), wo: small(16, 1, 2, 3), bo: small(17, 3) },
    };
    const f = ({ query, references, level0, level1, ...t }: Flat) =>
      deformableAttention(
        { query, references, levels: [level0, level1] } as Parameters<typeof deformableAttention>[0],
        t as unknown as Parameters<typeof deformableAttention>[1],
      ).output;
    const { level0, level1, references, ...rest } = all;
    // A location of 0.03 in a step of the check is 0.4 pixels.
    expect(() =>
      gradcheckTensors((t) => f({ ...all, ...t }), { references: references! }, 256),
    ).not.toThrow();
    expect(() => gradcheckTensors((t) => f({ ...all, ...t }), rest, 256)).not.toThrow();
    const images = {
      level0: tf.slice(level0!, [0, 4, 4, 0], [1, 3, 3, 2]),
      level1: tf.slice(level1!, [0, 2, 2, 0], [1, 3, 3, 2]),
    };
    expect(() => gradcheckTensors((t) => f({ ...all, ...t }), images, 256)).not.toThrow();
  });

  it("leaves no tensor behind", () => {
    const [given, own] = [inputs(), parameters()];
    expect(leftBehind(() => deformableAttention(given, own, { weights: true, locations: true }))).toBe(0);
  });

  it("refuses another number of levels, and shapes that do not fit", () => {
    const given = inputs();
    expect(() => deformableAttention({ ...given, levels: given.levels.slice(1) }, parameters())).toThrow(
      ShapeError,
    );
    expect(() => deformableAttention({ ...given, levels: given.levels.slice(1) }, parameters())).toThrow(
      `deformableAttention: levels must be L=${L} images, as many as wScore [C, H, L, P] has, got 1; give every level of ` +
        "the pyramid, or make the parameters for these",
    );
    expect(() => deformableAttention({ ...given, references: tf.zeros([B, T, 4]) }, parameters())).toThrow(
      `deformableAttention: references must be float32 of shape [B, T, 2] = [${B}, ${T}, 2], got float32 of shape ` +
        `[${B}, ${T}, 4]; the letters must mean the same sizes in all of the call's tensors`,
    );
    expect(() => deformableAttention(given, { ...parameters(), wOffset: tf.zeros([C, H, L, P]) })).toThrow(
      `deformableAttention: wOffset must be float32 of shape [C, H, L, P, 2] = [${C}, ${H}, ${L}, ${P}, 2], got float32 of ` +
        `shape [${C}, ${H}, ${L}, ${P}]; the letters must mean the same sizes in all of the call's tensors`,
    );
  });
});
