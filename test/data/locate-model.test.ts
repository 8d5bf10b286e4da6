import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { locateModel, MODEL_RECORD } from "../../src/data/locate-model.ts";
import { parseModelName } from "../../src/data/model-name.ts";

let cache: string;
let folder: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(tmpdir(), "heed-locate-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  folder = path.join(cache, "heed/models/owner/name");
  mkdirSync(folder, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

const RECORD = { name: "owner/name", revision: "main", commit: "c", files: [{ name: "a", bytes: 1 }] };
const write = (record: unknown) =>
  writeFileSync(
    path.join(folder, MODEL_RECORD),
    typeof record === "string" ? record : JSON.stringify(record),
  );

test("a name has an owner, and may have a revision and a file", () => {
  expect(parseModelName("owner/name")).toEqual({ owner: "owner", name: "name" });
  expect(parseModelName("owner/name@main")).toEqual({ owner: "owner", name: "name" });
  expect(parseModelName("o/n-1.5@v2")).toEqual({ owner: "o", name: "n-1.5", revision: "v2" });
  expect(parseModelName("o/n@refs%2Fpr%2F1/a.Q4_0.gguf")).toEqual({
    ...{ owner: "o", name: "n", revision: "refs/pr/1", file: "a.Q4_0.gguf" },
  });
  for (const other of [
    "name",
    "/a/b",
    "./a",
    "../b",
    "a/..",
    "a/b@../c",
    "a/b/../c",
    "a/.b",
    "a\\b",
    "a/b\n",
  ])
    expect(parseModelName(other)).toBeUndefined();
});

test("a place that is there comes before the cache, and what is no name stays as it is", () => {
  write(RECORD);
  expect(locateModel("owner/name")).toBe(folder);
  expect(locateModel(folder)).toBe(folder);
  expect(locateModel("no-such")).toBe("no-such");
  expect(locateModel("./owner/name")).toBe("./owner/name");
  writeFileSync(path.join(folder, "a.gguf"), "");
  expect(locateModel("owner/name/a.gguf")).toBe(path.join(folder, "a.gguf"));
  write({ ...RECORD, weights: "a.gguf" });
  expect(locateModel("owner/name")).toBe(path.join(folder, "a.gguf"));
});

test.each([
  ["none", undefined],
  ["no JSON", "{"],
  ["a list", []],
  ["no commit", { ...RECORD, commit: undefined }],
  ["files that leave the folder", { ...RECORD, files: [{ name: "../../a", bytes: 1 }] }],
  ["weights that leave the folder", { ...RECORD, weights: "../../../../secret" }],
  ["brackets that nest too deep", "[".repeat(99)],
])("a model whose record is %s is not whole", (_, record) => {
  if (record !== undefined) write(record);
  expect(() => locateModel("owner/name")).toThrow(
    "locateModel: owner/name must be a folder, a file of weights, or a model of the cache, got one that is not whole in " +
      `${folder}; run "heed models fetch owner/name", or check the path`,
  );
});
