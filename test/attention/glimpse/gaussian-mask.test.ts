import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { gaussianMask, gaussianMask2d, maskAttention } from "../../../src/attention/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING } from "../support.ts";
import { leftBehind, perExample } from "./fixture.ts";
import { axisOf, gaussianRows } from "./gaussians.ts";

type Axis = Parameters<typeof gaussianMask>[0];

onEveryBackend("gaussianMask", () => {
  it.each([
    [2, 3, 7],
    [3, 5, 11],
    [1, 1, 13],
  ])("is the formula in float64, B = %i, R = %i, C = %i", (B, R, C) => {
    const axis = axisOf(B, C);
    const tensors = { u: perExample(...axis.u), d: perExample(...axis.d), s: perExample(...axis.s) };
    const rows = gaussianMask(tensors, R, C);
    expect(rows.shape).toEqual([B, R, C]);
    const exact = axis.u.flatMap((u, b) => gaussianRows({ u, d: axis.d[b]!, s: axis.s[b]! }, R, C).flat());
    // A logit of up to (C/σ)²/2 is three roundings wrong.
    const largest = Math.max(...axis.s.map((s) => (2 * C) / s)) ** 2 / 2;
    expect(distance(rows.dataSync(), exact)).toBeLessThanOrEqual(4 * ROUNDING * Math.max(1, largest));
  });

  it("has rows that sum to 1, on the image and off it", () => {
    const axis = { u: perExample(3.3, -60, 500), d: perExample(1.2, 2, -3), s: perExample(0.8, 0.5, 3) };
    const sums = tf.sum(gaussianMask(axis, 5, 16), 2).dataSync();
    for (const sum of sums) expect(Math.abs(sum - 1)).toBeLessThanOrEqual(16 * ROUNDING);
  });

  it("gives Gaussians off the image a finite gradient that is not 0", () => {
    const axis = [perExample(-15, 60), perExample(1, 1), perExample(2, 2.5)];
    const weights = tf.range(0, 20);
    const f = (u: tf.Tensor, d: tf.Tensor, s: tf.Tensor) =>
      tf.sum(tf.mul(gaussianMask({ u, d, s } as Parameters<typeof gaussianMask>[0], 3, 20), weights));
    for (const gradient of tf.grads(f)(axis)) {
      for (const d of gradient.dataSync()) {
        expect(Number.isFinite(d)).toBe(true);
        expect(Math.abs(d)).toBeGreaterThan(1e-6);
      }
    }
  });

  it.each([
    ["left", -300, 0.3, 0],
    ["right", 400, 0.3, 19],
    ["far left", -1e5, 0.01, 0],
  ])("brings narrow Gaussians back from far off the image: %s", (_, u, s, nearest) => {
    const C = 20;
    const axis = [perExample(u), perExample(0), perExample(s)];
    const row = gaussianMask({ u: axis[0]!, d: axis[1]!, s: axis[2]! }, 1, C).dataSync();
    expect(Array.from(row)).toEqual(Array.from({ length: C }, (_, c) => (c === nearest ? 1 : 0)));
    // The mean pixel: its gradient counts the weights that underflow as 2⁻²⁴.
    const mean = (...x: tf.Tensor[]) =>
      tf.sum(tf.mul(gaussianMask({ u: x[0], d: x[1], s: x[2] } as Axis, 1, C), tf.range(0, C)));
    const [du, , ds] = tf
      .grads(mean)(axis)
      .map((gradient) => gradient.dataSync()[0]!);
    const p = Array.from({ length: C }, (_, c) => (c === nearest ? 1 : 2 ** -24));
    const total = p.reduce((a, b) => a + b);
    const middle = p.reduce((sum, weight, c) => sum + weight * c, 0) / total;
    const through = (slope: (c: number) => number) =>
      p.reduce((sum, weight, c) => sum + weight * (c - middle) * slope(c), 0);
    const exact = [
      through((c) => (c - nearest) / s ** 2),
      through((c) => ((c - nearest) * (c + nearest - 2 * u)) / s ** 3),
    ];
    // A centre that moves to the right moves the mean to the right; a wider Gaussian moves it inwards.
    expect(du).toBeGreaterThan(0);
    expect(Math.sign(ds!)).toBe(nearest === 0 ? 1 : -1);
    // c − middle is within a rounding of C of what it is; each of C terms and ten steps round once.
    const tolerance = (2 * C + 10) * ROUNDING;
    for (const [n, gradient] of [du!, ds!].entries()) {
      expect(Math.abs(gradient / exact[n]! - 1)).toBeLessThanOrEqual(tolerance);
    }
  });

  it("counts pixels from the centre of the first one", () => {
    const axis = { u: perExample(2), d: perExample(0), s: perExample(1) };
    const row = gaussianMask(axis, 1, 5).dataSync();
    expect(row.indexOf(Math.max(...row))).toBe(2);
    expect(distance(row, [...row].reverse())).toBeLessThanOrEqual(2 * ROUNDING);
  });

  it.each([
    [2, 3, 7],
    [3, 5, 11],
    [1, 2, 13],
  ])("passes the gradient check for u, d and s, B = %i, R = %i, C = %i", (B, R, C) => {
    const axis = axisOf(B, C);
    const inputs = Object.fromEntries(
      Object.entries(axis).map(([name, values]) => [name, perExample(...values)]),
    );
    const f = (given: Record<string, tf.Tensor>) =>
      gaussianMask(given as unknown as Parameters<typeof gaussianMask>[0], R, C);
    gradcheckTensors(f, inputs);
    const grads = tf.grads((u: tf.Tensor, d: tf.Tensor, s: tf.Tensor) => f({ u, d, s }))(
      [inputs.u!, inputs.d!, inputs.s!],
      tf.randomNormal([B, R, C], 0, 1, "float32", 7),
    );
    for (const gradient of grads) expect(gradient.dataSync().every((d) => d !== 0)).toBe(true);
  });

  it("leaves no tensor behind", () => {
    const axis = { u: perExample(1), d: perExample(1), s: perExample(1) };
    expect(leftBehind(() => gaussianMask(axis, 3, 5))).toBe(0);
    const leak = () => gaussianMask2d({ y: axis, x: axis }, [2, 3], [5, 7]);
    expect(leftBehind(() => leak() as unknown as tf.TensorContainerObject)).toBe(0);
  });
});

