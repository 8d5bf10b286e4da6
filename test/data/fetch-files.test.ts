import { createHash } from "node:crypto";
import {
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
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileDataset } from "../../src/data/dataset.ts";
import type { DownloadProgress } from "../../src/data/download.ts";
import { installDataset } from "../../src/data/fetch.ts";
import { fileServer, serve, status } from "./file-server.ts";

const FILES = { "one.gz": Buffer.alloc(30_011, 1), "two.gz": Buffer.alloc(7, 2) };
const NONE = { rows: 0, sha256: "" };

const SET: FileDataset = {
  name: "set",
  title: "a set",
  licence: "none",
  url: "http://127.0.0.1:9/never",
  bytes: 30_018,
  files: Object.entries(FILES).map(([name, content]) => ({
    name,
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  })),
  splits: { train: NONE, valid: NONE, test: NONE },
  attribution: "# set\n",
};

let cacheDir: string;
let folder: string;
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "heed-files-"));
  folder = join(cacheDir, "set");
});
afterEach(() => rmSync(cacheDir, { recursive: true }));

const install = (url: string, options = {}) =>
  installDataset(SET, { cacheDir, url, retryDelayMs: 1, ...options });
const both = () => fileServer(serve(FILES["one.gz"]), serve(FILES["two.gz"]));
const ALL = ["ATTRIBUTION.md", "one.gz", "two.gz"];

function expectWhole(): void {
  expect(readdirSync(folder).sort()).toEqual(ALL);
  for (const [name, content] of Object.entries(FILES))
    expect(readFileSync(join(folder, name)).equals(content)).toBe(true);
}

test("a data set of files comes file by file, with one progress over all", async () => {
  const { url, requests } = await both();
  const seen: DownloadProgress[] = [];
  const onProgress = (progress: DownloadProgress) => seen.push(progress);
  expect(await install(url, { onProgress })).toEqual({ folder, fetched: true });
  expectWhole();
  expect(readFileSync(join(folder, "ATTRIBUTION.md"), "utf8")).toBe("# set\n");
  expect(seen.at(-1)).toEqual({ received: 30_018, total: 30_018 });
  expect(seen.map(({ received }) => received)).toEqual(
    seen.map(({ received }) => received).toSorted((a, b) => a - b),
  );
  expect(await install(url)).toEqual({ folder, fetched: false });
  expect(requests).toHaveLength(2);
});

test("only a file that is wrong is fetched again", async () => {
  await install((await both()).url);
  writeFileSync(join(folder, "two.gz"), "other");
  const { url, requests } = await fileServer(serve(FILES["two.gz"]));
  expect(await install(url)).toEqual({ folder, fetched: true });
  expect(requests).toHaveLength(1);
  expectWhole();
});

test("the next run goes on where a cut line stopped it", async () => {
  const cut = await fileServer(serve(FILES["one.gz"], { cutAfter: 10_007 }));
  await expect(install(cut.url, { attempts: 1 })).rejects.toMatchObject({ code: "DOWNLOAD" });
  expect(existsSync(join(folder, "one.gz"))).toBe(false);
  const { url, requests } = await both();
  await install(url);
  expect(requests[0]).toBe("bytes=10007-");
  expectWhole();
});

test("a file of other bytes is refused, and what is there stays", async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, "notes.txt"), "mine");
  const { url } = await fileServer(serve(Buffer.alloc(30_011, 9)));
  await expect(install(url)).rejects.toMatchObject({ code: "MISMATCH" });
  expect(readdirSync(folder).sort()).toEqual(["ATTRIBUTION.md", "notes.txt"]);
});

test("a folder that has no such files says so", async () => {
  const { url } = await fileServer(status(404));
  await expect(install(url)).rejects.toThrow(`got 404 for ${url}/one.gz`);
});
