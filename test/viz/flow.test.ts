import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { type FlowOptions, flow, type HeatmapData } from "../../src/viz/index.ts";
import { CAUSAL, HOSTILE, numbered, SEED } from "./fixtures.ts";
import { all, parseXml, type XmlElement } from "./xml.ts";

const draw = (data: HeatmapData, options?: FlowOptions) => parseXml(flow(data, options));
const group = (svg: XmlElement) => all(svg, "g").find(({ attributes }) => attributes.class === "e")!;
const edges = (svg: XmlElement) => all(group(svg), "path").map(({ attributes }) => attributes);
const golden = (name: string) => `golden/${name}.svg`;

describe("flow", () => {
  it("draws the figure of the article", async () => {
    await expect(flow(SEED, { layout: "article" })).toMatchFileSnapshot(golden("flow-article"));
  });

  it("draws two columns, in the dark, for real sentences", async () => {
    await expect(flow(SEED, { theme: "dark" })).toMatchFileSnapshot(golden("flow-columns"));
  });

  it("draws exactly the edges above the threshold, with opacity w and thickness 5w", () => {
    const tokens = (n: number) => numbered("word", n);
    const cases = fc.record({
      T: fc.integer({ min: 1, max: 7 }),
      S: fc.integer({ min: 1, max: 7 }),
      threshold: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 49, maxLength: 49 }),
    });
    fc.assert(
      fc.property(cases, ({ T, S, threshold, seed }) => {
        const weights = Array.from({ length: T }, (_, t) => seed.slice(t * S, t * S + S));
        const data = { weights, rowTokens: tokens(T), columnTokens: tokens(S) };
        const drawn = edges(draw(data, { layout: "article", edges: { threshold } }));
        const expected = weights
          .flat()
          .filter((w) => w > threshold)
          .map((w) => Number(w.toPrecision(6)));
        expect(drawn.map((edge) => Number(edge["stroke-opacity"])).sort()).toEqual(expected.sort());
        for (const edge of drawn) {
          const w = Number(edge["stroke-opacity"]);
          expect(Number(edge["stroke-width"])).toBeCloseTo(5 * w, 4);
        }
      }),
    );
  });

  it("keeps of each output the strongest edges that hold the mass asked for", () => {
    // 0.9; 0.8; 0.5 + 0.25; 0.75; 0.7 hold 70 % of their rows.
    const drawn = edges(draw(SEED, { edges: { mass: 0.7 } })).map((edge) => Number(edge["stroke-opacity"]));
    expect(drawn).toEqual([0.25, 0.5, 0.7, 0.75, 0.8, 0.9]);
    expect(edges(draw(SEED, { edges: { mass: 1 } }))).toHaveLength(24);
  });

  it("draws nodes above lines, one for every token, rows centred whatever their lengths", () => {
    const svg = draw(SEED, { layout: "article" });
    const order = svg.children.map(({ name }) => name);
    expect(order.lastIndexOf("g")).toBeLessThan(order.indexOf("circle"));
    const circles = all(svg, "circle").map(({ attributes }) => attributes);
    const row = (fill: string) => circles.filter((one) => one.fill === fill).map(({ cx }) => Number(cx));
    const [inputs, outputs] = [row("#87ceeb"), row("#90ee90")];
    expect([inputs.length, outputs.length]).toEqual([7, 5]);
    const middle = (xs: number[]) => (xs[0]! + xs.at(-1)!) / 2;
    expect(middle(inputs)).toBeCloseTo(middle(outputs), 6);
  });

  it("leaves out what is masked, not finite or 0, and says how much of the weight it shows", () => {
    const svg = draw(CAUSAL, { edges: { threshold: 0 } });
    expect(edges(svg)).toHaveLength(1 + 2 + 3 + 4 + 1);
    const [desc] = all(svg, "desc");
    expect(desc!.text).toContain("11 edges of 11, 100 % of the weight");
  });

  it("draws weights above 1 as 1 and says so, and never more than the 2,000 strongest edges", () => {
    const above = { weights: [[3, 0.5]], rowTokens: ["a"], columnTokens: ["b", "c"] };
    const svg = draw(above, { edges: { threshold: 0.1 } });
    expect(edges(svg).at(-1)).toMatchObject({ "stroke-opacity": "1", "stroke-width": "5" });
    expect(all(svg, "desc")[0]!.text).toContain("weights above 1 are drawn as 1");
    const n = 60;
    const many = {
      weights: Array.from({ length: n }, () => new Array<number>(n).fill(1 / n)),
      rowTokens: numbered("o", n),
      columnTokens: numbered("i", n),
    };
    expect(edges(draw(many, { edges: { mass: 1 } }))).toHaveLength(2000);
  });

  it("keeps hostile tokens inert and figures apart", () => {
    const weights = HOSTILE.map((_, t) => HOSTILE.map((_, s) => (s === t ? 1 : 0)));
    const data = { weights, rowTokens: HOSTILE, columnTokens: HOSTILE };
    for (const layout of ["article", "columns"] as const) {
      const svg = draw(data, { layout });
      expect(all(svg, "script")).toEqual([]);
      expect(edges(svg)).toHaveLength(HOSTILE.length);
    }
    expect(draw(data).attributes.id).not.toBe(draw(SEED).attributes.id);
  });

  it("refuses choices out of range and data that do not fit", () => {
    expect(() => flow(SEED, { edges: { threshold: 2 } })).toThrow(
      "flow: edges.threshold must be a number from 0 to 1, got 2; pass { threshold } or { mass } in that range",
    );
    expect(() => flow(SEED, { layout: "ring" as "article" })).toThrow(OptionError);
    expect(() => flow({ ...SEED, rowTokens: [] })).toThrow(OptionError);
    expect(() => flow({ ...SEED, rowTokens: ["one"] })).toThrow(ShapeError);
  });

  it("passes on what a reader should know", () => {
    const said: string[] = [];
    flow(
      { weights: [[0.5]], rowTokens: ["a"], columnTokens: ["b"] },
      { onWarning: (message) => said.push(message) },
    );
    expect(said[0]).toMatch(/^flow: /);
  });
});
