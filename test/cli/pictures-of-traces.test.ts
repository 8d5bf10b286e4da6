import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { createTrace, type Trace, traceTensor, writeTrace } from "../../src/inspect/index.ts";
import { drawTrace } from "../../src/views/index.ts";
import { renderPng } from "../../src/views/render-png.ts";
import { colorAt, decodePng } from "../../src/viz/index.ts";
import { imageTrace, selfTrace } from "../views/support.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
let home: string;
beforeEach(() => {
  home = process.cwd();
  folder = mkdtempSync(path.join(tmpdir(), "heed-traces-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: Trace | string | Uint8Array): string {
  const place = path.join(folder, name);
  const isBytes = typeof contents === "string" || contents instanceof Uint8Array;
  writeFileSync(place, isBytes ? contents : writeTrace(contents));
  return place;
}

async function heed(args: string[], settings: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo(settings);
  const code = await run(args, io);
  return { code, out: io.out(), err: io.err() };
}

const CROSS = createTrace({
  tokens: { src: ["I", "am", "tired"], tgt: ["je", "suis"] },
  layers: [
    { alignQ: "tgt", alignK: "src", attn: traceTensor([1, 2, 3], [0.75, 0.25, 0, 0.125, 0.25, 0.625]) },
  ],
});

describe("heed show", () => {
  test("shows what each query looks at most where nobody looks at a terminal", async () => {
    const { code, out, err } = await heed(["show", file("t.attn", CROSS)]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n")).toEqual([
      "2 output tokens over 3 input tokens; “je” attends most to “I” (0.75).",
      ...["je: I 0.75, am 0.25", "suis: tired 0.63, am 0.25, I 0.13", ""],
    ]);
  });

  test("shows a map in a terminal, the name of the file, and how to see the other heads", async () => {
    const { out } = await heed(["show", file("t.attn", selfTrace())], { terminal: true });
    expect(out).toContain("\u001b[48;2;");
    expect(out).toContain("t.attn: block 0, head 0");
    expect(out).toContain("8 heads in 2 layers: --layer, --head and --view grid show the others.");
    const chosen = await heed(["show", file("t.attn", selfTrace()), "--head", "3"], { terminal: true });
    expect(chosen.out).toContain("t.attn: block 0, head 3");
    expect(chosen.out).not.toContain("8 heads in");
  });

  test("goes down the whole chain: 256 colours, shades, ASCII, and no colour when told so", async () => {
    const trace = file("t.attn", selfTrace());
    const shown = async (env: Record<string, string>, ...more: string[]) =>
      (await heed(["show", trace, ...more], { terminal: true, env })).out;
    expect(await shown({ FORCE_COLOR: "2" })).toContain("\u001b[48;5;");
    expect(await shown({ NO_COLOR: "1" })).toContain("0.93");
    const plain = await shown({ NO_COLOR: "1", LANG: "C" });
    expect(/^[\n\x20-\x7e]*$/.test(plain)).toBe(true);
    expect(await shown({}, "--color", "never")).not.toContain("\u001b");
  });

  test("has forms of flow, grid, statistics and rollout", async () => {
    const trace = file("t.attn", selfTrace());
    for (const view of ["flow", "grid", "statistics"]) {
      const { code, out } = await heed(["show", trace, "--view", view]);
      expect(code).toBe(0);
      expect(out.length).toBeGreaterThan(100);
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    }
    const { out } = await heed(["show", trace, "--view", "rollout"], { terminal: true });
    expect(out).toContain("rollout of layers 0 to 1");
    const flow = await heed(["show", trace, "--view", "rollout", "--through", "flow"], { terminal: true });
    expect(flow.out).toContain("attention flow of layers 0 to 1");
  });

  test("of many queries names those with the largest weights, in a pipe, and says of how many", async () => {
    const T = 300;
    const tokens = { q: Array.from({ length: T }, (_, t) => `q${t}`), k: ["a", "b"] };
    const weights = Float32Array.from({ length: 2 * T }, (_, n) => {
      const most = n >> 1 === 250 ? 0.875 : n >> 1 === 3 ? 0.75 : 0.5;
      return n % 2 === 0 ? most : 1 - most;
    });
    const layers = [{ alignQ: "q", alignK: "k", attn: traceTensor([1, T, 2], weights) }];
    const trace = file("t.attn", createTrace({ tokens, layers }));
    const { out } = await heed(["show", trace, "--lines", "2"]);
    expect(out.split("\n")).toEqual([
      "300 output tokens over 2 input tokens; “q250” attends most to “a” (0.88).",
      "3 q3: a 0.75, b 0.25",
      "250 q250: a 0.88, b 0.13",
      "2 of 300 outputs, those with the largest weights",
      "",
    ]);
    expect((await heed(["show", trace])).out.split("\n")).toHaveLength(1 + 64 + 2);
    expect((await heed(["show", trace, "--lines", "300"])).out.split("\n")).toHaveLength(1 + T + 1);
  });

  test("takes every file that can be imported", async () => {
    expect((await heed(["show", file("t.csv", ",I,am\nje,0.75,0.25\n")])).out).toContain(
      "je: I 0.75, am 0.25",
    );
    expect((await heed(["show", file("t.json", "[[0.25, 0.75]]")])).code).toBe(0);
  });
});

describe("numbers that are no shares", () => {
  test("are said by every command, and --softmax turns scores into weights", async () => {
    const logits = file("logits.json", '{"attention": [[[[2, -1, 5], [1, 1, 1]]]]}');
    const warning =
      ": the rows of the weights must sum to 1 within 0.001, got sums from 3 to 6 and a weight of -1; read " +
      "them with softmax (--softmax) if they are scores before it, else take no colour for a share\n";
    expect((await heed(["show", logits])).err).toBe(`heed show${warning}`);
    for (const command of ["svg", "html"])
      expect((await heed([command, logits, "--out", "-"])).err).toContain(`heed ${command}${warning}`);
    const { out, err, code } = await heed(["show", logits, "--softmax"]);
    expect(out).toContain("attends most to “2” (0.95)");
    expect([err, code]).toEqual(["", 0]);
    expect((await heed(["svg", logits, "--softmax", "--out", "-"])).err).toBe("");
  });

  test("take no more memory than the command may, and the error says the flag", async () => {
    const large = file("large.json", `[[${"0,".repeat(10_000)}1]]`);
    const { code, err } = await heed(["show", large, "--most-bytes", "100000"]);
    expect(code).toBe(2);
    expect(err).toMatch(
      /^heed show: "large.json" must take at most 100000 bytes of memory to read, got about \d+; raise mostBytes \(--most-bytes\)/,
    );
    expect((await heed(["show", large, "--most-bytes", "1000000"])).code).toBe(0);
  });
});

describe("text of a file in an error", () => {
  test("never steers the terminal: controls and changes of direction are escapes", async () => {
    const evil = "\u001b[2J\u009b31m\u202e\u2066";
    for (const place of [
      file("a.json", JSON.stringify({ attention: [[[[evil]]]] })),
      file("b.json", JSON.stringify({ [evil]: 1 })),
      file("c.csv", `a,b\n1,${evil}\n`),
      file(`${evil.slice(4)}.json`, "{"),
      file("d.attn", "\u0009\0\0\0\0\0\0\0{\u009b\u202e}"),
    ]) {
      const { code, err } = await heed(["show", place]);
      expect(code).toBe(2);
      expect(err.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }
    const { err } = await heed(["show", evil]);
    expect(err.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });
});

describe("heed svg", () => {
  test("writes what drawTrace draws into the current folder, and says so", async () => {
    const place = file("t.attn", selfTrace());
    process.chdir(folder);
    try {
      expect(await heed(["svg", place])).toEqual({
        code: 0,
        out: "",
        err: "heed svg: drew t.svg; --out names another file\n",
      });
    } finally {
      process.chdir(home);
    }
    const expected = drawTrace({ ...selfTrace(), name: "t.attn" }, { theme: "auto" });
    expect(readFileSync(path.join(folder, "t.svg"), "utf8")).toBe(expected);
  });

  test("writes where -o or --out says", async () => {
    const trace = file("t.attn", CROSS);
    for (const flag of ["-o", "--out"]) {
      const out = path.join(folder, `${flag}.svg`);
      expect(await heed(["svg", trace, flag, out])).toEqual({
        code: 0,
        out: "",
        err: `heed svg: drew ${out}\n`,
      });
      expect(readFileSync(out, "utf8")).toMatch(/^<svg/);
    }
  });

  test("writes to standard output for -, and takes every flag", async () => {
    const trace = file("t.attn", selfTrace());
    const flags = [
      "--view",
      "compare",
      "--layer",
      "0,1",
      "--head",
      "2",
      "--theme",
      "dark",
      "--palette",
      "grey",
    ];
    const { out, err } = await heed(["svg", trace, "--out", "-", ...flags]);
    const options = { view: "compare", layer: [0, 1], head: 2, theme: "dark", palette: "grey" } as const;
    expect(out).toBe(drawTrace({ ...selfTrace(), name: "t.attn" }, options));
    expect(err).toBe("");
    const log = await heed([
      "svg",
      trace,
      "--out",
      "-",
      "--view",
      "heatmap",
      "--theme",
      "dark",
      "--color-scale",
      "log",
    ]);
    expect(log.out).toBe(
      drawTrace({ ...selfTrace(), name: "t.attn" }, { view: "heatmap", theme: "dark", colorScale: "log" }),
    );
    expect((await heed(["show", trace, "--color", "always", "--color-scale", "sqrt"])).out).toContain(
      "sqrt scale",
    );
    const normed = { ...selfTrace(), name: "t.attn" };
    const vnorm = traceTensor(
      [normed.layers[0]!.Hkv, 7],
      new Float32Array(7 * normed.layers[0]!.Hkv).fill(2),
    );
    const ofNorms = createTrace({ ...normed, layers: normed.layers.map((layer) => ({ ...layer, vnorm })) });
    const norms = await heed([
      "svg",
      file("t.attn", ofNorms),
      "--out",
      "-",
      "--theme",
      "dark",
      "--value-norms",
    ]);
    expect(norms.out).toBe(drawTrace(ofNorms, { view: "heatmap", valueNorms: true, theme: "dark" }));
    const image = file("i.attn", imageTrace());
    const more = ["--view", "glimpse", "--glimpse-size", "9x9"];
    expect((await heed(["svg", image, "--out", "-", ...more])).out).toContain("step 1");
    expect((await heed(["svg", image, "--out", "-", ...more, "--step", "0"])).out).not.toContain("step 1");
    expect((await heed(["svg", image, "--out", "-", "--view", "gates", "--gate", "strip"])).out).toContain(
      "gate strip",
    );
  });
});

describe("heed png", () => {
  test("draws what heed svg draws, with its words, twice as large, and says in the file what it is", async () => {
    const out = path.join(folder, "x.png");
    const trace = file("t.attn", selfTrace());
    const { code, err } = await heed(["png", trace, "--view", "flow", "--head", "2", "--out", out]);
    expect({ code, err }).toEqual({ code: 0, err: `heed png: drew ${out}\n` });
    const named = { ...selfTrace(), name: "t.attn" };
    const text = { Title: "t.attn", heed: '{"view":"flow","head":2}' };
    const expected = await renderPng(drawTrace(named, { view: "flow", head: 2 }), { text });
    expect(Buffer.compare(readFileSync(out), expected)).toBe(0);
    await heed(["png", trace, "--theme", "dark", "--scale", "1", "--out", out]);
    const dark = await renderPng(drawTrace(named, { theme: "dark" }), { scale: 1 });
    expect(decodePng(readFileSync(out))).toEqual(decodePng(dark));
  });

  test("writes the exact colours of the cells, and says in the file what they are", async () => {
    const out = path.join(folder, "x.png");
    await heed(["png", file("t.attn", CROSS), "--cell", "2", "--out", out]);
    const bytes = readFileSync(out);
    const { width, height, values } = decodePng(bytes);
    expect([width, height]).toEqual([6, 4]);
    const weights = [0.75, 0.25, 0, 0.125, 0.25, 0.625];
    const expected = Array.from({ length: 24 }, (_, p) => {
      const cell = Math.floor(Math.floor(p / 6) / 2) * 3 + Math.floor((p % 6) / 2);
      return colorAt("viridis", weights[cell]!);
    });
    expect(Array.from(values, (x) => Math.round(x * 255))).toEqual(expected.flat());
    const text = bytes.toString("latin1");
    expect(text).toContain("PLTE");
    expect(text).toContain(
      'heed\0{"view":"heatmap","layer":0,"head":0,"shape":[2,3],"palette":"viridis","domain":[0,1],"cell":2}',
    );
  });

  test("colours cells by a scale, and says which", async () => {
    const out = path.join(folder, "x.png");
    await heed(["png", file("t.attn", CROSS), "--cell", "1", "--color-scale", "sqrt", "--out", out]);
    const bytes = readFileSync(out);
    const colors = [0.75, 0.25, 0, 0.125, 0.25, 0.625].map((w) => colorAt("viridis", Math.sqrt(w)));
    expect(Array.from(decodePng(bytes).values, (x) => Math.round(x * 255))).toEqual(colors.flat());
    expect(bytes.toString("latin1")).toContain('"domain":[0,1],"colorScale":"sqrt"');
  });

  test("makes masked cells grey", async () => {
    const out = path.join(folder, "x.png");
    await heed(["png", file("t.attn", selfTrace()), "--cell", "1", "--out", out]);
    const { width, values } = decodePng(readFileSync(out));
    expect(width).toBe(7);
    expect([3, 4, 5].map((at) => Math.round(values[at]! * 255))).toEqual([138, 138, 138]);
  });
});

describe("what goes wrong is one line and exit code 2", () => {
  const refused = async (...args: string[]) => {
    const { code, out, err } = await heed(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^[^\n]+\n$/);
    return err.trimEnd();
  };

  test("a file that is not there, a folder, a file of another kind, a trace that is cut off", async () => {
    for (const command of ["show", "svg", "png", "html"]) {
      expect(await refused(command, "nothing.attn")).toBe(
        `heed ${command}: nothing.attn must be readable, got no such file; check the name`,
      );
      expect(await refused(command, folder)).toContain("got a folder");
      expect(await refused(command, file("a.txt", Uint8Array.of(255, 254, 0, 1)))).toBe(
        `heed ${command}: "a.txt" must be a trace, .npz, .npy, JSON or CSV, got bytes of another kind; save it as one of these`,
      );
      expect(await refused(command, file("cut.attn", writeTrace(selfTrace()).slice(0, 900)))).toContain(
        "cut off",
      );
      expect(await refused(command)).toContain("missing required argument 'trace'");
    }
  });

  test("a view without its data, and a layer or head that is not there", async () => {
    const trace = file("t.attn", CROSS);
    expect(await refused("svg", trace, "--view", "neuron")).toBe(
      "heed svg: layer 0 must have q and k for the view neuron, got weights alone; capture the model, which keeps both",
    );
    expect(await refused("show", trace, "--layer", "3")).toBe(
      "heed show: layer must be 0: the trace has one, got 3; choose another one",
    );
    expect(await refused("png", trace, "--view", "flow", "--cell", "4")).toContain(
      "heed png: view must be one of heatmap, rollout, whose cells can be pixels, got flow; draw it with its words",
    );
    expect(await refused("png", trace, "--font", file("a.ttf", "no font"))).toContain(
      "heed png: a font must be a whole TrueType or OpenType file, got a file of 7 bytes",
    );
    expect(await refused("png", trace, "--font", "none.ttf")).toContain(
      "heed png: none.ttf must be readable",
    );
    expect(await refused("png", trace, "--head", "1")).toContain("heed png: head must be 0: layer 0 has one");
    expect(await refused("png", trace, "--view", "pie")).toBe(
      'heed png: --view must be one of heatmap, flow, heads, grid, neuron, statistics, compare, rollout, image, glimpse, marginals, gates, got "pie"; try --view heatmap',
    );
    expect(await refused("svg", trace, "--head", "x")).toBe(
      'heed svg: --head must be a whole number from 0, or several with commas, got "x"; try --head 0',
    );
  });

  test("a file that cannot be written", async () => {
    const trace = file("t.attn", CROSS);
    const nowhere = path.join(folder, "no", "t.svg");
    expect(await refused("svg", trace, "--out", nowhere)).toBe(
      `heed svg: ${nowhere} must be a file that can be written, got no folder ${path.dirname(nowhere)}; name another one`,
    );
    expect(await refused("png", trace, "--out", folder)).toContain("got a folder");
    expect(existsSync(nowhere)).toBe(false);
    expect(readdirSync(folder)).toEqual(["t.attn"]);
  });
});
