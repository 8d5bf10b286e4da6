import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { readTrace } from "../../../src/inspect/index.ts";
import type { RunOptions } from "../../../src/tasks/run-options.ts";
import { SIDE } from "../../../src/tasks/tracking/compose.ts";
import { drawnDigits } from "../../../src/tasks/tracking/digits.ts";
import { evaluate, hiddenVideo, overlapOf } from "../../../src/tasks/tracking/evaluate.ts";
import { loadTracker } from "../../../src/tasks/tracking/files.ts";
import { TRACKING_RECIPE, type TrackingRecipe } from "../../../src/tasks/tracking/recipe.ts";
import { runTracking, type TrackingRun } from "../../../src/tasks/tracking/run.ts";
import { encodePng } from "../../../src/viz/index.ts";
import { fakeIo } from "../../cli/fake-io.ts";
import { damagedCards, stopAt } from "../compared.ts";

const RECIPE: TrackingRecipe = {
  ...TRACKING_RECIPE,
  data: "drawn-digits",
  model: { glimpse: [5, 5], context: 2, features: 2, appearance: 5, units: 4 },
  ...{
    videos: 9,
    testVideos: 7,
    times: 3,
    distractors: 1,
    unmarked: 1,
    epochs: 2,
    batch: 3,
    evaluateEvery: 2,
    warmupSteps: 1,
  },
};

let folder: string;
let whole: TrackingRun;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-tracking-"));
  whole = await runTracking(options("whole"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (...names: string[]) => path.join(folder, ...names);
const options = (
  name: string,
  more: Partial<RunOptions<TrackingRecipe>> = {},
): RunOptions<TrackingRecipe> => ({
  recipe: RECIPE,
  ...{
    dataDir: "",
    runDir: at(name),
    outDir: at(name, "model"),
    command: "heed train tracking",
  },
  ...more,
});
const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));

