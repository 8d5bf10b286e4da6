import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import { Tally } from "../../../src/tasks/captioning/evaluate.ts";
import { captionVocabulary } from "../../../src/tasks/captioning/run.ts";
import { loadCaptioner, type Scene } from "../../../src/tasks/index.ts";
import { writeUntrained } from "./fixture.ts";

const NAMES = ["model.safetensors", "vocabulary.json", "card.json"];
let folder: string;
let whole: Buffer[];

beforeAll(async () => {
  await useHeedBackend();
  folder = mkdtempSync(path.join(tmpdir(), "heed-captioner-"));
  writeUntrained(folder, ["bag", "coat", "boot"]);
  whole = NAMES.map((name) => readFileSync(path.join(folder, name)));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the words of captions are those of arrangements and the names of the items", () => {
  const vocabulary = captionVocabulary(["bag", "t-shirt"]);
  expect(vocabulary.toJSON().words).toEqual(["a", "above", "bag", "left", "of", "t-shirt"]);
});

test("a damaged folder is refused in one line", async () => {
  const text = (n: number) => whole[n]!.toString("utf8");
  const cases: [string, string, string][] = [
    ["card.json", text(2).replace('"beam": 3', '"beam": "3"'), 'got decoding {"beam":"3"'],
    [
      "card.json",
      text(2).replace('"decoder": 13', '"decoder": 1e9'),
      'got model {"embedding":5,"decoder":1000000000',
    ],
    ["card.json", text(2).replace('"name": "tiny"', '"name": "../tiny"'), 'got a data set named "../tiny"'],
    ["card.json", text(2).replace('"kind": "soft"', '"kind": "loud"'), "kind must be one of soft, hard"],
    ["card.json", text(2).replace('"labels": [', '"labels": [7, '), "got labels"],
    ["card.json", text(2).replace('"metrics"', '"figures"'), 'got JSON without "metrics"'],
    ["vocabulary.json", '{"words":{"format":"heed-words-1","words":["a"]}}', "embedding must be F16 [5, 5]"],
    ["model.safetensors", "none", "safetensors"],
  ];
  for (const [name, content, message] of cases) {
    for (const [n, file] of NAMES.entries()) writeFileSync(path.join(folder, file), whole[n]!);
    writeFileSync(path.join(folder, name), content);
    await expect(loadCaptioner(folder), message).rejects.toThrow(message);
  }
});

test("a tally counts whole captions, and the mass of the nouns that are right", () => {
  const box = [0.125, 0.125, 0.25, 0.25] as const;
  const item = (name: string, cell: number) => ({
    label: 0,
    name,
    box: [box[0] + 0.25 * cell, ...box.slice(1)] as unknown as Scene["items"][0]["box"],
    image: 0,
  });
  const scene: Scene = {
    pixels: new Uint8Array(64 * 64),
    items: [item("bag", 0), item("coat", 1)],
    arrangement: "row",
  };
  const words = ["a", "bag", "left", "of", "a", "coat"];
  // The noun "bag" looks with half of its weight at the first box, "coat" with all of it at the second.
  const map = (...cells: number[]) => {
    const shares = new Float32Array(64);
    for (const cell of cells) shares[cell]! += 1 / cells.length;
    return shares;
  };
  const weights = [map(60), map(0, 7), map(60), map(60), map(60), map(2)];
  const tally = new Tally(["bag", "coat", "boot"]);
  // What is read at "a", the cells 60 far from all items, has a gate of 0.25, nouns have 0.75.
  const gates = [0.25, 0.75, 1, 1, 0.25, 0.75];
  tally.add(scene, { words, weights, gates });
  tally.add(scene, { words: words.map((word) => (word === "coat" ? "boot" : word)), weights, gates });
  const { scenes, exact, exactByItems, nouns, massInside, phraseInside, unevenness } = tally.result();
  expect([scenes, exact, nouns]).toEqual([2, 0.5, 3]);
  expect(exactByItems).toEqual([Number.NaN, 0.5, Number.NaN, Number.NaN]);
  expect(massInside).toBeCloseTo((0.5 + 1 + 0.5) / 3, 12);
  expect(phraseInside).toBeCloseTo((0.75 * (0.5 + 1 + 0.5)) / 3, 7);
  // Of the cells 60 was looked at 4 times, 0 and 7 half a time, 2 once, and 60 others never.
  expect(unevenness).toBeCloseTo((1 - 4) ** 2 + 2 * 0.25 + 60, 6);
});
