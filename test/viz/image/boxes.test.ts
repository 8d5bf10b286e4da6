import { expect, it } from "vitest";
import { affineBox, gaussianBox } from "../../../src/viz/index.ts";

it("spans the centres of the outermost Gaussians: u … u + (n − 1)·d", () => {
  expect(gaussianBox({ u: 2, d: 1.5 }, { u: 5, d: 2 }, [3, 4])).toEqual([
    [5, 2],
    [11, 2],
    [11, 5],
    [5, 5],
  ]);
});

it("warps the corners of a spatial transformer, row 0 for x, in both corner conventions", () => {
  const identity = [1, 0, 0, 0, 1, 0];
  expect(affineBox(identity, [5, 9], true)).toEqual([
    [0, 0],
    [8, 0],
    [8, 4],
    [0, 4],
  ]);
  expect(affineBox(identity, [5, 9], false)).toEqual([
    [-0.5, -0.5],
    [8.5, -0.5],
    [8.5, 4.5],
    [-0.5, 4.5],
  ]);
  // A quarter turn: x = −j, y = i.
  expect(affineBox([0, -1, 0, 1, 0, 0], [3, 3], true)).toEqual([
    [2, 0],
    [2, 2],
    [0, 2],
    [0, 0],
  ]);
});