test("training writes a folder that loads and scores as its card says, and nothing leaks", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  const { seconds: _, ...scores } = evaluation!;
  expect(card!.metrics).toEqual({ split: "test", ...scores, command: "heed evaluate tracking" });
  expect(card!.drawn).toEqual({ ...scores, command: "heed evaluate tracking --drawn" });
  const data = {
    name: "drawn-digits",
    licence: "MIT",
    attribution: "Digits that heed draws.",
    changes: "None.",
  };
  expect(card!.data).toEqual(data);
  const before = tf.memory().numTensors;
  const tracker = await loadTracker(at("whole", "model"));
  expect(tracker.card).toEqual(card);
  expect(evaluate(tracker, drawnDigits())).toMatchObject(scores);
  tracker.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("both that are stopped and started again are the same, bit for bit", async () => {
  expect(await runTracking(options("stopped", stopAt(3)))).toEqual({ stopped: "signal" });
  expect(await runTracking(options("stopped", stopAt(1, 2)))).toEqual({ stopped: "signal" });
  expect((await runTracking(options("stopped"))).stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("scores are counted by hand from the boxes of each video", async () => {
  const tracker = await loadTracker(at("whole", "model"));
  const videos = Array.from({ length: 7 }, (_, n) => hiddenVideo(drawnDigits(), 1, n, 1));
  const found = videos.map(({ frames, boxes }) =>
    tracker.follow({ frames, height: SIDE, width: SIDE }, boxes[0]!),
  );
  const share = (t: number) =>
    videos.filter(({ boxes }, n) => overlapOf(boxes[t]!, found[n]![t]!) >= 0.5).length / 7;
  const result = evaluate(tracker, drawnDigits());
  expect(result).toMatchObject({ before: share(4), reappeared: share(8), recovery: share(10) });
  for (const [n, { boxes }] of videos.entries())
    for (const [at, number] of boxes[0]!.entries()) expect(found[n]![0]![at]).toBeCloseTo(number, 4);
  tracker.dispose();
});

test("frames of any size are followed, and what was looked at is a trace of a glimpse a frame", async () => {
  const tracker = await loadTracker(at("whole", "model"));
  const frames = Array.from({ length: 3 }, () => new Float32Array(20 * 31).fill(0.5));
  const footage = { frames, height: 20, width: 31 };
  const boxes = tracker.follow(footage, [3, 5, 7, 6]);
  expect(boxes).toHaveLength(3);
  expect(boxes.flat().every(Number.isFinite)).toBe(true);
  const trace = tracker.look(footage, [3, 5, 7, 6]);
  expect(trace.glimpses).toHaveLength(3);
  // Of the first frame: around the box with twice its sides, five Gaussians along each.
  const [u, d, , v, e] = trace.glimpses[0]!.slice();
  expect([d, e]).toEqual([2.8, 2.4].map((number) => expect.closeTo(number, 5)));
  expect([u, v]).toEqual([3 - 3.5 + 0.9, 5 - 3 + 0.7].map((number) => expect.closeTo(number, 5)));
  expect(() => tracker.follow(footage, [3, 5, 0, 6])).toThrow(
    "DigitTracker: the first box must be top, left, height and width, got [3, 5, 0, 6]",
  );
  expect(() => tracker.follow({ ...footage, width: 30 }, [3, 5, 7, 6])).toThrow(
    "DigitTracker: frames must be one or more of 20 × 30 pixels, got one of 620 pixels",
  );
  tracker.dispose();
});

test("the commands train, follow an example and a reader's frames, and draw them", async () => {
  const recipe = { ...RECIPE, epochs: 1 };
  writeFileSync(at("recipe.json"), JSON.stringify(recipe));
  const io = fakeIo();
  const flags = ["--out", at("cli", "model"), "--run", at("cli"), "--recipe", at("recipe.json")];
  expect(await run(["train", "tracking", ...flags], io), io.err()).toBe(0);
  expect(io.out()).toMatch(/^test [\d.]+ % found again, [\d.]+ % without the prior; the model is in /);
  const model = ["--model", at("cli", "model")];
  const example = fakeIo();
  const drawn = ["--svg", at("track.svg"), "--html", at("track.html"), "--trace", at("track.attn")];
  expect(await run(["track", ...model, "--json", ...drawn], example), example.err()).toBe(0);
  const lines = example
    .out()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ hidden }) => hidden).filter(Boolean)).toHaveLength(3);
  expect(readFileSync(at("track.svg"), "utf8")).toContain("dashed");
  expect(readFileSync(at("track.html"), "utf8")).toContain("Where the model looked in the image");
  expect(readTrace(readFileSync(at("track.attn"))).glimpses).toHaveLength(11);

  mkdirSync(at("frames"));
  for (const n of [10, 9, 8]) {
    const data = new Uint8Array(12 * 15 * 3).fill(n === 8 ? 255 : 250);
    writeFileSync(at("frames", `${n}.png`), encodePng({ height: 12, width: 15, channels: 3, data }));
  }
  const mine = fakeIo();
  expect(await run(["track", ...model, "--box", "1,2,5,4", at("frames")], mine), mine.err()).toBe(0);
  const names = mine
    .out()
    .trimEnd()
    .split("\n")
    .map((line) => path.basename(line.split("\t")[0]!));
  expect(names).toEqual(["8.png", "9.png", "10.png"]);
  expect(mine.out().split("\n")[0]).toBe(`${at("frames", "8.png")}\t1.0\t2.0\t5.0\t4.0`);
});

