import { describe, expect, it } from "vitest";
import { type HeedError, OptionError, ShapeError } from "../../src/core/errors.ts";
import type { HostArray } from "../../src/core/notation.ts";
import { compileProgram, type ProgramOptions } from "../../src/core/program.ts";
import {
  dropoutRow,
  hasMask,
  isAllowed,
  keyRange,
  sinkOf,
  transformScore,
} from "../../src/core/program-rows.ts";
import { philox } from "../../src/core/random.ts";

const SHAPES = { B: 2, T: 3, S: 5, H: 7, Hkv: 7, D: 11, Dv: 13 };

function drawn(options: ProgramOptions<HostArray>, T: number, S: number): string[] {
  const shapes = { ...SHAPES, B: 1, H: 1, Hkv: 1, T, S };
  const program = compileProgram("test", shapes, options);
  return Array.from({ length: T }, (_, i) =>
    Array.from({ length: S }, (_, j) => (isAllowed(program, 0, 0, i, j) ? "1" : "0")).join(" "),
  );
}

describe("compileProgram", () => {
  it("scales by the head width unless told otherwise, 0 included", () => {
    expect(compileProgram("test", SHAPES).scale).toBe(1 / Math.sqrt(11));
    expect(compileProgram("test", SHAPES, { scale: 0 }).scale).toBe(0);
  });

  it("draws causality from either corner", () => {
    expect(drawn({ causal: true }, 3, 3)).toEqual(["1 0 0", "1 1 0", "1 1 1"]);
    expect(drawn({ causal: "topLeft" }, 2, 4)).toEqual(["1 0 0 0", "1 1 0 0"]);
    expect(drawn({ causal: "bottomRight" }, 2, 4)).toEqual(["1 1 1 0", "1 1 1 1"]);
    expect(drawn({ causal: "bottomRight" }, 4, 2)).toEqual(["0 0", "0 0", "1 0", "1 1"]);
    expect(drawn({ causal: true, queryOffset: 1 }, 2, 4)).toEqual(["1 1 0 0", "1 1 1 0"]);
  });

  it("counts left + right + 1 keys in a window, cut at the edges", () => {
    expect(drawn({ window: { left: 1, right: 0 } }, 4, 4)).toEqual([
      "1 0 0 0",
      "1 1 0 0",
      "0 1 1 0",
      "0 0 1 1",
    ]);
    expect(drawn({ window: { left: 0, right: 2 }, queryOffset: 1 }, 2, 5)).toEqual([
      "0 1 1 1 0",
      "0 0 1 1 1",
    ]);
    expect(drawn({ window: { right: 1 } }, 3, 3)).toEqual(["1 1 0", "1 1 1", "1 1 1"]);
    for (const [left, right] of [
      [0, 0],
      [2, 1],
      [3, 4],
    ] as const) {
      const middle = drawn({ window: { left, right } }, 17, 17)[8]!;
      expect(middle.split("1").length - 1).toBe(left + right + 1);
    }
  });

  it("joins allow, causality, window and lengths: all must agree", () => {
    const allow: HostArray = { shape: [1, 4], dtype: "bool", values: [1, 0, 1, 1] };
    const options = { allow, causal: true, window: { left: 2 }, queryLengths: [3], keyLengths: [3] } as const;
    expect(drawn(options, 4, 4)).toEqual(["1 0 0 0", "1 0 0 0", "1 0 1 0", "0 0 0 0"]);
  });

  it("reads allow and bias along every axis that is not 1", () => {
    const values = Uint8Array.from({ length: 2 * 5 }, (_, e) => (e % 3 === 0 ? 1 : 0));
    const program = compileProgram<HostArray>("test", SHAPES, {
      allow: { shape: [2, 1, 1, 5], dtype: "bool", values },
    });
    for (const b of [0, 1]) {
      for (let j = 0; j < 5; j++) expect(isAllowed(program, b, 6, 2, j)).toBe(values[b * 5 + j] === 1);
    }
    const bias: HostArray = {
      shape: [3, 5],
      dtype: "float32",
      values: Float32Array.from({ length: 15 }, (_, e) => e),
    };
    expect(transformScore(compileProgram("test", SHAPES, { bias, scale: 2 }), 10, 1, 6, 2, 3)).toBe(20 + 13);
  });

  it("knows the keys of a row without asking each", () => {
    const program = compileProgram("test", SHAPES, {
      causal: "bottomRight",
      window: { left: 1 },
      keyLengths: [5, 2],
    });
    expect(keyRange(program, 0, 0)).toEqual([1, 3]);
    // Two keys for three queries: the last query stands at the last of them, the first before both.
    expect(keyRange(program, 1, 2)).toEqual([0, 2]);
    expect(keyRange(program, 1, 0)).toEqual([0, 0]); // empty: start is not before end
    expect(hasMask(program)).toBe(true);
    expect(hasMask(compileProgram("test", SHAPES, { scale: 2, softCap: 1 }))).toBe(false);
  });

  it("takes a sink for all heads or one per head", () => {
    const sink: HostArray = { shape: [7], dtype: "float32", values: [0, 1, 2, 3, 4, 5, 6] };
    expect(sinkOf(compileProgram<HostArray>("test", SHAPES, { sink }), 5)).toBe(5);
    expect(sinkOf(compileProgram<HostArray>("test", SHAPES, { sink: 0 }), 5)).toBe(0);
    expect(sinkOf(compileProgram<HostArray>("test", SHAPES), 5)).toBe(-Infinity);
  });

  it("drops weights in training only, by (seed, b, h, i, j) alone", () => {
    const dropout = { rate: 0.25, seed: 3 };
    expect(compileProgram("test", SHAPES, { dropout }).dropout).toBeUndefined();
    const plan = compileProgram("test", SHAPES, { dropout, training: true }).dropout!;
    const row = new Float64Array(7);
    dropoutRow(plan, 1, 4, 2, 7, row);
    const bits = [philox([0, 2, 4, 1], [3, 0]), philox([1, 2, 4, 1], [3, 0])].flat().slice(0, 7);
    expect([...row]).toEqual(bits.map((n) => (n < 0.25 * 2 ** 32 ? 0 : 4 / 3)));
    const many = new Float64Array(10_000);
    dropoutRow(plan, 0, 0, 0, many.length, many);
    // The number of zeros is binomial: n·¼ with variance n·3/16.
    const zeros = many.filter((n) => n === 0).length;
    expect(Math.abs(zeros - 2500)).toBeLessThan(5 * Math.sqrt((10_000 * 3) / 16));
  });

  const bool = (shape: number[]): HostArray => ({ shape, dtype: "bool", values: [] });
  const float = (shape: number[]): HostArray => ({ shape, dtype: "float32", values: [] });
  const refused: [string, ProgramOptions<HostArray>, typeof HeedError, string][] = [
    [
      "scale",
      { scale: Number.NaN },
      OptionError,
      "op: scale must be a finite number, got NaN; choose one in that range or leave it out",
    ],
    [
      "softCap",
      { softCap: 0 },
      OptionError,
      "op: softCap must be a positive number, got 0; choose one in that range or leave it out",
    ],
    [
      "a mask of 0 and 1",
      { allow: float([3, 5]) },
      OptionError,
      "op: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
    ],
    [
      "a bool bias",
      { bias: bool([3, 5]) },
      OptionError,
      "op: bias must hold floating-point numbers to add to the scores, got bool; pass booleans as allow",
    ],
    [
      "a mask with an axis that is not named",
      { allow: bool([2, 3, 5]) },
      ShapeError,
      "op: allow must have shape [T, S] or [B, H, T, S] = [3, 5], where any length may be 1, got [2, 3, 5]; reshape it so that every axis is named",
    ],
    [
      "a transposed mask",
      { allow: bool([5, 3]) },
      ShapeError,
      "op: allow must have shape [T, S] or [B, H, T, S] = [3, 5], where any length may be 1, got [5, 3]; reshape it so that every axis is named",
    ],
    [
      "a bias for other heads",
      { bias: float([2, 3, 3, 5]) },
      ShapeError,
      "op: bias must have shape [B, H, T, S] = [2, 7, 3, 5], where any length may be 1, got [2, 3, 3, 5]; reshape it so that every axis is named",
    ],
    [
      "causal with T ≠ S",
      { causal: true },
      OptionError,
      'op: causal: true must have T = S, got T=3 and S=5; say which corner is aligned with causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query',
    ],
    [
      "an unknown corner",
      { causal: "left" as "topLeft" },
      OptionError,
      'op: causal must be "topLeft" or "bottomRight", got left; choose one of them',
    ],
    [
      "two corners",
      { causal: "topLeft", queryOffset: 2 },
      OptionError,
      'op: causal: "topLeft" already means queryOffset=0, got queryOffset=2; give one of the two, or causal: true with queryOffset',
    ],
    [
      "a window with T ≠ S",
      { window: { left: 1 } },
      OptionError,
      "op: a window must know where query 0 stands when T ≠ S, got T=3 and S=5; give queryOffset, the key position of the first query (0 aligns the first ones, S − T the last ones)",
    ],
    [
      "a negative window",
      { window: { left: -1 } },
      OptionError,
      "op: window.left must be an integer ≥ 0, or Infinity, got -1; choose one in that range or leave it out",
    ],
    [
      "a broken offset",
      { queryOffset: 0.5 },
      OptionError,
      "op: queryOffset must be an integer, got 0.5; choose one in that range or leave it out",
    ],
    [
      "too few lengths",
      { keyLengths: [1] },
      OptionError,
      "op: keyLengths must be B=2 integers from 0 to 5, got [1]; give one length per example",
    ],
    [
      "too long lengths",
      { queryLengths: [3, 4] },
      OptionError,
      "op: queryLengths must be B=2 integers from 0 to 3, got [3, 4]; give one length per example",
    ],
    [
      "an infinite sink",
      { sink: Infinity },
      OptionError,
      "op: sink must be a finite number, got Infinity; choose one in that range or leave it out",
    ],
    [
      "a sink for other heads",
      { sink: float([3]) },
      ShapeError,
      "op: sink must be a number or an array [H] = [7], got shape [3]; give one logit per query head",
    ],
    [
      "dropout that is a number",
      { dropout: 0.1 as never },
      OptionError,
      "op: dropout must be { rate, seed }, got 0.1; choose one in that range or leave it out",
    ],
    [
      "dropping everything",
      { dropout: { rate: 1, seed: 0 } },
      OptionError,
      "op: dropout.rate must be at least 0 and below 1, got 1; choose one in that range or leave it out",
    ],
    [
      "a broken seed",
      { dropout: { rate: 0.5, seed: -1 } },
      OptionError,
      "op: dropout.seed must be an integer ≥ 0, got -1; choose one in that range or leave it out",
    ],
    [
      "an unknown treatment of empty rows",
      { onEmptyRow: "nan" as "zero" },
      OptionError,
      'op: onEmptyRow must be "zero" or "error" or "uniform", got nan; choose one of them',
    ],
  ];
  it.each(refused)("refuses %s", (_, options, type, message) => {
    const compile = () => compileProgram("op", SHAPES, options);
    expect(compile).toThrow(type);
    expect(compile).toThrow(expect.objectContaining({ message }));
  });
});
