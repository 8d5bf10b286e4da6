import { describe, expect, it } from "vitest";
import { color256, makeInk, paintLine } from "../../../src/viz/terminal/ink.ts";

describe("makeInk", () => {
  it("is the exact palette at depth 24", () => {
    const ink = makeInk(24)!;
    expect([0, 0.5, 1].map(ink.color)).toEqual(["2;68;1;84", "2;33;145;140", "2;253;231;37"]);
    expect([0, 1].map(ink.text)).toEqual(["2;255;255;255", "2;0;0;0"]);
    expect(makeInk(24, "grey")!.color(1)).toBe("2;255;255;255");
  });

  it("is the ramp of 24 greys at depth 8, each step used", () => {
    const ink = makeInk(8)!;
    const steps = Array.from({ length: 24 }, (_, k) => ink.color((k + 0.5) / 24));
    expect(steps).toEqual(Array.from({ length: 24 }, (_, k) => `5;${232 + k}`));
    expect(ink.color(1)).toBe("5;255");
    expect([ink.text(0), ink.text(1)]).toEqual(["5;231", "5;16"]);
  });

  it("approximates a palette asked for at depth 8 by the nearest of the 240 fixed colours", () => {
    // Viridis ends at #fde725; of the cube's 215…255, 215…255 and 0…95 the nearest is #ffd700 or #ffff5f or #ffd75f.
    const [, index] = makeInk(8, "viridis")!.color(1).split(";").map(Number);
    expect(color256(index!)).toEqual([255, 215, 0]);
  });

  it("does not exist below 256 colours", () => {
    expect([makeInk(4), makeInk(1, "viridis")]).toEqual([undefined, undefined]);
  });
});

describe("color256", () => {
  it("knows the cube and the greys", () => {
    expect([16, 21, 196, 231, 232, 255].map(color256)).toEqual([
      [0, 0, 0],
      [0, 0, 255],
      [255, 0, 0],
      [255, 255, 255],
      [8, 8, 8],
      [238, 238, 238],
    ]);
  });
});

describe("paintLine", () => {
  it("shares a sequence among equal neighbours, and ends as the line began", () => {
    const line = paintLine([
      { text: "a " },
      { text: "b", background: "5;1" },
      { text: "c", background: "5;1" },
      { text: "d", foreground: "5;2", background: "5;1" },
      { text: "e", foreground: "5;2" },
    ]);
    expect(line).toBe("a \u001b[48;5;1mbc\u001b[38;5;2md\u001b[49me\u001b[0m");
  });

  it("drops blanks at the end, but not coloured ones", () => {
    expect(paintLine([{ text: "a  " }])).toBe("a");
    expect(paintLine([{ text: " ", background: "5;1" }, { text: " " }])).toBe("\u001b[48;5;1m \u001b[49m");
  });
});
