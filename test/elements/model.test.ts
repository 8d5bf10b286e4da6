import { describe, expect, test } from "vitest";
import { differenceMap, largestDifference } from "../../src/elements/compare/difference.ts";
import { alignedBytes, modelOfTrace, modelOfWeights } from "../../src/elements/model.ts";
import { writeTrace } from "../../src/inspect/index.ts";
import { exampleTrace } from "../support/elements.ts";

describe("the model of an element", () => {
  const trace = exampleTrace(["a", "b", "c"]);

  test("is the same from a trace, its parts, its bytes, and bytes aligned to nothing", () => {
    const bytes = writeTrace(trace);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const view = new DataView(shifted.buffer, 3);
    const parts = { tokens: trace.tokens, layers: trace.layers.map(({ H, T, S, ...layer }) => layer) };
    for (const data of [trace, parts, bytes, view]) {
      const { layers } = modelOfTrace("op", data);
      expect(layers.map(({ H, T, S }) => [H, T, S])).toEqual([
        [3, 3, 3],
        [3, 3, 3],
      ]);
      expect(layers[1]!.map.row(2, 2).values).toEqual(trace.layers[1]!.attn!.slice(24, 27));
    }
    expect(alignedBytes(view).byteOffset % 8).toBe(0);
  });

  test("is made of plain weights, flat or in rows, of one head or several", () => {
    const words = { rowTokens: ["a", "b"], columnTokens: ["x", "y", "z"] };
    const flat = modelOfWeights("op", { ...words, weights: [1, 0, 0, 0, 1, 0] });
    const rows = modelOfWeights("op", { ...words, weights: [[1, 0, 0], Float32Array.of(0, 1, 0)] });
    expect(flat.layers[0]!.map.row(0, 1).values).toEqual(rows.layers[0]!.map.row(0, 1).values);
    expect(modelOfWeights("op", { ...words, weights: new Float32Array(12) }).layers[0]!.H).toBe(2);
    const rowsOfHeads = [
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      [
        [0, 0, 1],
        [0.5, 0, 0.5],
      ],
    ];
    const [heads] = modelOfWeights("op", { ...words, weights: rowsOfHeads }).layers;
    expect([heads!.H, ...heads!.map.row(1, 1).values]).toEqual([2, 0.5, 0, 0.5]);
    // Six numbers, so that nothing but the rows' lengths tells.
    for (const weights of [
      [
        [1, 0, 0, 0],
        [1, 0],
      ],
      [
        [
          [1, 0, 0, 0],
          [1, 0],
        ],
      ],
    ]) {
      expect(() => modelOfWeights("op", { ...words, weights })).toThrow(
        "op: weights must be rows of 3, got 4; pass [H][T][S]",
      );
    }
    expect(() => modelOfWeights("op", { ...words, rowTokens: [], weights: [] })).toThrow(
      "op: rowTokens must be a list of one token or more, got 0 values; pass a token for every row and every column",
    );
  });

  test("of two heads has a difference, masked where either is, and the place where that is largest", async () => {
    const [layer] = modelOfTrace("op", trace).layers;
    const map = differenceMap({ layer: layer!, head: 0 }, { layer: layer!, head: 1 });
    const [one, other] = [layer!.map.row(0, 2), layer!.map.row(1, 2)];
    expect([...map.row(0, 2).values]).toEqual(
      [0, 1, 2].map((s) => Math.fround(one.values[s]! - other.values[s]!)),
    );
    expect([...map.row(0, 0).kinds]).toEqual([0, 1, 1]);
    const found = (await largestDifference(map))!;
    expect(Math.abs(map.row(0, found.query).values[found.key]!)).toBe(found.most);
  });
});
