import { describe, expect, it, test } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { createTrace, layerMap, readTrace, traceTensor, writeTrace } from "../../src/inspect/index.ts";
import { defaultView, drawTrace, pageFigures, pngTrace, showTrace, VIEWS } from "../../src/views/index.ts";
import { HOSTILE } from "../viz/fixtures.ts";
import { all, parseXml } from "../viz/xml.ts";
import { causalLayer, IMAGE, imageTrace, rows, selfTrace, WORDS } from "./support.ts";

const golden = (name: string) => `golden/${name}.svg`;
const texts = (svg: string) => all(parseXml(svg), "text").map(({ text }) => text);

describe("each view, of a trace", () => {
  test.each(["heatmap", "flow", "heads", "grid", "neuron", "statistics", "compare", "rollout"] as const)(
    "%s",
    async (view) => {
      await expect(drawTrace(selfTrace(), { view, theme: "auto" })).toMatchFileSnapshot(golden(view));
    },
  );

  test("image and glimpse", async () => {
    const trace = imageTrace();
    await expect(drawTrace(trace, { view: "image", theme: "auto" })).toMatchFileSnapshot(golden("image"));
    const svg = drawTrace(trace, { view: "glimpse", glimpseSize: [9, 9], theme: "auto" });
    await expect(svg).toMatchFileSnapshot(golden("glimpse"));
  });

  test("marginals: of the first Gaussian glimpse", async () => {
    const { glimpses, ...rest } = imageTrace();
    const trace = createTrace({ ...rest, glimpses: [...glimpses].reverse() });
    const options = { view: "marginals", glimpseSize: [9, 9], theme: "auto" } as const;
    const svg = drawTrace(trace, options);
    await expect(svg).toMatchFileSnapshot(golden("marginals"));
    expect(svg).toContain("disc.attn: glimpse 1");
    expect(drawTrace(trace, { ...options, step: 1 })).toBe(svg);
  });

  test("one glimpse of several, with its own size", async () => {
    const { glimpses, ...rest } = imageTrace();
    const affine = traceTensor([2, 3], [0.5, 0, 0.2, 0, 0.5, -0.1]);
    const trace = createTrace({
      ...rest,
      glimpses: [affine, glimpses[0]!],
      glimpseSizes: [
        [4, 4],
        [7, 5],
      ],
    });
    const svg = drawTrace(trace, { view: "glimpse", step: 1 });
    expect(svg).toContain("glimpse, step 1 (of 2)");
    expect(svg).toContain(">step 1<");
    expect(svg).not.toContain(">step 0<");
    const alone = createTrace({ ...rest, glimpses: [glimpses[0]!], glimpseSizes: [[7, 5]] });
    const picture = (text: string) => text.match(/data:image\/png;base64,[^"]+/g)!.at(-1);
    expect(picture(svg)).toBe(picture(drawTrace(alone, { view: "glimpse" })));
  });

  test.each(["channels", "strip", "spatial"])("gates: %s", async (gate) => {
    const svg = drawTrace(imageTrace(), { view: "gates", gate, theme: "auto" });
    await expect(svg).toMatchFileSnapshot(golden(`gates-${gate}`));
  });
});

describe("weights times the lengths of the values", () => {
  const attn = traceTensor([1, 2, 2], [0.75, 0.25, 0.5, 0.5]);
  const vnorm = traceTensor([1, 2], [2, 0]);
  const tokens = { src: ["a", "b"] };
  const trace = createTrace({ tokens, layers: [{ alignQ: "src", alignK: "src", attn, vnorm }] });

  it("are a heat map with a scale of its own, in a file and in a terminal", () => {
    const svg = drawTrace(trace, { valueNorms: true });
    for (const text of [
      "weights × lengths of the values",
      "weight × length of the value (scaled to this map)",
      ">1.50<",
    ])
      expect(svg).toContain(text);
    const warned: string[] = [];
    const options = { depth: 1, unicode: true, columns: 80, format: "text" } as const;
    const shown = showTrace(trace, { ...options, valueNorms: true, onWarning: (w) => warned.push(w) });
    expect(shown).toContain("a: a 1.50");
    expect(warned).toEqual([]);
    expect(() => pngTrace(trace, { valueNorms: true })).toThrow(
      "pngTrace: valueNorms must be left out where cells are pixels, whose colours are those of 0 to 1, got true; draw it with its words",
    );
  });
});

describe("what is drawn when nothing is said", () => {
  const tokens = { src: ["a", "b"], tgt: ["c"] };
  const attn = (H: number) => traceTensor([H, 1, 2], rows(H, 2, 1));
  const cross = { alignQ: "tgt", alignK: "src" };

  it("is the map of the only head, the grid of several, words over an image, glimpses, or a gate", () => {
    expect(defaultView(createTrace({ tokens, layers: [{ ...cross, attn: attn(1) }] }))).toBe("heatmap");
    expect(defaultView(createTrace({ tokens, layers: [{ ...cross, attn: attn(3) }] }))).toBe("grid");
    expect(defaultView(selfTrace())).toBe("grid");
    expect(defaultView(imageTrace())).toBe("image");
    const { layers: _, grid: __, ...rest } = imageTrace();
    expect(defaultView(createTrace({ ...rest, layers: [] }))).toBe("glimpse");
    const { image: ___, glimpses: ____, ...gates } = rest;
    expect(defaultView(createTrace({ ...gates, layers: [] }))).toBe("gates");
  });

  it("is the first layer and head, and the title says which", () => {
    expect(drawTrace(selfTrace(), { view: "heatmap" })).toBe(
      drawTrace(selfTrace(), { view: "heatmap", layer: 0, head: 0 }),
    );
    expect(texts(drawTrace(selfTrace({ name: "x.attn" }), { view: "heatmap", head: 2 }))).toContain(
      "x.attn: block 0, head 2",
    );
  });

  it("is the same for a trace that went through a file", () => {
    for (const view of VIEWS) {
      const trace = ["image", "glimpse", "marginals", "gates"].includes(view) ? imageTrace() : selfTrace();
      const options = { view, glimpseSize: [5, 5] as const };
      expect(drawTrace(readTrace(writeTrace(trace)), options), view).toBe(drawTrace(trace, options));
    }
  });
});

describe("long inputs", () => {
  const long = causalLayer(2100, 1, 1, 4, 1);
  const tokens = { src: Array.from({ length: 2100 }, (_, n) => `t${n}`) };
  const trace = createTrace({ tokens, layers: [long] });

  it("are pooled for the heat map, which says so and keeps the largest weight", () => {
    const onWarning = (message: string) => expect.unreachable(message);
    const svg = drawTrace(trace, { view: "heatmap", onWarning });
    expect(svg).toContain(
      ">2100 × 2100 weights, pooled 11×: a cell shows the largest of 11 × 11 weights.</text>",
    );
    // The first query sees only itself.
    expect(layerMap(trace.layers[0]!).row(0, 0).values[0]).toBeCloseTo(1, 6);
  });

  it("are refused where each token needs a line of its own, with the view that can", () => {
    for (const view of ["flow", "heads"] as const)
      expect(() => drawTrace(trace, { view })).toThrow(
        `drawTrace: layer 0 must have at most 400 tokens a side for the view ${view}, got 2100 × 2100; choose the view heatmap, which pools`,
      );
    expect(() => drawTrace(trace, { view: "rollout" })).toThrow(
      /must have at most 1024 tokens for the view rollout/,
    );
  });
});

describe("a view whose data are missing says what it needs", () => {
  const bare = createTrace({ tokens: {}, layers: [], gates: { g: traceTensor([1], [1]) } });
  const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
  const weights = createTrace({
    tokens: { src: ["a", "b"], tgt: ["c"] },
    layers: [{ alignQ: "tgt", alignK: "src", attn }],
  });
  test.each([
    [
      bare,
      { view: "heatmap" },
      "drawTrace: a trace for the view heatmap must have a layer of attention: attn.0, or q.0, k.0 and lse.0, got 1 gate; capture one, or choose another view",
    ],
    [
      weights,
      { view: "neuron" },
      "drawTrace: layer 0 must have q and k for the view neuron, got weights alone; capture the model, which keeps both",
    ],
    [
      weights,
      { view: "gates" },
      "drawTrace: a trace for the view gates must have a gate: gate.name, got 1 layer; capture one, or choose another view",
    ],
    [
      weights,
      { view: "image" },
      "drawTrace: a trace for the view image must have an image and its grid, got 1 layer; capture with both, or choose another view",
    ],
    [
      weights,
      { view: "glimpse" },
      "drawTrace: a trace for the view glimpse must have an image and a glimpse, got 1 layer; capture with both, or choose another view",
    ],
    [
      weights,
      { view: "rollout" },
      'drawTrace: layer 0 must be self-attention over tokens["tgt"], like all layers of the view rollout, got queries "tgt" and keys "src"; keep the layers of one stack in a trace',
    ],
    [
      weights,
      { view: "compare" },
      "drawTrace: layer and head must be two different maps for the view compare, got layer 0 twice; name two heads, such as 0,1, or two layers",
    ],
    [weights, { layer: 1 }, "drawTrace: layer must be 0: the trace has one, got 1; choose another one"],
    [
      selfTrace(),
      { view: "flow", head: 4 },
      "drawTrace: head must be from 0 to 3: block 0 has 4, got 4; choose another one",
    ],
    [
      selfTrace(),
      { view: "flow", head: [0, 1] },
      "drawTrace: head must be one number for the view flow, got 0,1; name one of them",
    ],
    [
      selfTrace(),
      { view: "heads", head: [0, 0] },
      "drawTrace: head must be up to 8 different heads, got 0,0; choose fewer, or the view grid",
    ],
    [
      selfTrace(),
      { view: "neuron", query: 7 },
      'drawTrace: query must be from 0 to 6: tokens["src"] has 7, got 7; choose another one',
    ],
    [
      imageTrace(),
      { view: "glimpse" },
      "drawTrace: glimpse 0 must have its rows and columns said for the view glimpse: a Gaussian one reaches as far as it has them, got no glimpseSize; say it, such as 12x12",
    ],
    [
      selfTrace(),
      { view: "heatmap", valueNorms: true },
      "drawTrace: block 0 must have the length of each value for valueNorms: vnorm.0 [Hkv, S], got none; capture it with valueNorms, or leave it out",
    ],
    [
      imageTrace(),
      { view: "glimpse", step: 9 },
      "drawTrace: step must be from 0 to 1: the trace has 2, got 9; choose another one",
    ],
    [
      selfTrace(),
      { view: "marginals" },
      "drawTrace: a trace for the view marginals must have an image and a glimpse, got 2 layers; capture with both, or choose another view",
    ],
    [
      imageTrace(),
      { view: "marginals", step: 1 },
      "drawTrace: glimpse 1 must be Gaussian, of six numbers, for the view marginals, got one of [2, 3]; choose another step, or the view glimpse",
    ],
    [
      imageTrace(),
      { view: "marginals" },
      "drawTrace: glimpse 0 must have its rows and columns said for the view marginals: a Gaussian one reaches as far as it has them, got no glimpseSize; say it, such as 12x12",
    ],
    [
      imageTrace(),
      { view: "gates", gate: "x" },
      'drawTrace: gate must be one of "channels", "strip", "spatial", got "x"; correct it',
    ],
  ] as const)("%#", (trace, options, message) => {
    expect(() => drawTrace(trace, options)).toThrow(OptionError);
    expect(() => drawTrace(trace, options)).toThrow(message);
  });

  it("names the views that there are", () => {
    expect(() => drawTrace(weights, { view: "pie" as never })).toThrow(
      /^drawTrace: view must be .*heatmap.*got/,
    );
  });
});

describe("what the words say", () => {
  it("compares heads, or layers, by name", () => {
    const pair = texts(drawTrace(selfTrace(), { view: "compare", head: [1, 3] }));
    expect(pair).toContain("block 0, head 1 − head 3");
    const layers = texts(drawTrace(selfTrace(), { view: "compare", layer: [0, 1], head: 2 }));
    expect(layers).toContain("block 0, head 2 − block 1, head 2");
  });

  it("shows each head's look at the image where patches look at patches", () => {
    const tokens = { p: ["[CLS]", ...Array.from({ length: 6 }, (_, n) => `${n}`)] };
    const attn = traceTensor([2, 7, 7], rows(14, 7, 1));
    const trace = createTrace({
      tokens,
      layers: [{ alignQ: "p", alignK: "p", attn }],
      image: IMAGE,
      grid: { height: 2, width: 3, patch: 8, cls: 1 },
    });
    expect(texts(drawTrace(trace))).toEqual(expect.arrayContaining(["head 0", "head 1"]));
  });

  it("keeps hostile tokens and names inert in every view", () => {
    const layer = causalLayer(HOSTILE.length, 2, 1, 4, 1);
    const trace = createTrace({
      name: HOSTILE[0]!,
      tokens: { src: HOSTILE },
      layers: [{ name: HOSTILE[3]!, ...layer }],
      gates: { [HOSTILE[0]!]: traceTensor([HOSTILE.length, 2], new Float32Array(2 * HOSTILE.length)) },
    });
    for (const view of VIEWS) {
      if (["image", "glimpse", "marginals"].includes(view)) continue;
      expect(all(parseXml(drawTrace(trace, { view })), "script"), view).toEqual([]);
    }
  });

  it("warns of rows that are no distribution only where they should be one", () => {
    const attn = traceTensor([1, 1, 2], [0.5, 0.9]);
    const warned = (rowSums: "free" | "one") => {
      const found: string[] = [];
      const layer = { alignQ: "tgt", alignK: "src", attn, rowSums };
      const trace = createTrace(
        { tokens: { src: ["a", "b"], tgt: ["c"] }, layers: [layer] },
        { values: false },
      );
      drawTrace(trace, { onWarning: (message) => found.push(message) });
      return found.length;
    };
    expect([warned("free"), warned("one")]).toEqual([0, 1]);
  });

  it("warns of what an importer found odd, for each picture; a page once for all of its own", () => {
    const trace = { ...selfTrace(), warnings: ["importTrace: these were scores"] };
    const found: string[] = [];
    const onWarning = (message: string) => void found.push(message);
    drawTrace(trace, { view: "heatmap", onWarning });
    expect(found.splice(0)).toEqual(trace.warnings);
    pageFigures(trace, { onWarning });
    expect(found).toEqual(trace.warnings);
  });

  it("names the words of the trace", () => {
    expect(texts(drawTrace(selfTrace(), { view: "neuron", query: 4 }))).toContain("q of “it”");
    expect(WORDS.every((word) => texts(drawTrace(selfTrace(), { view: "heatmap" })).includes(word))).toBe(
      true,
    );
  });
});
