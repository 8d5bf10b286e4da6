import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { createTrace, type TraceInput, traceTensor } from "../../src/inspect/index.ts";
import { drawTrace, pageFigures } from "../../src/views/index.ts";
import { encodePng, gaussianAxis, marginals } from "../../src/viz/index.ts";
import { HOSTILE } from "../viz/fixtures.ts";
import { all, parseXml } from "../viz/xml.ts";
import { causalLayer, IMAGE, imageTrace, rows, selfTrace } from "./support.ts";

type Options = Parameters<typeof pageFigures>[1];
const captions = (input: TraceInput, options: Options = {}) =>
  pageFigures(createTrace(input), options).map(({ caption }) => caption.split(/[:,.]/)[0]);

const STATISTICS = "What each head does";
const NEURON = "Which channels of query and keys make the scores of one query";
const ROLLOUT = "How much of each output comes from each input";

describe("pageFigures", () => {
  test("draws what the trace has the data for, and nothing else", () => {
    expect(captions(selfTrace())).toEqual([NEURON, STATISTICS, ROLLOUT]);
    expect(captions(imageTrace(), { glimpseSize: [9, 9] })).toEqual([
      STATISTICS,
      "What each word looked at in the image",
      "Where the model looked in the image",
      "Step 0",
      ...["The gate channels", "The gate strip", "The gate spatial"],
    ]);
    const tokens = { src: ["I", "am"], tgt: ["suis"] };
    const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
    expect(captions({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] })).toEqual([STATISTICS]);
    expect(captions({ tokens: {}, layers: [] })).toEqual([]);
  });

  test("draws them as drawTrace does, without the trace's name, for light and dark", () => {
    const trace = selfTrace({ name: "name" });
    const [neuron, statistics, rollout] = pageFigures(trace, {
      layer: 1,
      head: 2,
      query: 3,
      palette: "grey",
    });
    const plain = selfTrace();
    expect(statistics!.svg).toBe(drawTrace(plain, { view: "statistics", theme: "auto", width: 560 }));
    expect(rollout!.svg).toBe(drawTrace(plain, { view: "rollout", theme: "auto", palette: "grey" }));
    expect(neuron!.svg).toBe(
      drawTrace(plain, { view: "neuron", theme: "auto", layer: 1, head: 2, query: 3 }),
    );
  });

  test("draws a Gaussian's two factors, of a large image from the middle of each block", () => {
    const figures = pageFigures(imageTrace(), { glimpseSize: [9, 5], palette: "grey" });
    const y = gaussianAxis(24, 9, { u: 5, d: 1, s: Math.fround(0.8) });
    const x = gaussianAxis(32, 5, { u: 16, d: Math.fround(1.2), s: Math.fround(0.9) });
    const look = { title: "step 0", palette: "grey", theme: "auto" } as const;
    expect(figures.map(({ svg }) => svg)).toContain(marginals({ y, x }, look));
    const image = encodePng({ width: 97, height: 53, channels: 1, data: new Uint8Array(97 * 53) });
    const glimpses = [traceTensor([6], [7, 3, 2, 13, 5, 4])];
    const large = pageFigures(createTrace({ tokens: {}, layers: [], image, glimpses }), {
      glimpseSize: [4, 3],
    });
    const data = {
      y: gaussianAxis(18, 4, { u: 2, d: 1, s: 2 / 3 }),
      x: gaussianAxis(33, 3, { u: 4, d: 5 / 3, s: 4 / 3 }),
    };
    expect(large.at(-1)).toEqual({
      caption: "Step 0: how much each row and each column is looked at. One of 3 × 3 pixels is drawn.",
      svg: marginals(data, { title: "step 0", theme: "auto" }),
    });
  });

  test("says what it leaves out of a trace, and goes on", () => {
    const said: string[] = [];
    expect(captions(imageTrace(), { onWarning: (message) => said.push(message) })).not.toContain(
      "Where the model looked in the image",
    );
    expect(said).toEqual([
      "pageFigures: glimpse 0 must have its rows and columns said for the view glimpse: a Gaussian one reaches " +
        "as far as it has them, got no glimpseSize; say it, such as 12x12; the page goes without",
    ]);
    said.length = 0;
    const broken = imageTrace({ image: IMAGE.slice(0, 60), gates: {}, glimpses: [] });
    expect(captions(broken, { onWarning: (message) => said.push(message) })).toEqual([STATISTICS]);
    expect(said).toHaveLength(1);
  });

  test("leaves out what would be no picture: 129 keys of a neuron view, 257 tokens of a rollout", () => {
    const of = (T: number) => ({
      tokens: { src: Array.from({ length: T }, (_, t) => `t${t}`) },
      layers: [causalLayer(T, 1, 1, 2, 1), causalLayer(T, 1, 1, 2, 2)],
    });
    expect(captions(of(128))).toEqual([NEURON, STATISTICS, ROLLOUT]);
    expect(captions(of(129))).toEqual([STATISTICS, ROLLOUT]);
    expect(captions(of(257))).toEqual([STATISTICS]);
  });

  test("draws the one gate that is named, and the image of the layer that looks at it", () => {
    expect(captions(imageTrace(), { gate: "strip" }).filter((name) => name?.startsWith("The"))).toEqual([
      "The gate strip",
    ]);
    const { layers, tokens } = imageTrace();
    const words = traceTensor([1, 3, 3], rows(3, 3, 1));
    const two = imageTrace({
      tokens,
      layers: [{ alignQ: "tgt", alignK: "tgt", attn: words }, layers[0]!],
      glimpses: [],
      gates: {},
    });
    const first = "What each word looked at in the image";
    expect(captions(two)).toEqual([STATISTICS, first]);
    expect(captions(two, { layer: 1 })).toEqual([STATISTICS, first]);
    expect(captions(two, { layer: 0 })).toEqual([STATISTICS]);
  });

  test.each([
    [{ layer: 2 }, "layer must be from 0 to 1: the trace has 2, got 2"],
    [{ layer: [0, 1] }, "layer must be one number"],
    [{ head: 4 }, "head must be from 0 to 3: block 0 has 4, got 4"],
    [{ query: 7 }, 'query must be from 0 to 6: tokens["src"] has 7, got 7'],
    [{ gate: "x" }, "a trace for the view gates must have a gate: gate.name, got 2 layers"],
  ])("refuses %j", (options, message) => {
    expect(() => pageFigures(selfTrace(), options)).toThrow(OptionError);
    expect(() => pageFigures(selfTrace(), options)).toThrow(`pageFigures: ${message}`);
  });

  test("keeps hostile tokens text, and every figure has a name and a description", () => {
    const tokens = { src: HOSTILE.slice(0, 7) };
    expect(tokens.src).toHaveLength(7);
    const figures = pageFigures(selfTrace({ tokens }));
    expect(figures).toHaveLength(3);
    for (const { svg } of figures) {
      const tree = parseXml(svg);
      expect(all(tree, "script")).toEqual([]);
      expect(all(tree, "title").length).toBeGreaterThan(0);
      expect(all(tree, "desc").map(({ text }) => text.length > 10)).toEqual([true]);
    }
  });
});