onEveryBackend("gaussianMask2d", () => {
  const axis = (u: number, d: number, s: number) => ({
    u: perExample(u),
    d: perExample(d),
    s: perExample(s),
  });

  it("is exactly of rank 1: the outer product of its two vectors", () => {
    const given = { y: axis(1.3, 0.7, 0.9), x: axis(2.1, 1.6, 1.2) };
    const { map, y, x } = gaussianMask2d(given, [3, 2], [7, 11]);
    const [ay, ax, a] = [y.dataSync(), x.dataSync(), map.dataSync()];
    for (let n = 0; n < 7; n++)
      for (let m = 0; m < 11; m++) expect(a[n * 11 + m]).toBe(Math.fround(ay[n]! * ax[m]!));
    const rowsY = gaussianRows({ u: 1.3, d: 0.7, s: 0.9 }, 3, 7);
    const sums = rowsY[0]!.map((_, n) => rowsY.reduce((sum, row) => sum + row[n]!, 0));
    expect(distance(ay, sums)).toBeLessThanOrEqual(1e-5);
  });

  it("is 1 in a window and 0 elsewhere where d = 1 and σ → 0, and then hides all but the window", () => {
    const { map } = gaussianMask2d({ y: axis(1, 1, 0.05), x: axis(3, 1, 0.05) }, [2, 3], [5, 7]);
    const window = Array.from({ length: 35 }, (_, e) => {
      const [n, m] = [Math.floor(e / 7), e % 7];
      return n >= 1 && n <= 2 && m >= 3 && m <= 5 ? 1 : 0;
    });
    expect(distance(map.dataSync(), window)).toBeLessThanOrEqual(1e-6);
    const image = tf.reshape(tf.range(0, 35), [1, 5, 7]);
    const hidden = window.map((a, e) => a * e);
    expect(distance(maskAttention(image, map).dataSync(), hidden)).toBeLessThanOrEqual(35e-6);
  });

  it.each([
    [2, 3, 5, 7],
    [5, 2, 11, 3],
    [1, 1, 7, 13],
  ])(
    "passes the gradient check for all six parameters, %i × %i Gaussians on %i × %i pixels",
    (h, w, H, W) => {
      // In quarters: the stride moves the last Gaussian several pixels, too far for the check's step.
      const six = {
        uy: perExample(5.2, 1.6),
        dy: perExample(3.6, 4.8),
        sy: perExample(4.4, 3.2),
        ux: perExample(2.8, 7.6),
        dx: perExample(4.4, -2.4),
        sx: perExample(3.6, 5.2),
      };
      const f = (t: Record<string, tf.Tensor>) => {
        const one = (name: string) => tf.mul(t[name]!, 1 / 4) as tf.Tensor1D;
        const y = { u: one("uy"), d: one("dy"), s: one("sy") };
        const x = { u: one("ux"), d: one("dx"), s: one("sx") };
        return gaussianMask2d({ y, x }, [h, w], [H, W]).map;
      };
      expect(() => gradcheckTensors(f, six)).not.toThrow();
    },
  );
});

describe("The Gaussian masks refuse", () => {
  it("no Gaussians, no pixels, and parameters of other shapes", () => {
    const one = { u: perExample(1), d: perExample(1), s: perExample(1) };
    expect(() => gaussianMask(one, 0, 5)).toThrow(
      "gaussianMask: [R, C] must be two integers of 1 or more, got [0,5]; give rows, then columns",
    );
    expect(() => gaussianMask({ ...one, d: perExample(1, 2) }, 3, 5)).toThrow(
      "gaussianMask: d must be float32 of shape [B] = [1], got float32 of shape [2]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
    expect(() => gaussianMask2d({ y: one, x: { ...one, s: perExample() } }, [1, 1], [2, 2])).toThrow(
      "gaussianMask2d: x.s must be float32 of shape [B] = [1], got float32 of shape [0]; the letters must mean the " +
        "same sizes in all of the call's tensors",
    );
    expect(() => gaussianMask2d({ y: one, x: one }, [1, 1], [2.5, 2])).toThrow(
      "gaussianMask2d: imageSize [H, W] must be two integers of 1 or more, got [2.5,2]; give rows, then columns",
    );
  });
});
