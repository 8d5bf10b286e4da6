import { describe, expect, it } from "vitest";
import {
  alignmentAccuracy,
  alignmentErrorRate,
  argmaxAlignment,
  type GoldAlignment,
  type Link,
} from "../../../src/train/metrics/aer.ts";

// Two sentences. A = {0-0, 1-1, 2-1} and {0-0}; S = {0-0, 1-2} and {1-1}; P = S + {1-1} and S + {}.
// |A| = 4, |S| = 3, |A ∩ S| = 1 (0-0 of the first), |A ∩ P| = 2 (0-0 and 1-1 of the first).
const alignments: Link[][] = [
  [
    [0, 0],
    [1, 1],
    [2, 1],
    [0, 0],
  ],
  [[0, 0]],
];
const gold: GoldAlignment[] = [
  {
    sure: [
      [0, 0],
      [1, 2],
    ],
    possible: [[1, 1]],
  },
  { sure: [[1, 1]] },
];

describe("alignmentErrorRate", () => {
  it("gives the numbers worked out by hand, a repeated link counted once and sure links counted as possible", () => {
    expect(alignmentErrorRate(alignments, gold)).toEqual({
      errorRate: 1 - (1 + 2) / (4 + 3),
      precision: 2 / 4,
      recall: 1 / 3,
    });
  });

  it("is 0 when every sure and only possible links are found", () => {
    const found: Link[][] = [
      [
        [1, 1],
        [1, 2],
        [0, 0],
      ],
      [[1, 1]],
    ];
    expect(alignmentErrorRate(found, gold)).toEqual({ errorRate: 0, precision: 1, recall: 1 });
  });

  it("is 1 when no link is right", () => {
    expect(alignmentErrorRate([[[5, 5]], []], gold)).toEqual({ errorRate: 1, precision: 0, recall: 0 });
  });

  it("refuses another number of alignments than of gold", () => {
    expect(() => alignmentErrorRate([[]], gold)).toThrow(
      "alignmentErrorRate: each of the 1 alignments needs a gold alignment, got 2; pass one for each sentence",
    );
  });
});

describe("alignmentAccuracy", () => {
  // Linked target words: 0, 2, 1 of the first and 1 of the second; right: 0 and 1 of the first.
  it("counts the target words whose link is one of theirs", () => {
    expect(alignmentAccuracy(alignments, gold)).toBe(2 / 4);
  });
});

describe("argmaxAlignment", () => {
  it("links each target word to its largest weight, the first of equals, and an empty row to nothing", () => {
    const weights = new Float32Array([
      0.2,
      0.5,
      0.3,
      0.4,
      0.2,
      0.4,
      0,
      0,
      0,
      Number.NaN,
      Number.NaN,
      1,
      0.1,
      0.2,
      0.7,
    ]);
    expect(argmaxAlignment(weights, [5, 3])).toEqual([
      [1, 0],
      [0, 1],
      [2, 3],
      [2, 4],
    ]);
  });

  it("refuses weights that are not T by S", () => {
    expect(() => argmaxAlignment([1, 2, 3], [2, 3])).toThrow(
      "argmaxAlignment: T=2 by S=3 weights are 6 numbers, got 3; pass one [T, S] matrix",
    );
  });
});
