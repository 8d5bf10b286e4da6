import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { SPLITS, type Split } from "../../src/data/dataset.ts";
import { tatoebaEnFr } from "../../src/data/datasets/tatoeba-en-fr.ts";
import { buildSplits, fetchDataset, installDataset } from "../../src/data/fetch.ts";
import { hashedOrder, rowsChecksum } from "../../src/data/rows.ts";
import { readPairs } from "../../src/data/tsv.ts";
import { itWithData } from "../support/shared-data.ts";
import { fileServer, serve, status } from "./file-server.ts";
import { TOY, TOY_ARCHIVE, TOY_ROWS } from "./toy-dataset.ts";

const FILES = ["ATTRIBUTION.md", "test.tsv.gz", "train.tsv.gz", "valid.tsv.gz"];

let cacheDir: string;
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "heed-fetch-"));
});
afterEach(() => rmSync(cacheDir, { recursive: true }));

const install = (url: string, options = {}) =>
  installDataset(TOY, { cacheDir, url, retryDelayMs: 1, ...options });
const rowsOf = (split: Split) => readPairs(join(cacheDir, "toy", `${split}.tsv.gz`));

describe("installDataset", () => {
  test("makes the splits of the archive and leaves nothing else", async () => {
    const { url } = await fileServer(serve(TOY_ARCHIVE));
    expect(await install(url)).toEqual({ folder: join(cacheDir, "toy"), fetched: true });
    for (const split of SPLITS) expect(rowsOf(split)).toEqual(hashedOrder(TOY_ROWS[split]));
    expect(readdirSync(join(cacheDir, "toy")).sort()).toEqual(FILES);
    expect(readFileSync(join(cacheDir, "toy", "ATTRIBUTION.md"), "utf8")).toBe("# toy\n");
    expect(readdirSync(cacheDir)).toEqual(["toy"]);
  });

  test("fetches once", async () => {
    const { url, requests } = await fileServer(serve(TOY_ARCHIVE));
    await install(url);
    expect(await install(url)).toEqual({ folder: join(cacheDir, "toy"), fetched: false });
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["other rows", "Go.\tPars !\n"],
    ["a row too few", ""],
    ["bytes that are cut off", new Uint8Array([0x1f, 0x8b, 8])],
  ])("fetches again what is there with %s", async (_, content) => {
    const { url, requests } = await fileServer(serve(TOY_ARCHIVE));
    await install(url);
    writeFileSync(join(cacheDir, "toy", "valid.tsv.gz"), content);
    expect(await install(url)).toEqual({ folder: join(cacheDir, "toy"), fetched: true });
    for (const split of SPLITS) expect(rowsOf(split)).toEqual(hashedOrder(TOY_ROWS[split]));
    expect(requests).toHaveLength(2);
  });

  test("makes the cache folder, with its parents", async () => {
    const { url } = await fileServer(serve(TOY_ARCHIVE));
    const deep = join(cacheDir, "a", "b");
    expect((await install(url, { cacheDir: deep })).folder).toBe(join(deep, "toy"));
  });

  test("goes on in the next run where a cut line stopped it", async () => {
    const cut = await fileServer(serve(TOY_ARCHIVE, { cutAfter: 20_011 }));
    await expect(install(cut.url, { attempts: 1 })).rejects.toMatchObject({ code: "DOWNLOAD" });
    expect(readdirSync(cacheDir)).toEqual(["toy.zip.part"]);
    const { url, requests } = await fileServer(serve(TOY_ARCHIVE));
    await install(url);
    expect(requests).toEqual(["bytes=20011-"]);
    expect(readdirSync(cacheDir)).toEqual(["toy"]);
  });

  test("goes on after a run that was killed", async () => {
    // No process can have a number this high (Linux ends at 2²², macOS at 99,999).
    writeFileSync(join(cacheDir, "toy.zip.99999999-0.part"), TOY_ARCHIVE.subarray(0, 20_011));
    const { url, requests } = await fileServer(serve(TOY_ARCHIVE));
    await install(url);
    expect(requests).toEqual(["bytes=20011-"]);
    expect(readdirSync(cacheDir)).toEqual(["toy"]);
  });

  test("does not touch the part of a run that is alive", async () => {
    const other = join(cacheDir, `toy.zip.${process.ppid}-0.part`);
    writeFileSync(other, "theirs");
    const { url, requests } = await fileServer(serve(TOY_ARCHIVE));
    await install(url);
    expect(requests).toEqual([undefined]);
    expect(readFileSync(other, "utf8")).toBe("theirs");
  });

  test("can run several times at once", async () => {
    const { url } = await fileServer(serve(TOY_ARCHIVE));
    await Promise.all(Array.from({ length: 5 }, () => install(url)));
    for (const split of SPLITS) expect(rowsOf(split)).toEqual(hashedOrder(TOY_ROWS[split]));
    expect(readdirSync(cacheDir)).toEqual(["toy"]);
  });

  test("completes a folder that lacks a file, and keeps what else is in it", async () => {
    const { url } = await fileServer(serve(TOY_ARCHIVE));
    mkdirSync(join(cacheDir, "toy"));
    writeFileSync(join(cacheDir, "toy", "notes.txt"), "mine");
    await install(url);
    expect(readdirSync(join(cacheDir, "toy")).sort()).toEqual([...FILES, "notes.txt"].sort());
    expect(readFileSync(join(cacheDir, "toy", "notes.txt"), "utf8")).toBe("mine");
    expect(readdirSync(cacheDir)).toEqual(["toy"]);
  });

  test("leaves nothing behind when the server has another file", async () => {
    const { url } = await fileServer(serve(Buffer.alloc(TOY.bytes, 7)));
    await expect(install(url)).rejects.toMatchObject({ code: "MISMATCH" });
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  test("leaves nothing behind when there is no such file", async () => {
    const { url } = await fileServer(status(404));
    await expect(install(url)).rejects.toMatchObject({ code: "DOWNLOAD" });
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  test("says when the cache cannot be written", async () => {
    const file = join(cacheDir, "file");
    writeFileSync(file, "");
    await expect(install("http://127.0.0.1:9/", { cacheDir: file })).rejects.toThrow(
      `fetchDataset: the cache must be writable, got another file of that name for ${file}; free space, mend its permissions, or choose ` +
        "another folder with --dir or XDG_CACHE_HOME",
    );
  });
});

describe("buildSplits", () => {
  test("refuses rows that are not those of the catalogue", () => {
    const { train } = TOY.splits;
    const other = { ...TOY, splits: { ...TOY.splits, train: { ...train, rows: 5, sha256: "0".repeat(64) } } };
    expect(() => buildSplits(other, TOY_ARCHIVE)).toThrow(
      `fetchDataset: the train rows of toy must be 5 with sha256 ${"0".repeat(64)} (sorted), got 4 with ` +
        `${train.sha256}; remove that folder and run "heed data fetch toy"`,
    );
  });

  test("refuses an archive without the text", () => {
    expect(() => buildSplits({ ...TOY, member: "toy/other.txt" }, TOY_ARCHIVE)).toThrow(
      "fetchDataset: the archive of toy must contain toy/other.txt, got none of that name; please report this",
    );
  });

  itWithData("tatoeba-en-fr")(
    "deals all rows, in any order and typed otherwise, into the splits of tatoeba-en-fr",
    (folder) => {
      const dataset = tatoebaEnFr;
      const rows = SPLITS.flatMap((split) => readPairs(`${folder}/${split}.tsv.gz`));
      const text = new RandomStream(1)
        .shuffle(rows)
        .map(({ source, target }) =>
          `${source}\t${target}`.normalize("NFD").replaceAll("'", "\u2019").replaceAll(" ", "\u00a0"),
        )
        .join("\n");
      const splits = buildSplits(dataset, zipSync({ [dataset.member]: strToU8(text) }, { level: 0 }));
      for (const split of SPLITS) {
        const shared = readPairs(`${folder}/${split}.tsv.gz`);
        expect(splits[split]).toHaveLength(shared.length);
        expect(rowsChecksum(splits[split])).toBe(rowsChecksum(shared));
      }
    },
  );
});

describe("fetchDataset", () => {
  test("names the data sets it knows", async () => {
    await expect(fetchDataset("tatoeba", { cacheDir })).rejects.toThrow(
      'fetchDataset: name must be one of tatoeba-en-fr, tatoeba-en-de, tatoeba-en-es, fashion-mnist, tiny-shakespeare, got "tatoeba"; "heed data list" says what there is',
    );
  });

  itWithData("tatoeba-en-fr")("takes what is in the cache", async (shared) => {
    cpSync(shared, join(cacheDir, "tatoeba-en-fr"), { recursive: true });
    expect(await fetchDataset("tatoeba-en-fr", { cacheDir })).toEqual({
      folder: join(cacheDir, "tatoeba-en-fr"),
      fetched: false,
    });
    expect(existsSync(join(cacheDir, "tatoeba-en-fr.zip.part"))).toBe(false);
  });
});
