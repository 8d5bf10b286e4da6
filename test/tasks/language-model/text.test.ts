import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Split } from "../../../src/data/dataset.ts";
import { tinyShakespeare } from "../../../src/data/datasets/tiny-shakespeare.ts";
import { Characters } from "../../../src/tasks/language-model/characters.ts";
import { readText } from "../../../src/tasks/language-model/text.ts";
import { windowsOf, windowsPerEpoch } from "../../../src/tasks/language-model/windows.ts";
import { itWithData } from "../../support/shared-data.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "heed-text-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const write = (name: string, content: string | Uint8Array) => writeFileSync(path.join(dir, name), content);
const lengths = (text: ReturnType<typeof readText>) => Object.values(text.splits).map(({ length }) => length);

test("a text is cut 90, 5 and 5, or where splits.json says, in bytes", () => {
  write("input.txt", "ab".repeat(50));
  expect(lengths(readText(dir, 4))).toEqual([90, 5, 5]);
  write("splits.json", JSON.stringify({ train: [0, 60], valid: [60, 80], test: [80, 97] }));
  const text = readText(dir, 4);
  expect(lengths(text)).toEqual([60, 20, 17]);
  expect(text.characters.list).toEqual(["a", "b"]);
});

test("characters outside ASCII are one each, and those of all parts are known", () => {
  write("input.txt", "é🙂x\nyyyyyyyyz");
  write("splits.json", JSON.stringify({ train: [0, 8], valid: [8, 12], test: [12, 17] }));
  const { characters, splits } = readText(dir, 3);
  expect([...splits.train].map((id) => characters.list[id])).toEqual(["é", "🙂", "x", "\n"]);
  expect(characters.decode(splits.test)).toBe("yyyyz");
});

test("what cannot be read is said in one line", () => {
  expect(() => readText(dir, 4)).toThrow(
    "heed train language-model: the folder of the data must hold input.txt, got no such file for",
  );
  write("input.txt", "ab".repeat(50));
  expect(() => readText(dir, 5)).toThrow(
    "the valid part of input.txt must have more than the 5 characters of a window, got 5; give a longer text",
  );
  for (const splits of [
    "{",
    "[]",
    "null",
    '{"train":[0,5]}',
    '{"train":[0,5],"valid":[5,9],"test":[9,101]}',
  ]) {
    write("splits.json", splits);
    expect(() => readText(dir, 4)).toThrow(
      "splits.json must give train, valid and test as [begin, end) in the 100 bytes of input.txt",
    );
  }
  rmSync(path.join(dir, "splits.json"));
  write("input.txt", new Uint8Array(100).fill(0xff));
  expect(() => readText(dir, 4)).toThrow("input.txt must be UTF-8, its parts cut between characters");
});

test("an unknown character is named, wherever it stands", () => {
  expect(() => new Characters(["a", "b"]).encode("write", "abß")).toThrow(
    'write: every character must be one of the 2 that the model was trained on, got "ß"; leave it out or write it otherwise',
  );
});

test("the windows of an epoch lie side by side, fit with the character after them, and move between epochs", () => {
  const [characters, T] = [101, 7];
  const offsets = new Set<number>();
  for (let epoch = 0; epoch < 20; epoch++) {
    const starts = [...windowsOf(characters, T, 1, epoch)].sort((a, b) => a - b);
    expect(starts).toHaveLength(windowsPerEpoch(characters, T));
    expect(starts.every((start, n) => n === 0 || start - starts[n - 1]! === T)).toBe(true);
    expect(starts.at(-1)! + T + 1).toBeLessThanOrEqual(characters);
    offsets.add(starts[0]!);
  }
  expect(offsets.size).toBe(T);
});

itWithData("tiny-shakespeare")(
  "the parts of tiny-shakespeare are those of the catalogue, without splits.json too",
  (folder) => {
    copyFileSync(path.join(folder, "input.txt"), path.join(dir, "input.txt"));
    for (const data of [folder, dir]) {
      const { characters, splits, checksum } = readText(data, 256);
      expect(checksum).toBe(tinyShakespeare.files[0]!.sha256);
      for (const [split, { rows, sha256 }] of Object.entries(tinyShakespeare.splits)) {
        const text = characters.decode(splits[split as Split]);
        expect(text).toHaveLength(rows);
        expect(createHash("sha256").update(text).digest("hex")).toBe(sha256);
      }
    }
  },
);
