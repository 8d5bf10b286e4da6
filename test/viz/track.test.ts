import { expect, test } from "vitest";
import { track } from "../../src/viz/index.ts";

const picture = { height: 2, width: 3, values: [0, 1, 0, 0.5, 0, 1] };
const frame = (name: string, ...boxes: (readonly [number, number, number, number])[]) => ({
  name,
  picture,
  boxes,
});

test("each frame has its box at its scale, and a second one has dashes", () => {
  const svg = track([frame("0", [1, 0.5, 1, 2]), frame("1", [0, 0, 1, 1], [1, 1, 1, 1])], { panelWidth: 90 });
  // 30 pixels for one of the picture's; the first frame begins at (16, 44).
  expect(svg).toMatch(/<rect x="31" y="74" width="60" height="30" fill="none" stroke="#00c853"/);
  expect(svg.match(/stroke="#00c853"/g)).toHaveLength(2);
  expect(svg.match(/stroke="#ff9100"[^>]*stroke-dasharray="4 3"/g)).toHaveLength(1);
  expect(svg.match(/<image /g)).toHaveLength(2);
  expect(svg).toContain("“1”, box [0.0, 0.0, 1.0, 1.0] and [1.0, 1.0, 1.0, 1.0]");
});

test("frames go on in a next row, and a name is shown as it is", () => {
  const names = ["a", "b", "<c>"];
  const svg = track(
    names.map((name) => frame(name)),
    { columns: 2, panelWidth: 30, title: "" },
  );
  expect(svg).toContain("&lt;c&gt;");
  expect(svg).toContain("no box");
  expect(svg).toMatch(/^<svg[^>]* width="102"/);
  expect(track([frame("a")])).toBe(track([frame("a")]));
});

test("what cannot be drawn is refused", () => {
  expect(() => track([])).toThrow("track: frames must be a list of one or more, got none");
  expect(() => track([frame("a", [0, 0, Number.NaN, 1])])).toThrow(
    "track: frames[0].boxes must be four finite numbers each: top, left, height, width",
  );
  expect(() => track([{ ...frame("a"), picture: { ...picture, width: 4 } }])).toThrow(
    "frames[0].picture.values",
  );
});
