import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { importTrace } from "../../src/inspect/index.ts";
import { exampleScene } from "../../src/tasks/index.ts";
import { encodePng } from "../../src/viz/index.ts";
import { writeUntrained } from "../tasks/captioning/fixture.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
let model: string;
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  await useHeedBackend();
  folder = mkdtempSync(path.join(tmpdir(), "heed-caption-"));
  model = at("model");
  writeUntrained(model, ["bag", "boot", "trouser"]);
  for (const seed of [1, 2]) {
    const png = encodePng({ height: 64, width: 64, channels: 1, data: exampleScene(seed).pixels });
    writeFileSync(at(`${seed}.png`), png);
  }
  writeFileSync(at("text.png"), "no picture");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function caption(args: string[], options: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo(options);
  const code = await run(["caption", "--model", model, ...args], io);
  return { code, out: io.out(), err: io.err() };
}

test("a picture gives one object with --json, and its caption in a pipe", async () => {
  const { code, out, err } = await caption(["--json", at("1.png")]);
  expect([code, err]).toEqual([0, ""]);
  const { picture, caption: text, probability, words, gates, weights } = JSON.parse(out);
  expect(picture).toBe(at("1.png"));
  expect(words.join(" ")).toBe(text);
  expect([gates.length, weights.length, weights[0].length]).toEqual([words.length, words.length, 64]);
  expect(probability > 0 && probability < 1).toBe(true);
  expect(await caption([at("1.png")])).toEqual({ code: 0, out: `${text}\n`, err: "" });
});

test("paths on standard input are answered in their order; a bad one is named, and the others go on", async () => {
  const names = [at("2.png"), at("text.png"), at("none.png"), at("1.png")];
  const input = [`${names.join("\n")}\n`];
  const { code, out, err } = await caption(["--json"], { input });
  expect(code).toBe(2);
  const objects = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(objects.map(({ picture }) => picture)).toEqual(names);
  expect(objects.map((one) => one.caption === null)).toEqual([false, true, true, false]);
  expect(objects[1].error).toContain("must be a PNG or JPEG picture");
  const [first, second, ...rest] = err.trimEnd().split("\n");
  expect(first).toBe(`heed caption: line 2: ${objects[1].error}`);
  expect(second).toContain("heed caption: line 3: ");
  expect(rest).toEqual(["heed caption: 2 of 4 pictures had no answer"]);
  const lines = await caption([], { input });
  expect(lines.out.split("\n").map((line) => line === "")).toEqual([false, true, true, false, true]);
  // Pictures do not depend on those beside them.
  const alone = await caption(["--json", at("1.png")]);
  expect(JSON.parse(alone.out).words).toEqual(objects[3].words);
});

test("of a picture that is one even grey it is said that there is nothing to see", async () => {
  const data = new Uint8Array(7 * 5).fill(90);
  writeFileSync(at("even.png"), encodePng({ width: 7, height: 5, channels: 1, data }));
  const { code, err } = await caption([at("even.png"), at("1.png")]);
  const said = `heed caption: ${at("even.png")} is one even grey, in which there is nothing to see\n`;
  expect([code, err]).toEqual([0, said]);
});

test("without a picture an example is captioned; a terminal gets the picture once for each word", async () => {
  const { code, out, err } = await caption(["--beam", "1"], { terminal: true });
  expect([code, err]).toEqual([0, "heed caption: no picture was given; this one is an example\n"]);
  expect(out).toMatch(/^[^\n]+\nprobability 0\.\d{3}\n\n/);
  expect(out).toContain("▀");
  expect(out).toContain("image  ");
  const other = await caption(["--beam", "1", "--seed", "3", "--no-picture"], { terminal: true });
  expect(other.out.trimEnd().split("\n")).toHaveLength(1);
});

test("--svg, --trace draw what each word looked at, numbered as the pictures are", async () => {
  const [svg, trace] = [at("c.svg"), at("c.attn")];
  const { code, err } = await caption([
    "--svg",
    svg,
    "--trace",
    trace,
    at("1.png"),
    at("text.png"),
    at("2.png"),
  ]);
  expect(code).toBe(2);
  expect(err).toContain("heed caption: picture 2: ");
  expect(err).toContain(`drew 2 pictures, the last one ${at("c-3.svg")}`);
  expect(
    readdirSync(folder)
      .filter((name) => name.startsWith("c-"))
      .toSorted(),
  ).toEqual(["c-1.attn", "c-1.svg", "c-3.attn", "c-3.svg"]);
  expect(readFileSync(at("c-1.svg"), "utf8")).toContain("smoothed between cells");
  const read = importTrace(readFileSync(at("c-1.attn")));
  expect(read.layers[0]).toMatchObject({ name: "attention", alignQ: "caption", alignK: "cells", S: 64 });
  const shown = fakeIo({ terminal: true });
  expect(await run(["show", at("c-1.attn"), "--view", "image"], shown)).toBe(0);
  expect(shown.out()).toContain("▀");
});

test("what is wrong with the command line is said in one line, before anything is written", async () => {
  const refuses = async (message: string, ...args: string[]) => {
    const { code, out, err } = await caption(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
  };
  const none = at("nowhere");
  await refuses("pictures must come from one place", "--input", at("list"), at("1.png"));
  await refuses("--beam must be a whole number from 1 to 64", "--beam", "0", at("1.png"));
  await refuses("no folder", "--svg", path.join(none, "x.svg"), at("1.png"));
  await refuses("a model folder must hold", "--model", none, at("1.png"));
  expect(existsSync(none)).toBe(false);
});
