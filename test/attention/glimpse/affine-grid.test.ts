import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { type Affine, affineGrid } from "../../../src/attention/glimpse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { type FixtureArray, fixture, leftBehind, perExample, toTensor } from "./fixture.ts";

interface Case {
  size: [number, number];
  alignCorners: boolean;
  theta: FixtureArray;
  grid: FixtureArray;
  dy: FixtureArray;
  dtheta: FixtureArray;
}

const CASES = fixture<Case[]>("affine-grid");
const NAMES = ["scaleX", "shiftX", "scaleY", "shiftY"] as const;

onEveryBackend("affineGrid", () => {
  it.each(CASES)(
    "is PyTorch's affine_grid for a glimpse of $size, alignCorners $alignCorners",
    ({ size, alignCorners, theta, grid, dy, dtheta }) => {
      tf.tidy(() => {
        const f = (t: tf.Tensor) => affineGrid(t as tf.Tensor3D, size, { alignCorners });
        expect(distance(f(toTensor(theta)).dataSync(), grid.values)).toBeLessThanOrEqual(1e-6);
        const [dt] = tf.grads(f)([toTensor(theta)], toTensor(dy));
        // A sum of up to 15 products of numbers near 1.
        expect(distance(dt!.dataSync(), dtheta.values)).toBeLessThanOrEqual(1e-5);
      });
    },
  );

  it("gives for named numbers what the matrix of them gives, the others at the identity", () => {
    tf.tidy(() => {
      const given = { scaleX: [0.5, -1.25], shiftX: [0.1, -0.7], scaleY: [2, 0.3], shiftY: [0.9, 0] };
      for (let kept = 1; kept < 16; kept++) {
        const names = NAMES.filter((_, n) => kept & (1 << n));
        const theta = Object.fromEntries(names.map((name) => [name, perExample(...given[name])]));
        const at = (name: (typeof NAMES)[number], b: number) =>
          names.includes(name) ? given[name][b]! : Number(name.startsWith("scale"));
        const matrix = [0, 1].map((b) => [
          [at("scaleX", b), 0, at("shiftX", b)],
          [0, at("scaleY", b), at("shiftY", b)],
        ]);
        for (const alignCorners of [true, false]) {
          const named = affineGrid(theta, [3, 5], { alignCorners });
          const full = affineGrid(tf.tensor3d(matrix), [3, 5], { alignCorners });
          expect(named.shape).toEqual([2, 3, 5, 2]);
          expect(distance(named.dataSync(), full.dataSync())).toBeLessThanOrEqual(2e-7 * 3);
        }
      }
    });
  });

  it.each([
    [2, 3, 5],
    [3, 7, 2],
    [1, 5, 11],
  ])("passes the gradient check for θ and for named numbers, B = %i, glimpses of %i × %i", (B, h, w) => {
    const size = [h, w] as const;
    const theta = tensor(random(B, [B, 2, 3]));
    const byName = Object.fromEntries(NAMES.map((name, n) => [name, tensor(random(10 + n, [B]))]));
    for (const alignCorners of [true, false]) {
      const f = (given: Affine) => affineGrid(given, size, { alignCorners });
      gradcheckTensors(({ theta }) => f(theta as tf.Tensor3D), { theta });
      gradcheckTensors((named) => f(named as Affine), byName);
      const grads = tf.grads((...t: tf.Tensor[]) =>
        f(Object.fromEntries(NAMES.map((name, n) => [name, t[n]])) as Affine),
      )(Object.values(byName), tensor(random(5, [B, h, w, 2])));
      for (const gradient of grads) expect(gradient.dataSync().every((d) => d !== 0)).toBe(true);
    }
  });

  it("gives each example what it gives it alone", () => {
    const theta = tensor<tf.Tensor3D>(random(3, [3, 2, 3]));
    const all = affineGrid(theta, [5, 7], { alignCorners: false }).dataSync();
    for (let b = 0; b < 3; b++) {
      const one = affineGrid(tf.slice(theta, b, 1), [5, 7], { alignCorners: false }).dataSync();
      expect([...all.subarray(70 * b, 70 * (b + 1))]).toEqual([...one]);
    }
  });

  it("leaves no tensor behind but the grid", () => {
    const theta = tensor<tf.Tensor3D>(random(3, [3, 2, 3]));
    const shiftX = perExample(1, 2);
    expect(leftBehind(() => affineGrid(theta, [5, 7], { alignCorners: false }))).toBe(0);
    expect(leftBehind(() => affineGrid({ shiftX }, [5, 7], { alignCorners: true }))).toBe(0);
  });
});

describe("affineGrid refuses", () => {
  const theta = () => tf.zeros<tf.Rank.R3>([2, 2, 3]);
  it("to guess where the corners are", () => {
    expect(() => affineGrid(theta(), [2, 2], {} as { alignCorners: boolean })).toThrow(
      "affineGrid: alignCorners must be true or false, got undefined; choose one of them",
    );
  });

  it("sizes that are none, and parameters of other shapes", () => {
    const options = { alignCorners: true };
    expect(() => affineGrid(theta(), [0, 2], options)).toThrow(
      "affineGrid: size [h, w] must be two integers of 1 or more, got [0,2]; give rows, then columns",
    );
    expect(() => affineGrid(tf.zeros([2, 3, 3]), [2, 2], options)).toThrow(
      "affineGrid: theta must be float32 of shape [B, 2, 3] = [2, 2, 3], got float32 of shape [2, 3, 3]; the letters " +
        "must mean the same sizes in all of the call's tensors",
    );
    expect(() => affineGrid({ shiftX: perExample(1, 2), scaleY: perExample(1) }, [2, 2], options)).toThrow(
      "affineGrid: scaleY must be float32 of shape [B] = [2], got float32 of shape [1]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
    expect(() => affineGrid({}, [2, 2], options)).toThrow(
      "affineGrid: theta must be [B, 2, 3] or an object with scaleX, shiftX, scaleY or shiftY [B], got {}; choose one " +
        "of them",
    );
  });
});
