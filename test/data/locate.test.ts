import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cacheFolder, locateDataset } from "../../src/data/locate.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "heed-locate-"));
  vi.stubEnv("XDG_CACHE_HOME", home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

function fill(folder: string, splits = ["train", "valid", "test"]): string {
  mkdirSync(folder, { recursive: true });
  for (const split of splits) writeFileSync(join(folder, `${split}.tsv.gz`), "");
  return folder;
}

describe("cacheFolder", () => {
  test("is $XDG_CACHE_HOME/heed, or ~/.cache/heed where that is unset or empty", () => {
    expect(cacheFolder()).toBe(join(home, "heed"));
    vi.stubEnv("XDG_CACHE_HOME", "");
    expect(cacheFolder()).toBe(join(homedir(), ".cache", "heed"));
  });
});

describe("locateDataset", () => {
  test("finds a data set in the cache", () => {
    const folder = fill(join(home, "heed", "toy"));
    expect(locateDataset("toy")).toBe(folder);
  });

  test("takes the folder it is told, and no other", () => {
    fill(join(home, "heed", "toy"));
    const mine = fill(join(home, "mine"));
    expect(locateDataset("toy", { dir: mine })).toBe(mine);
    expect(() => locateDataset("toy", { dir: home })).toThrow(
      `locateDataset: toy must be in a folder with train.tsv.gz, valid.tsv.gz and test.tsv.gz, got none in ${home}; ` +
        "name its folder",
    );
  });

  test("names the files of a data set that is kept as it was published", () => {
    expect(() => locateDataset("fashion-mnist", { dir: home })).toThrow(
      "locateDataset: fashion-mnist must be in a folder with train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, " +
        `t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz, got none in ${home}; run "heed data fetch fashion-mnist"`,
    );
  });

  test("does not take a folder that lacks a split", () => {
    fill(join(home, "heed", "toy"), ["train", "test"]);
    const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
    const places = [join(home, "heed", "toy"), join(dirname(project), "shared", "data", "toy")];
    expect(() => locateDataset("toy")).toThrow(
      `locateDataset: toy must be in a folder with train.tsv.gz, valid.tsv.gz and test.tsv.gz, got none in ` +
        `${places.join(" or ")}; name its folder`,
    );
  });
});
