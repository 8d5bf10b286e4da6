import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colorAt, contrast, hex, type Rgb } from "../../src/viz/color.ts";
import { type HeatmapData, type HeatmapOptions, heatmap } from "../../src/viz/index.ts";
import { DARK, LIGHT } from "../../src/viz/svg/theme.ts";
import { CAUSAL, diagonal, HOSTILE, INPUT, numbered, OUTPUT, SEED } from "./fixtures.ts";
import { all, parseXml, type XmlElement } from "./xml.ts";

const draw = (data: HeatmapData, options?: HeatmapOptions) => parseXml(heatmap(data, options));
/** The cells are the rectangles with a tooltip. */
const cellsOf = (svg: XmlElement) => all(svg, "rect").filter(({ children }) => children.length > 0);
const texts = (svg: XmlElement) => all(svg, "text").map(({ text }) => text);
const golden = (name: string) => `golden/${name}.svg`;

describe("heatmap", () => {
  it("draws the figure of the article", async () => {
    await expect(heatmap(SEED)).toMatchFileSnapshot(golden("seed"));
  });

  it("draws numbers, masked and not finite cells, in the dark", async () => {
    const weights = [...(CAUSAL.weights as number[][])];
    weights[4] = [0, 0, 0, Number.NaN, 1];
    const svg = heatmap({ ...CAUSAL, weights }, { theme: "dark", numbers: true, palette: "cividis" });
    await expect(svg).toMatchFileSnapshot(golden("causal-dark"));
  });

  it("follows the reader's colour scheme", async () => {
    await expect(heatmap(SEED, { theme: "auto", domain: "data", title: "" })).toMatchFileSnapshot(
      golden("seed-auto"),
    );
  });

  it("tells small weights apart on a logarithmic scale, with powers of ten beside its bar", async () => {
    const svg = heatmap(CAUSAL, { colorScale: "log", numbers: true, theme: "auto" });
    await expect(svg).toMatchFileSnapshot(golden("causal-log"));
    const names = texts(parseXml(svg));
    expect(names).toEqual(expect.arrayContaining(["weight, log scale", "1e-6", "0.0001", "1"]));
    expect(heatmap(CAUSAL, { colorScale: "linear" })).toContain(">weight<");
  });

  it("slants and thins out the labels of larger maps", async () => {
    const data = {
      weights: diagonal(11, 13),
      rowTokens: numbered("output", 11),
      columnTokens: numbered("longinput", 13),
    };
    await expect(heatmap(data)).toMatchFileSnapshot(golden("slanted"));
  });

  it("has 35 cells for 5 × 7, in row order, each of the exact viridis of its weight", () => {
    const cells = cellsOf(draw(SEED));
    expect(cells).toHaveLength(35);
    const fills = (SEED.weights as number[][]).flat().map((weight) => hex(colorAt("viridis", weight)));
    expect(cells.map(({ attributes }) => attributes.fill)).toEqual(fills);
    const first = cells[0]!.attributes;
    const last = cells[34]!.attributes;
    expect(Number(last.x)).toBe(Number(first.x) + 6 * Number(first.width));
    expect(Number(last.y)).toBe(Number(first.y) + 4 * Number(first.height));
    expect(cells[8]!.children[0]!.text).toBe("“aime” to “love”: 0.800");
  });

  it("is 10 × 8 inches with the titles, tokens and ticks of the article", () => {
    const svg = draw(SEED);
    expect([svg.attributes.width, svg.attributes.height]).toEqual(["960", "768"]);
    expect(texts(svg)).toEqual([
      ...OUTPUT,
      ...INPUT,
      "Attention Weights",
      "Input Sequence",
      "Output Sequence",
      ...["0", "0.2", "0.4", "0.6", "0.8", "1"],
      "weight",
    ]);
  });

  it("is an image with a name and a description for screen readers", () => {
    const svg = draw(SEED);
    const [title] = all(svg, "title");
    const [description] = all(svg, "desc");
    expect(svg.attributes.role).toBe("img");
    expect(svg.attributes["aria-labelledby"]).toBe(title!.attributes.id);
    expect(svg.attributes["aria-describedby"]).toBe(description!.attributes.id);
    expect(title!.text).toBe("Attention Weights");
    expect(description!.text).toBe("5 output tokens over 7 input tokens; “J'” attends most to “I” (0.90).");
  });

  it("uses 0 to 1 whatever the data, and says so when it is told otherwise", () => {
    const data = { weights: [[0.25, 0.75]], rowTokens: ["a"], columnTokens: ["x", "y"] };
    const fills = (options?: HeatmapOptions) =>
      cellsOf(draw(data, options)).map(({ attributes }) => attributes.fill);
    expect(fills()).toEqual([hex(colorAt("viridis", 0.25)), hex(colorAt("viridis", 0.75))]);
    expect(fills({ domain: "data" })).toEqual(["#440154", "#fde725"]);
    expect(texts(draw(data, { domain: "data" }))).toContain("weight (scaled to this map)");
    expect(texts(draw(data, { domain: [0, 0.5] }))).toContain("weight (0 to 0.5)");
  });

  it("hatches masked cells and weights that are not finite, and explains both", () => {
    const data = {
      weights: [0, Number.NaN, 0, 1],
      mask: [1, 1, 0, 1],
      rowTokens: ["a"],
      columnTokens: ["w", "x", "y", "z"],
    };
    const svg = draw(data, { numbers: true });
    const id = svg.attributes.id;
    expect(cellsOf(svg).map(({ attributes }) => attributes.fill)).toEqual([
      "#440154",
      `url(#${id}-x)`,
      `url(#${id}-m)`,
      "#fde725",
    ]);
    expect(all(svg, "pattern").map(({ attributes }) => attributes.id)).toEqual([`${id}-m`, `${id}-x`]);
    expect(texts(svg)).toEqual(expect.arrayContaining(["masked", "not finite", "0.00", "1.00"]));
    expect(texts(svg)).not.toContain("NaN");
    expect(texts(draw(SEED))).not.toContain("masked");
  });

  it("writes numbers only into cells of 28 px or more", () => {
    const count = (side: number) => {
      const tokens = numbered("t", side);
      const svg = draw(
        { weights: diagonal(side, side), rowTokens: tokens, columnTokens: tokens },
        { numbers: true },
      );
      return texts(svg).filter((text) => /^0\.\d\d$/.test(text)).length;
    };
    expect(count(7)).toBe(49);
    expect(count(41)).toBe(0);
  });

  it("warns about rows that are no distributions, and draws them all the same", () => {
    const heard: string[] = [];
    const svg = draw(
      { weights: [[0.5, 2]], rowTokens: ["a"], columnTokens: ["x", "y"] },
      { onWarning: (message) => heard.push(message) },
    );
    expect(heard).toEqual([
      "heatmap: every row of weights must be a distribution (nothing negative, sum 1 within 0.001), got row 0 “a” " +
        "with a sum of 2.5; the colours are still exact, but do not read them as shares of attention",
    ]);
    expect(cellsOf(svg)[1]!.attributes.fill).toBe("#fde725");
    heatmap(SEED, { onWarning: (message) => heard.push(message) });
    expect(heard).toHaveLength(1);
  });

  it("max-pools more than 200 tokens on a side, and says so in words", () => {
    const weights = new Float64Array(211 * 607);
    for (let i = 0; i < 211; i++) weights[i * 607 + 300] = 1;
    const svg = draw({ weights, rowTokens: numbered("r", 211), columnTokens: numbered("c", 607) });
    const note = "pooled 2× down and 4× across: a cell shows the largest of 2 × 4 weights.";
    expect(texts(svg)).toContain(note);
    expect(all(svg, "desc")[0]!.text).toContain(note);
    expect(texts(svg)).toContain("r0…r1");
    // One column of pooled cells is hot: all of it in one colour, from the top to the bottom.
    const [hot] = all(svg, "path").filter(({ attributes }) => attributes.fill === "#fde725");
    expect(hot!.attributes.d!.split("M")).toHaveLength(1 + 106);
  });

  it("draws the same picture as paths when there are too many cells for elements", () => {
    const side = 53;
    const tokens = numbered("t", side);
    const weights = diagonal(side, side);
    const svg = draw({ weights, rowTokens: tokens, columnTokens: tokens });
    expect(cellsOf(svg)).toHaveLength(0);
    const paths = all(svg, "path").filter(({ attributes }) => attributes.fill?.startsWith("#"));
    const frame = all(svg, "rect").find(({ attributes }) => attributes.class === "l")!.attributes;
    const cellWidth = Number(frame.width) / side;
    const painted = new Map<string, string>();
    for (const { attributes } of paths)
      for (const [, x, y, width] of attributes.d!.matchAll(/M(\d+) (\d+)h(\d+)v\d+h-\d+z/g))
        for (let j = 0; j < Number(width) / cellWidth; j++) {
          const key = `${y} ${Number(x) + j * cellWidth}`;
          expect(painted.has(key)).toBe(false);
          painted.set(key, attributes.fill!);
        }
    const order = [...painted.keys()].map((key) => key.split(" ").map(Number) as [number, number]);
    order.sort(([y1, x1], [y2, x2]) => y1 - y2 || x1 - x2);
    const fills = order.map(([y, x]) => painted.get(`${y} ${x}`));
    expect(fills).toEqual(weights.flat().map((weight) => hex(colorAt("viridis", weight))));
  });

  it("gives two different figures different ids, and the same figure the same text", () => {
    expect(heatmap(SEED)).toBe(heatmap(SEED));
    expect(draw(SEED).attributes.id).not.toBe(draw(CAUSAL).attributes.id);
    expect(draw(SEED).attributes.id).not.toBe(draw(SEED, { theme: "dark" }).attributes.id);
  });

  it("keeps its style sheet inside the figure", () => {
    const svg = draw(SEED, { theme: "auto" });
    const css = all(svg, "style")[0]!.text;
    const selectors = css.replace(/@media[^{]*/, "").match(/[^{}]+(?=\{)/g)!;
    for (const selector of selectors) expect(selector).toMatch(new RegExp(`^#${svg.attributes.id} \\.`));
  });

  it.each([
    ["light", LIGHT],
    ["dark", DARK],
  ] as const)("text reaches 7:1 and lines 3:1 on the %s background", (_, colors) => {
    const rgb = (color: string) =>
      [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16)) as unknown as Rgb;
    const against = (color: string, ground: string) => contrast(rgb(color), rgb(ground));
    expect(against(colors.text, colors.background)).toBeGreaterThanOrEqual(7);
    expect(against(colors.line, colors.background)).toBeGreaterThanOrEqual(3);
    expect(against(colors.maskedLine, colors.maskedFill)).toBeGreaterThanOrEqual(3);
    expect(against(colors.invalidLine, colors.maskedFill)).toBeGreaterThanOrEqual(3);
  });

  it("leaves hostile tokens without effect", async () => {
    const svg = heatmap({
      weights: diagonal(HOSTILE.length, HOSTILE.length),
      rowTokens: HOSTILE,
      columnTokens: HOSTILE,
    });
    const names = new Set<string>();
    const visit = (element: XmlElement) => {
      names.add(element.name);
      for (const child of element.children) visit(child);
    };
    visit(parseXml(svg));
    expect(names).not.toContain("script");
    expect(svg).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069\u200b\ufeff]/u);
    expect(svg.length).toBeLessThan(100_000);
    await expect(svg).toMatchFileSnapshot(golden("hostile"));
  });

  it("is well-formed XML for any tokens and titles", () => {
    const token = fc.string({ unit: "binary", maxLength: 12 });
    const tokens = fc.array(token, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(tokens, tokens, token, (rowTokens, columnTokens, title) => {
        const weights = diagonal(rowTokens.length, columnTokens.length);
        const svg = draw({ weights, rowTokens, columnTokens }, { title, xTitle: title, yTitle: title });
        expect(cellsOf(svg)).toHaveLength(rowTokens.length * columnTokens.length);
      }),
      { numRuns: 300 },
    );
  });

  it("refuses a palette and a theme that do not exist", () => {
    expect(() => heatmap(SEED, { palette: "jet" as "grey" })).toThrow(
      'heatmap: palette must be one of "viridis", "cividis", "grey", "PuOr", got "jet"; pick one of these',
    );
    expect(() => heatmap(SEED, { theme: "blue" as "dark" })).toThrow(
      'heatmap: theme must be one of "light", "dark", "auto", got "blue"; pick one of these',
    );
  });
});
