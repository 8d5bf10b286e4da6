import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { findDataset } from "../../src/data/catalog.ts";
import type { PairDataset } from "../../src/data/dataset.ts";
import { SPLITS } from "../../src/data/dataset.ts";
import { memberLookup, sourceHash } from "../../src/data/membership.ts";
import { rowsChecksum } from "../../src/data/rows.ts";
import { readPairs } from "../../src/data/tsv.ts";
import { itWithData } from "../support/shared-data.ts";

const list = (...sources: string[]) =>
  Buffer.from(Uint32Array.from(sources, sourceHash).buffer).toString("base64");

test('memberLookup deals sources by the list they are in, the others to the rest, and none of ""', () => {
  const lists = { valid: list("a", "b"), test: list("c"), "": list("d") };
  const splitOf = memberLookup({ rest: "train", lists });
  expect(["a", "b", "c", "d", "e"].map(splitOf)).toEqual(["valid", "valid", "test", undefined, "train"]);
});

const pairsOf = (name: string) => findDataset("test", name) as PairDataset;

test("sourceHash is the first four bytes of sha256, little-endian", () => {
  expect(sourceHash("école")).toBe(createHash("sha256").update("école", "utf8").digest().readUInt32LE(0));
});

test.each([
  ["tatoeba-en-fr", [2247, 2308, 1133]],
  ["tatoeba-en-de", [2662, 2699, 1334]],
  ["tatoeba-en-es", [2000, 2000, 1000]],
])("the lists of %s have the sources of its README, and no hash twice", (name, sizes) => {
  const { lists } = pairsOf(name).membership;
  const bytes = Object.values(lists).map((text) => Buffer.from(text, "base64"));
  expect(Object.keys(lists)).toEqual(["valid", "test", ""]);
  expect(bytes.map(({ length }) => length / 4)).toEqual(sizes);
  const hashes = bytes.flatMap((list) =>
    Array.from({ length: list.length / 4 }, (_, i) => list.readUInt32LE(4 * i)),
  );
  expect(new Set(hashes).size).toBe(hashes.length);
});

for (const name of ["tatoeba-en-de", "tatoeba-en-es"]) {
  itWithData(name)(
    `the lists of ${name} deal every row that is beside the project into its split`,
    (folder) => {
      const { membership, splits } = pairsOf(name);
      const splitOf = memberLookup(membership);
      for (const split of SPLITS) {
        const pairs = readPairs(`${folder}/${split}.tsv.gz`);
        expect(rowsChecksum(pairs)).toBe(splits[split].sha256);
        expect(pairs.every(({ source }) => splitOf(source) === split)).toBe(true);
      }
    },
  );
}
