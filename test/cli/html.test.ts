import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { warningOfSize } from "../../src/cli/html.ts";
import {
  createTrace,
  layerMap,
  readTrace,
  type Trace,
  traceTensor,
  writeTrace,
} from "../../src/inspect/index.ts";
import { causalLayer, imageTrace, noise, selfTrace } from "../views/support.ts";

/** The built command in a process of its own: it reads the elements that were built with it. */
const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-html-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function heed(...args: string[]) {
  const options = { encoding: "utf8", cwd: folder, maxBuffer: 1e8 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "html", ...args], options);
  return { status, stdout, stderr };
}

function file(name: string, contents: Trace | string): string {
  writeFileSync(path.join(folder, name), typeof contents === "string" ? contents : writeTrace(contents));
  return name;
}

/** What the page holds for its elements. */
function held(html: string) {
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)!;
  const { trace, ...selected } = JSON.parse(json!);
  return { trace: readTrace(new Uint8Array(gunzipSync(Buffer.from(trace, "base64")))), selected };
}

const count = (text: string, part: string) => text.split(part).length - 1;

describe("heed html", () => {
  test("needs no flag: it writes TRACE.html into the current folder, says so, and writes it anew", () => {
    const trace = file("t.attn", selfTrace());
    for (let n = 0; n < 2; n++) {
      expect(heed(trace)).toEqual({
        status: 0,
        stdout: "",
        stderr: "heed html: drew t.html; --out names another file\n",
      });
      expect(readdirSync(folder).sort()).toEqual(["t.attn", "t.html"]);
    }
    const html = readFileSync(path.join(folder, "t.html"), "utf8");
    expect(html).toContain("<title>t.attn</title>");
    expect(held(html).selected).toEqual({ view: "grid", layer: 0, head: 0, palette: "viridis" });
    expect(count(html, "<figure>")).toBe(3);
    expect(count(html, "<noscript>")).toBe(1);
  });

  test("holds q, k and lse of the trace and not its maps, and shows the same weights", () => {
    const T = 31;
    const tokens = { src: Array.from({ length: T }, (_, t) => `t${t}`) };
    const layer = causalLayer(T, 2, 1, 4, 1);
    const map = layerMap(createTrace({ tokens, layers: [layer] }).layers[0]!);
    const weights = [0, 1].flatMap((h) => Array.from(map.rows(h, 0, T).values));
    const attn = traceTensor([2, T, T], weights);
    const { trace } = held(
      heed(file("t.attn", createTrace({ tokens, layers: [{ ...layer, attn }] })), "--out", "-").stdout,
    );
    const [stored] = trace.layers;
    expect([stored!.attn, stored!.q?.shape, stored!.lse?.shape]).toEqual([undefined, [2, T, 4], [2, T]]);
    expect(layerMap(stored!).rows(1, 0, T)).toEqual(map.rows(1, 0, T));
  });

  test("has one script that can run, and the page's policy names its SHA-256", () => {
    const html = heed(file("t.attn", selfTrace()), "--out", "-").stdout;
    const scripts = [...html.matchAll(/<script type="module">(.*?)<\/script>/gs)];
    expect(scripts).toHaveLength(1);
    const hash = createHash("sha256").update(scripts[0]![1]!).digest("base64");
    expect(html).toContain(`default-src 'none'; script-src 'sha256-${hash}';`);
    const markup = html.replace(scripts[0]![0], "");
    expect(markup).not.toMatch(/<(link|img|iframe|object|embed)\b(?! rel="icon" href="data:,")/);
    expect(markup).not.toMatch(/\b(src|href)="(?!data:|#)/);
  });

  test("takes every flag, and every file that can be imported", () => {
    const trace = file("t.attn", selfTrace());
    const flags = ["--view", "flow", "--layer", "1", "--head", "2", "--query", "4", "--palette", "grey"];
    const { stdout, stderr } = heed(trace, "--out", "-", ...flags);
    expect(stderr).toBe("");
    expect(held(stdout).selected).toEqual({ view: "flow", layer: 1, head: 2, palette: "grey" });
    expect(stdout).toContain("block 1, head 2, query 4");
    const image = heed(
      file("i.attn", imageTrace()),
      "--out",
      "-",
      "--glimpse-size",
      "9x9",
      "--gate",
      "strip",
    );
    expect(held(image.stdout).selected.view).toBe("image");
    expect(image.stdout).toContain("Step 0: how much each row and each column is looked at.");
    expect(count(image.stdout, "<figcaption>The gate ")).toBe(1);
    const csv = held(heed(file("t.csv", ",I,am\nje,0.75,0.25\n"), "--out", "-").stdout);
    expect(csv.trace.tokens).toEqual({ keys: ["I", "am"], queries: ["je"] });
    const bertviz = { attention: [[[[0.5, 0.5]]]], left_text: ["je"], right_text: ["I", "am"] };
    expect(heed(file("b.json", JSON.stringify(bertviz)), "--out", "-").status).toBe(0);
    expect(heed(file("a.json", "[[0.25, 0.75]]"), "--out", "-").status).toBe(0);
  });

  test("says what it leaves out, and makes the page", () => {
    const { status, stderr } = heed(file("i.attn", imageTrace()));
    expect(status).toBe(0);
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(
        /^heed html: glimpse 0 must have its rows and columns said .*; the page goes without$/,
      ),
      "heed html: drew i.html; --out names another file",
      "",
    ]);
  });

  test("draws a trace without layers as its gates alone, with no script", () => {
    const channels = traceTensor([5], noise(5, 1));
    const html = heed(
      file("g.attn", createTrace({ tokens: {}, layers: [], gates: { channels } })),
      "--out",
      "-",
    );
    expect(html.stdout).toContain("This trace has no layer of attention.");
    expect(html.stdout).not.toMatch(/<script|<heed-view|<noscript|script-src/);
    expect(count(html.stdout, "<figure>")).toBe(1);
    expect(heed("g.attn", "--view", "flow").stderr).toContain(
      "a trace for the view flow must have a layer of attention",
    );
    expect(heed("g.attn", "--layer", "0").stderr).toContain("must have a layer of attention");
  });

  test("warns above 20 MB", () => {
    expect(warningOfSize(20_000_000)).toBeUndefined();
    expect(warningOfSize(20_600_000)).toMatch(/^heed html: the page has 21 MB and will open slowly; /);
  });

  test.each([
    [["--view", "neuron"], '--view must be one of heatmap, flow, grid, compare, image, got "neuron"; try'],
    [
      ["--view", "image"],
      "a trace for the view image must have an image, its grid and a layer that looks at it",
    ],
    [["--view", "compare"], "a trace for the view compare must have two heads, got 1; choose another view"],
    [["--layer", "1"], "layer must be 0: the trace has one, got 1; choose another one"],
    [["--head", "0,1"], "head must be one number, got 0,1; choose the others in the page"],
    [["--gate", "x"], "a trace for the view gates must have a gate: gate.name, got 1 layer"],
    [
      ["--out", "no/t.html"],
      "no/t.html must be a file that can be written, got no folder no; name another one",
    ],
  ])("refuses %j in one line, and writes nothing", (flags, message) => {
    const trace = file("t.csv", ",I,am\nje,0.75,0.25\n");
    const { status, stdout, stderr } = heed(trace, ...flags);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toContain(`heed html: ${message}`);
    expect(existsSync(path.join(folder, "t.html"))).toBe(false);
  });
});

