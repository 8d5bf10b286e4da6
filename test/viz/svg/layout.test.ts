import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FIGURE, layOut, TOKEN_SIZE } from "../../../src/viz/svg/layout.ts";
import { textWidth } from "../../../src/viz/svg/measure.ts";
import { INPUT, numbered, OUTPUT } from "../fixtures.ts";

const words = { hasTitle: true, hasXTitle: true, hasYTitle: true, hasNote: false };

describe("layOut", () => {
  it("gives the article's 5 × 7 example its 10 × 8 inches and level labels", () => {
    const layout = layOut({ rows: OUTPUT, columns: INPUT, ...words });
    expect(layout).toMatchObject({ ...FIGURE, columnAngle: 0 });
    expect(layout.width / layout.height).toBe(10 / 8);
    expect(layout.rowLabels.map(({ text }) => text)).toEqual(OUTPUT);
    expect(layout.columnLabels.map(({ text }) => text)).toEqual(INPUT);
  });

  it("slants labels that are wider than their column, and stands them up where columns are narrow", () => {
    const angle = (columns: number) =>
      layOut({ rows: OUTPUT, columns: numbered("responsibility", columns), ...words }).columnAngle;
    expect([3, 13, 40].map(angle)).toEqual([0, -45, -90]);
  });

  it("shrinks the figure rather than drawing stripes", () => {
    const wide = layOut({ rows: OUTPUT.slice(0, 3), columns: numbered("t", 41), ...words });
    expect(wide.height).toBeLessThan(FIGURE.height / 2);
    const tall = layOut({ rows: numbered("t", 41), columns: OUTPUT.slice(0, 3), ...words });
    expect(tall.width).toBeLessThan(FIGURE.width / 1.5);
  });

  it("keeps every label inside the figure and 14 px from the next, at every size", () => {
    const token = fc.oneof(fc.string({ unit: "grapheme", maxLength: 30 }), fc.constant("W".repeat(99)));
    const tokens = fc.array(token, { minLength: 1, maxLength: 200, size: "max" });
    fc.assert(
      fc.property(tokens, tokens, (rows, columns) => {
        const layout = layOut({ rows, columns, ...words, hasNote: true });
        expect(layout.width).toBeLessThanOrEqual(FIGURE.width);
        expect(layout.height).toBeLessThanOrEqual(FIGURE.height);
        const angle = (layout.columnAngle * Math.PI) / 180;
        for (const { text, at } of layout.rowLabels) {
          expect(layout.left - 10 - textWidth(text, TOKEN_SIZE)).toBeGreaterThanOrEqual(0);
          expect(at).toBeGreaterThan(layout.top);
        }
        for (const { text, at } of layout.columnLabels) {
          const width = textWidth(text, TOKEN_SIZE);
          const reach = layout.columnAngle === 0 ? width / 2 : width * Math.cos(angle);
          expect(at - reach).toBeGreaterThanOrEqual(-4);
          expect(width * Math.sin(-angle)).toBeLessThanOrEqual(layout.columnDepth);
        }
        for (const labels of [layout.rowLabels, layout.columnLabels])
          for (let i = 1; i < labels.length; i++)
            expect(labels[i]!.at - labels[i - 1]!.at).toBeGreaterThanOrEqual(14);
      }),
      { numRuns: 25 },
    );
  });
});
