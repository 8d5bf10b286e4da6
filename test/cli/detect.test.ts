import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { importTrace, layerMap } from "../../src/inspect/index.ts";
import { draftCard } from "../../src/tasks/detection/card.ts";
import { writeModelFolder } from "../../src/tasks/detection/files.ts";
import { type DetectionCard, SceneDetector } from "../../src/tasks/index.ts";
import { drawTrace } from "../../src/views/index.ts";
import { encodePng } from "../../src/viz/index.ts";
import { tinyRecipe } from "../tasks/detection/fixture.ts";
import { all, parseXml } from "../viz/xml.ts";
import { fakeIo } from "./fake-io.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

let folder: string;
let model: string;
const at = (...names: string[]) => path.join(folder, ...names);

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-detect-"));
  model = at("model");
  await useHeedBackend();
  const recipe = tinyRecipe("none");
  const labels = ["hat", "glove", "scarf"];
  const detector = new SceneDetector(recipe.model, labels.length, { seed: 3 });
  const command = "heed train detection";
  const draft = draftCard({ recipe, labels, parameters: detector.size, checksum: "", command });
  writeModelFolder(model, { model: detector, card: draft as DetectionCard });
  detector.dispose();
  // A bright block in the left half of a picture twice as wide as high, and one of the same things on white.
  const picture = (ink: number, ground: number) =>
    Uint8Array.from({ length: 90 * 180 }, (_, n) => {
      const [y, x] = [Math.floor(n / 180), n % 180];
      return x >= 20 && x < 80 && y >= 20 && y < 70 ? ink : ground;
    });
  const write = (name: string, data: Uint8Array) =>
    writeFileSync(at(name), encodePng({ height: 90, width: 180, channels: 1, data }));
  write("dark.png", picture(240, 0));
  write("light.png", picture(15, 255));
  writeFileSync(at("no-picture.png"), "a text");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function detect(args: string[], options: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo(options);
  const code = await run(["detect", "--model", model, ...args], io);
  return { code, out: io.out(), err: io.err() };
}

const lines = (text: string) => text.trimEnd().split("\n");

test("a picture gives one object with --json, its boxes in whole pixels of the picture", async () => {
  const { code, out, err } = await detect(["--json", "--least", "0", at("dark.png")]);
  expect([code, err]).toEqual([0, ""]);
  const { picture, width, height, items } = JSON.parse(out);
  expect([picture, width, height]).toEqual([at("dark.png"), 180, 90]);
  expect(items.length).toBeGreaterThan(0);
  const scores = items.map(({ score }: { score: number }) => score);
  expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
  for (const { name, box, attention } of items) {
    expect(["hat", "glove", "scarf"]).toContain(name);
    expect([box.x, box.y, box.width, box.height].every(Number.isInteger)).toBe(true);
    expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(180);
    expect(box.y + box.height).toBeLessThanOrEqual(90);
    expect(attention.length).toBe(8);
    const sum = attention.flat().reduce((total: number, weight: number) => total + weight, 0);
    expect(sum).toBeCloseTo(1, 2);
  }
});

test("dark things on white are what light things on black are", async () => {
  const { out } = await detect(["--json", "--least", "0", at("dark.png"), at("light.png")]);
  const [dark, light] = lines(out).map((line) => JSON.parse(line));
  // 240 on 0 and 15 on 255 are the same distance apart.
  expect(light.items).toEqual(dark.items);
});

test("a bad picture is named and the others go on; paths are read from standard input and from a file", async () => {
  const paths = [at("dark.png"), at("no-picture.png"), "", at("light.png")];
  const input = [`${paths.join("\n")}\n`];
  const { code, out, err } = await detect(["--json"], { input });
  expect(code).toBe(2);
  const told = lines(out).map((line) => JSON.parse(line));
  expect(told.map(({ picture }) => picture)).toEqual(paths);
  expect(told.map(({ items }) => items === null)).toEqual([false, true, true, false]);
  expect(told[1].error).toContain("must be a PNG or JPEG picture, got bytes of another kind");
  expect(lines(err)).toHaveLength(3);
  expect(lines(err)[0]).toContain("heed detect: line 2: ");
  expect(lines(err)[2]).toMatch(/^heed detect: 2 of \d pictures had no answer$/);
  writeFileSync(at("list.txt"), `${at("dark.png")}\n`);
  const fromFile = await detect(["--json", "--input", at("list.txt")]);
  expect(fromFile.code).toBe(0);
  expect(fromFile.out).toBe(`${lines(out)[0]}\n`);
  const both = await detect(["--input", at("list.txt"), at("dark.png")]);
  expect(both).toMatchObject({ code: 2, out: "" });
  expect(both.err).toContain("heed detect: pictures must come from one place");
});

