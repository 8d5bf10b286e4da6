import { describe, expect, it } from "vitest";
import { colorAt, type Rgb } from "../../../src/viz/color.ts";
import { definitions } from "../../../src/viz/svg/colorbar.ts";
import { all, parseXml } from "../xml.ts";

const rgb = (hex: string) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;

describe("the colour bar", () => {
  // The red of cividis starts with a jump from 0 that the table itself makes.
  it.each([
    ["viridis", 2],
    ["cividis", 6],
    ["grey", 1],
  ] as const)("blends between its stops to %s's table to within %d of 255", (palette, most) => {
    const stops = all(parseXml(definitions("x", palette)), "stop").map(({ attributes }) => ({
      at: Number.parseFloat(attributes.offset!) / 100,
      color: rgb(attributes["stop-color"]!),
    }));
    for (let i = 0; i < 256; i++) {
      const t = (i + 0.5) / 256;
      const k = Math.max(
        1,
        stops.findIndex(({ at }) => at >= t - 1e-4),
      );
      const [a, b] = [stops[k - 1]!, stops[k]!];
      const share = (t - a.at) / (b.at - a.at);
      for (const channel of [0, 1, 2] as const) {
        const blended = a.color[channel] + share * (b.color[channel] - a.color[channel]);
        expect(Math.abs(blended - colorAt(palette, t)[channel])).toBeLessThanOrEqual(most);
      }
    }
  });
});
