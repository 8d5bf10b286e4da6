import { describe, expect, it } from "vitest";
import { fromHF, fromTorchMHA } from "../../src/core/convert.ts";
import { OptionError } from "../../src/core/errors.ts";
import { compileProgram } from "../../src/core/program.ts";
import { isAllowed, keyRange } from "../../src/core/program-rows.ts";

describe("fromTorchMHA", () => {
  it("lets attend where nn.MultiheadAttention does not hide, in the same shape", () => {
    const mask = { shape: [2, 3], dtype: "bool", values: [0, 1, 0, 1, 1, 0] };
    const allow = fromTorchMHA(mask);
    expect(allow).toEqual({ shape: [2, 3], dtype: "bool", values: Uint8Array.of(1, 0, 1, 0, 0, 1) });
    const program = compileProgram("test", { B: 1, T: 2, S: 3, H: 1, Hkv: 1, D: 5, Dv: 7 }, { allow });
    expect([0, 1, 2].map((j) => isAllowed(program, 0, 0, 1, j))).toEqual([false, false, true]);
    expect(fromTorchMHA(allow).values).toEqual(Uint8Array.from(mask.values));
  });

  it("gives a mask [B·H, T, S], example by example, its axis of heads", () => {
    // Two examples of three heads, one query, two keys: element n hides where bit n is set.
    const values = [0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0];
    const allow = fromTorchMHA({ shape: [6, 1, 2], dtype: "bool", values }, 3);
    expect(allow.shape).toEqual([2, 3, 1, 2]);
    const program = compileProgram("test", { B: 2, T: 1, S: 2, H: 3, Hkv: 3, D: 5, Dv: 7 }, { allow });
    const seen = [0, 1].flatMap((b) =>
      [0, 1, 2].flatMap((h) => [0, 1].map((j) => isAllowed(program, b, h, 0, j))),
    );
    expect(seen).toEqual(values.map((hidden) => hidden === 0));
  });

  it("refuses heads that do not divide the first axis, and masks of other ranks", () => {
    const mask = (...shape: number[]) => ({ shape, dtype: "bool", values: [0, 1, 0, 1] });
    expect(() => fromTorchMHA(mask(4, 1, 1), 3)).toThrow(
      "fromTorchMHA: a mask for H=3 heads must have shape [B·H, T, S], got [4, 1, 1]; leave heads out for masks of " +
        "other shapes",
    );
    expect(() => fromTorchMHA(mask(2, 2), 2)).toThrow("must have shape [B·H, T, S], got [2, 2]");
    expect(() => fromTorchMHA(mask(4, 1, 1), 0)).toThrow("fromTorchMHA: heads must be an integer ≥ 1, got 0");
  });

  it("refuses a float mask, which would be added", () => {
    const floats = () => fromTorchMHA({ shape: [1, 2], dtype: "float32", values: [0, 1] });
    expect(floats).toThrow(OptionError);
    expect(floats).toThrow(
      "fromTorchMHA: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
    );
  });
});

describe("fromHF", () => {
  it("gives a window in which a query sees w keys, its own among them, and none after it", () => {
    const shapes = { B: 1, T: 11, S: 11, H: 1, Hkv: 1, D: 5, Dv: 7 };
    for (const w of [1, 2, 3, 11, 4096]) {
      const program = compileProgram("test", shapes, { causal: true, window: fromHF(w) });
      for (let i = 0; i < 11; i++) {
        expect(keyRange(program, 0, i)).toEqual([Math.max(0, i + 1 - w), i + 1]);
      }
    }
    expect(fromHF(3)).toEqual({ left: 2, right: 0 });
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])("refuses a window of %d keys", (w) => {
    expect(() => fromHF(w)).toThrow(
      `fromHF: w must be an integer ≥ 1, got ${w}; choose one in that range or leave it out`,
    );
  });
});
