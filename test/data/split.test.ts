import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { SPLITS } from "../../src/data/dataset.ts";
import { formatPairs, hashedOrder, rowsChecksum } from "../../src/data/rows.ts";
import { readSplit } from "../../src/data/split.ts";
import { readPairs } from "../../src/data/tsv.ts";
import { itWithData } from "../support/shared-data.ts";

test("readSplit refuses rows that are not those of the catalogue", () => {
  const dir = mkdtempSync(join(tmpdir(), "heed-split-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const split of SPLITS) writeFileSync(join(dir, `${split}.tsv.gz`), gzipSync("Go.\tVa !\n"));
  const got = rowsChecksum([{ source: "Go.", target: "Va !" }]);
  expect(() => readSplit("tatoeba-en-fr", "valid", { dir })).toThrow(
    "readSplit: the valid rows of tatoeba-en-fr must be 3231 with sha256 " +
      `84ce99ef06b6b0a427959ab54bce2403333172c4be4fd34222cc49cffebe2fd5 (sorted), got 1 with ${got}; ` +
      'remove that folder and run "heed data fetch tatoeba-en-fr"',
  );
});

test("readSplit refuses a data set that has no pairs", () => {
  expect(() => readSplit("fashion-mnist", "valid")).toThrow(
    "readSplit: the data set must have sentence pairs, got fashion-mnist; read its files, for instance with readImages",
  );
});

itWithData("tatoeba-en-fr")(
  "readSplit gives the same rows in the same order, whatever their order in the file",
  (shared) => {
    const dir = mkdtempSync(join(tmpdir(), "heed-split-"));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    for (const split of SPLITS) {
      const reversed = readPairs(`${shared}/${split}.tsv.gz`).toReversed();
      writeFileSync(join(dir, `${split}.tsv.gz`), gzipSync(formatPairs(reversed), { level: 1 }));
    }
    const valid = readSplit("tatoeba-en-fr", "valid", { dir: shared });
    expect(valid).toEqual(hashedOrder(readPairs(`${shared}/valid.tsv.gz`)));
    expect(readSplit("tatoeba-en-fr", "valid", { dir })).toEqual(valid);
    expect(rowsChecksum(readSplit("tatoeba-en-fr", "train", { dir }))).toMatch(/^1983567f37a00ee6/);
  },
);