test("text names items, scores and boxes; a terminal shows what each query looked at", async () => {
  const { out } = await detect(["--least", "0", at("dark.png")]);
  const [head, ...items] = lines(out);
  expect(head).toMatch(/dark\.png, 180 × 90: [1-5] items?$/);
  for (const item of items)
    expect(item).toMatch(/^ {2}(hat|glove|scarf) +0\.\d\d {2}at \d+, \d+, \d+ × \d+$/);
  const none = await detect(["--least", "1", at("dark.png")]);
  expect(none).toEqual({ code: 0, out: `${at("dark.png")}, 180 × 90: no items\n`, err: "" });
  const terminal = await detect(["--least", "0", at("dark.png")], { terminal: true });
  expect(terminal.out.startsWith(out)).toBe(true);
  expect(terminal.out).toContain("image  ");
  expect(terminal.out).toContain("\u001b[");
  const plain = await detect(["--least", "0", "--color", "never", at("dark.png")], { terminal: true });
  expect(plain.out).not.toContain("\u001b[");
});

test("without a picture a scene of items that ship is looked at", async () => {
  const { code, out, err } = await detect(["--json"]);
  expect([code, err]).toEqual([0, "heed detect: no picture was given; this one is an example\n"]);
  expect(JSON.parse(out)).toMatchObject({ picture: "example", width: 64, height: 64 });
  expect((await detect(["--json"])).out).toBe(out);
  expect((await detect(["--json", "--least", "0", "--seed", "2"])).out).not.toBe(
    (await detect(["--json", "--least", "0"])).out,
  );
});

test("a picture and a trace are drawn of each, numbered as the pictures are", async () => {
  const outputs = ["--svg", at("found.svg"), "--trace", at("found.attn")];
  const pictures = [at("dark.png"), at("no-picture.png"), at("light.png")];
  const { code, err } = await detect(["--least", "0", ...outputs, ...pictures]);
  expect(code).toBe(2);
  expect(lines(err).slice(1)).toEqual([
    `heed detect: drew 2 pictures, the last one ${at("found-3.svg")}`,
    `heed detect: wrote 2 traces, the last one ${at("found-3.attn")}`,
    "heed detect: 1 of 3 pictures had no answer",
  ]);
  expect(readdirSync(folder).some((name) => name.includes("-2."))).toBe(false);
  const svg = parseXml(readFileSync(at("found-1.svg"), "utf8"));
  const trace = importTrace(readFileSync(at("found-1.attn")), "found-1.attn");
  const [queries, cells] = trace.layers;
  expect([queries!.name, queries!.H, queries!.S, cells!.name]).toEqual(["queries", 3, 64, "non-local"]);
  const items = trace.tokens.items!.length;
  expect(all(svg, "image")).toHaveLength(1 + 2 * items);
  const row = layerMap(queries!).row(1, 0).values;
  expect(Array.from(row).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
  // The boxes are the trace's glimpses, and its queries are drawn over the scene.
  expect(trace.glimpses).toHaveLength(items);
  expect(drawTrace(trace, { view: "glimpse", step: 0 })).toContain("polygon");
  expect(drawTrace(trace, { view: "image" })).toContain("queries");
});

test("the built command writes a page with the picture in it", () => {
  const page = at("page.html");
  const args = [main, "detect", "--model", model, "--least", "0", "--html", page, at("dark.png")];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, `heed detect: wrote ${page}\n`]);
  expect(stdout).toContain("dark.png, 180 × 90: ");
  const html = readFileSync(page, "utf8");
  expect(html).toContain("What was found, and what its query looked at.");
  expect(html).not.toMatch(/(src|href)="https?:/);
});

test("nothing is written where a place is none, or nothing was found", async () => {
  const nowhere = await detect(["--svg", at("none", "found.svg"), at("dark.png")]);
  expect(nowhere).toMatchObject({ code: 2, out: "" });
  expect(nowhere.err).toContain("heed detect: ");
  const empty = await detect(["--least", "1", "--trace", at("empty.attn"), at("dark.png")]);
  expect(empty.code).toBe(0);
  expect(existsSync(at("empty.attn"))).toBe(false);
  const wrong = await detect(["--least", "2", at("dark.png")]);
  expect(wrong.err).toBe('heed detect: --least must be a number from 0 to 1, got "2"; try --least 0.3\n');
});
