import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { memberLookup, sourceHash } from "../../src/data/membership.ts";
import { membership } from "../../src/data/splits/tatoeba-en-fr.ts";

const list = (...sources: string[]) =>
  Buffer.from(Uint32Array.from(sources, sourceHash).buffer).toString("base64");

test('memberLookup deals sources by the list they are in, the others to the rest, and none of ""', () => {
  const lists = { valid: list("a", "b"), test: list("c"), "": list("d") };
  const splitOf = memberLookup({ rest: "train", lists });
  expect(["a", "b", "c", "d", "e"].map(splitOf)).toEqual(["valid", "valid", "test", undefined, "train"]);
});

test("sourceHash is the first four bytes of sha256, little-endian", () => {
  expect(sourceHash("école")).toBe(createHash("sha256").update("école", "utf8").digest().readUInt32LE(0));
});

test("the lists of tatoeba-en-fr have the sources of its README, and no hash twice", () => {
  const sizes = Object.entries(membership.lists).map(([name, hashes]) => [
    name,
    Buffer.from(hashes, "base64").length / 4,
  ]);
  expect(sizes).toEqual([
    ["valid", 2247],
    ["test", 2308],
    ["", 1133],
  ]);
  const hashes = Object.values(membership.lists).flatMap((text) => {
    const bytes = Buffer.from(text, "base64");
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
  });
  expect(new Set(hashes).size).toBe(2247 + 2308 + 1133);
});
