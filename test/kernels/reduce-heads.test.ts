import { describe, expect, it } from "vitest";
import { type HeadReduction, reduceHeads } from "../../src/kernels/reduce-heads.ts";
import { normal } from "./cases.ts";

const SIZES = { B: 2, H: 3, T: 5, S: 7 };

describe("reduceHeads", () => {
  it.each<[HeadReduction, (all: number[]) => number]>([
    ["mean", (all) => Math.fround(all.reduce((a, b) => a + b) / all.length)],
    ["max", (all) => Math.max(...all)],
    ["min", (all) => Math.min(...all)],
  ])("gives the %s over the heads of each example", (how, reduce) => {
    const { B, H, T, S } = SIZES;
    const weights = normal(3, B * H * T * S);
    const out = reduceHeads(weights, SIZES, how);
    expect(out.length).toBe(B * T * S);
    for (let b = 0; b < B; b++) {
      for (let cell = 0; cell < T * S; cell++) {
        const all = Array.from({ length: H }, (_, h) => weights[(b * H + h) * T * S + cell]!);
        expect(out[b * T * S + cell]).toBe(reduce(all));
      }
    }
  });

  it("keeps the kind of array, a NaN of any head, and nothing of nothing", () => {
    const sizes = { B: 1, H: 2, T: 1, S: 2 };
    const found = reduceHeads(Float64Array.of(1, Number.NaN, 0.1, 2), sizes, "min");
    expect(found).toEqual(Float64Array.of(0.1, Number.NaN));
    expect(reduceHeads(new Float32Array(0), { ...sizes, T: 0 }, "max").length).toBe(0);
  });

  it("refuses other reductions and other sizes", () => {
    expect(() => reduceHeads(new Float32Array(4), { B: 1, H: 2, T: 1, S: 2 }, "sum" as "max")).toThrow(
      'reduceHeads: how must be "mean" or "max" or "min", got sum; choose one of them',
    );
    expect(() => reduceHeads(new Float32Array(4), SIZES, "max")).toThrow(
      "reduceHeads: weights must hold B·H·T·S = 210 numbers, got 4; pass the whole array, row-major and not detached",
    );
  });
});