test("frames of 16 bits, with a palette and as JPEG are followed as plain ones are", async () => {
  interface Fixture {
    name: string;
    file: string;
    height: number;
    width: number;
    data: number[];
  }
  const follow = async (folder: string) => {
    const io = fakeIo();
    const args = ["track", "--model", at("whole", "model"), "--box", "1,1,4,3", folder];
    expect(await run(args, io), io.err()).toBe(0);
    const lines = io.out().trimEnd().split("\n");
    return lines.map((line) => line.split("\t").slice(1).map(Number));
  };
  const cases = [
    ["png", "colour type 0, 16 bits"],
    ["png", "colour type 3, 8 bits, interlaced"],
    ["jpeg", "grey"],
  ] as const;
  for (const [kind, name] of cases) {
    const file = path.resolve(import.meta.dirname, `../../fixtures/pictures/${kind}.json`);
    const fixtures: Fixture[] = JSON.parse(readFileSync(file, "utf8"));
    const { height, width, data, ...one } = fixtures.find((fixture) => fixture.name === name)!;
    const rgb = Uint8Array.from(data.filter((_, n) => n % 4 !== 3));
    const plain = encodePng({ height, width, channels: 3, data: rgb });
    for (const [folder, ending, bytes] of [
      [at(name), kind, Buffer.from(one.file, "base64")],
      [at(`${name}, plain`), "png", plain],
    ] as const) {
      mkdirSync(folder);
      for (const n of [0, 1]) writeFileSync(path.join(folder, `${n}.${ending}`), bytes);
    }
    const [boxes, same] = [await follow(at(name)), await follow(at(`${name}, plain`))];
    expect(boxes).toHaveLength(2);
    // Two decoders of JPEG round a little differently.
    for (const [n, side] of boxes.flat().entries())
      expect(side).toBeCloseTo(same.flat()[n]!, kind === "png" ? 6 : 0);
  }
});

test("bad frames and boxes are refused in one line, before the model is loaded", async () => {
  const refused = async (args: string[], message: string) => {
    const io = fakeIo();
    expect(await run(["track", ...args], io)).toBe(2);
    expect(io.err()).toContain(`heed track: ${message}`);
    expect(io.err().trimEnd().split("\n")).toHaveLength(1);
    expect(io.out()).toBe("");
  };
  mkdirSync(at("empty"));
  writeFileSync(at("bad.png"), "no picture");
  const png = (name: string, width: number) => {
    const data = new Uint8Array(7 * width);
    writeFileSync(at(name), encodePng({ height: 7, width, channels: 1, data }));
  };
  png("a.png", 8);
  png("b.png", 9);
  const box = ["--box", "1,1,3,3"];
  await refused([at("a.png")], "--box must say where the object is in the first frame, got none; add --box");
  await refused(["--box", "1,2,3"], '--box must be top,left,height,width in pixels, got "1,2,3"');
  const kind = "must be a PNG or JPEG picture, got bytes of another kind";
  await refused([...box, at("bad.png")], `${at("bad.png")} ${kind}`);
  const missing = `the file must be readable, got no such file for ${at("none.png")}`;
  await refused([...box, at("none.png")], missing);
  await refused([...box, at("empty")], `${at("empty")} must hold frames, got no PNG or JPEG file`);
  await refused(
    [...box, at("a.png"), at("b.png")],
    "frames must all be 7 × 8, as the first one, got 7 × 9 in ",
  );
  await refused(["--svg", at("none", "a.svg")], `${at("none", "a.svg")} must be a file that can be written`);
});

test("a damaged card is refused in one line", async () => {
  const cases: [string, (card: Card) => object][] = [
    ["no glimpse", ({ model, ...card }) => ({ ...card, model: { ...model, glimpse: [5] } })],
    ["no context", ({ model, ...card }) => ({ ...card, model: { ...model, context: 0 } })],
    ["units that fill the memory", ({ model, ...card }) => ({ ...card, model: { ...model, units: 1e9 } })],
    ["half a frame", ({ model, ...card }) => ({ ...card, model: { ...model, speedFrames: 0.5 } })],
    ["no recipe", (card) => ({ ...card, training: {} })],
    ["a data set elsewhere", (card) => ({ ...card, data: { name: "../data" } })],
  ];
  await damagedCards(at("whole", "model"), cases, loadTracker);
});

interface Card {
  model: object;
}
