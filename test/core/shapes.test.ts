import { describe, expect, it } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import { attentionShapes } from "../../src/core/shapes.ts";

const array = (...shape: number[]) => ({ shape, dtype: "float32" });

describe("attentionShapes", () => {
  it("reads the letters of q, k and v", () => {
    expect(attentionShapes("op", array(2, 6, 3, 5), array(2, 3, 7, 5), array(2, 3, 7, 11))).toEqual({
      B: 2,
      T: 3,
      S: 7,
      H: 6,
      Hkv: 3,
      D: 5,
      Dv: 11,
    });
  });

  const refused: [string, number[], number[], number[], string][] = [
    [
      "q of rank 3",
      [2, 3, 5],
      [2, 3, 7, 5],
      [2, 3, 7, 11],
      "op: q [B, H, T, D] must have rank 4, got shape [2, 3, 5]; reshape it first",
    ],
    [
      "other batches",
      [2, 6, 3, 5],
      [1, 3, 7, 5],
      [1, 3, 7, 11],
      "op: q [B, H, T, D] and k [B, Hkv, S, D] must have the same B, got shapes [2, 6, 3, 5] and [1, 3, 7, 5]; make their B equal",
    ],
    [
      "widths of 0, of which 1/√D is no number",
      [2, 6, 3, 0],
      [2, 3, 7, 0],
      [2, 3, 7, 11],
      "op: q [B, H, T, D] and k [B, Hkv, S, D] must have a width D of 1 or more, got shapes [2, 6, 3, 0] and [2, 3, 7, 0]; queries and keys of no width have no scores",
    ],
    [
      "other widths",
      [2, 6, 3, 4],
      [2, 3, 7, 5],
      [2, 3, 7, 11],
      "op: q [B, H, T, D] and k [B, Hkv, S, D] must have the same D, got shapes [2, 6, 3, 4] and [2, 3, 7, 5]; make their D equal",
    ],
    [
      "more values than keys",
      [2, 6, 3, 5],
      [2, 3, 7, 5],
      [2, 3, 8, 11],
      "op: k [B, Hkv, S, D] and v [B, Hkv, S, Dv] must have the same S, got shapes [2, 3, 7, 5] and [2, 3, 8, 11]; make their S equal",
    ],
    [
      "heads that do not divide",
      [2, 6, 3, 5],
      [2, 4, 7, 5],
      [2, 4, 7, 11],
      "op: query heads H=6 must be a multiple of key/value heads Hkv=4, got 6 and 4; pass k and v with 1, 2, 3 or 6 heads",
    ],
  ];
  it.each(refused)("refuses %s", (_, q, k, v, message) => {
    const read = () => attentionShapes("op", array(...q), array(...k), array(...v));
    expect(read).toThrow(ShapeError);
    expect(read).toThrow(expect.objectContaining({ message }));
  });

  const gone = Object.assign(array(2, 3, 7, 5), { isDisposed: true });
  it.each([
    ["nothing", undefined, "got nothing; make one with tf.tensor"],
    ["a list", [[1]], "got an object; make one with tf.tensor"],
    [
      "a disposed tensor",
      gone,
      "got one that is disposed; dispose it after the call, or keep it beyond its tidy",
    ],
  ])("refuses %s", (_, k, message) => {
    const read = () => attentionShapes("op", array(2, 6, 3, 5), k as never, array(2, 3, 7, 11));
    expect(read).toThrow(ShapeError);
    expect(read).toThrow(
      expect.objectContaining({ message: `op: k [B, Hkv, S, D] must be a tensor, ${message}` }),
    );
  });
});