describe("hostile tokens in the page", () => {
  const SCRIPT = "</script><script>alert(1)</script>";
  const tokens = [
    SCRIPT,
    "<!--",
    "on\u001b[31m",
    "abc\u202edcba",
    "x".repeat(10_000),
    "👩‍👩‍👧",
    "</noscript><b>",
  ];
  const at = (html: string, part: string) => html.includes(part);

  test("are text wherever they stand, and arrive as they were", () => {
    const { status, stdout } = heed(file("t.attn", selfTrace({ tokens: { src: tokens } })), "--out", "-");
    expect(status).toBe(0);
    const markup = stdout.replace(/<script type="module">.*?<\/script>/s, "");
    expect(["\u001b", "\u202e"].filter((letter) => at(markup, letter))).toEqual([]);
    expect(
      [SCRIPT, "</noscript><b>", "<!--", "alert(1)</script>"].filter((part) => at(markup, part)),
    ).toEqual([]);
    expect([count(stdout, "<script"), count(stdout, "</noscript>")]).toEqual([2 + inBundle(stdout), 1]);
    expect(at(markup, "x".repeat(1001))).toBe(false);
    expect(at(markup, "on\\u001b[31m")).toBe(true);
    expect(at(markup, "👩‍👩‍👧")).toBe(true);
    expect(held(stdout).trace.tokens.src).toEqual(tokens);
  });

  test("the same for the name of a gate, and of the file", () => {
    const name = "</figcaption><script>alert(3)</script>";
    const trace = createTrace({ tokens: {}, layers: [], gates: { [name]: traceTensor([2], [0, 1]) } });
    const { stdout } = heed(file("<b>&\u202e.attn", trace), "--out", "-");
    expect(stdout).not.toMatch(/<script|<b>|\u202e/);
    expect(count(stdout, "</figcaption>")).toBe(1);
    expect(stdout).toContain("<figcaption>The gate &lt;/figcaption&gt;&lt;script&gt;");
    expect(stdout).toContain("<title>&lt;b&gt;&amp;\\u202e.attn</title>");
  });

  /** How often the elements' code itself has the letters. */
  const inBundle = (html: string) =>
    count(/<script type="module">(.*?)<\/script>/s.exec(html)![1]!, "<script");
});
