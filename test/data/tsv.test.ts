import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileError } from "../../src/core/errors.ts";
import { parsePairs, readPairs } from "../../src/data/tsv.ts";
import { itWithData } from "../support/shared-data.ts";

const ROWS = [
  { source: "Go.", target: "Va !" },
  { source: "Hi.", target: "Salut 👋" },
];
const TEXT = "Go.\tVa !\nHi.\tSalut 👋\n";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "heed-tsv-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe("parsePairs", () => {
  test.each([
    ["LF line ends", TEXT],
    ["CRLF line ends", TEXT.replaceAll("\n", "\r\n")],
    ["no line end after the last row", TEXT.trimEnd()],
    ["a byte order mark", `\ufeff${TEXT}`],
    ["empty lines", `\n${TEXT}\n\r\n`],
  ])("reads rows with %s", (_, text) => {
    expect(parsePairs(text, "x.tsv")).toEqual(ROWS);
  });

  test("keeps empty columns and does not normalise", () => {
    expect(parsePairs("\t \u00a0é\n", "x.tsv")).toEqual([{ source: "", target: " \u00a0é" }]);
  });

  test.each([
    ["one column", "a\tb\n\nalone\n", 3, 1],
    ["three columns", "a\tb\tc\n", 1, 3],
  ])("names the line of a row with %s", (_, text, line, got) => {
    expect(() => parsePairs(text, "x.tsv")).toThrow(
      expect.objectContaining({
        name: "DataError",
        code: "FORMAT",
        details: expect.objectContaining({ path: "x.tsv", line }),
      }),
    );
    expect(() => parsePairs(text, "x.tsv")).toThrow(
      `readPairs: a row must have 2 columns, source<TAB>target, got ${got} in x.tsv at line ${line}; ` +
        "correct or remove that line",
    );
  });
});

describe("readPairs", () => {
  test("unpacks no more than it may", () => {
    const bomb = file("bomb.tsv.gz", gzipSync("\n".repeat(100_000)));
    expect(readPairs(bomb)).toEqual([]);
    expect(() => readPairs(bomb, { mostBytes: 99_999 })).toThrow(
      expect.objectContaining({
        code: "LIMIT",
        message:
          `readPairs: a gzip file must unpack to at most 99999 bytes, got more in ${bomb}; raise mostBytes where there ` +
          "is room",
      }),
    );
  });

  test("reads plain and gzip files, whatever they are called", () => {
    expect(readPairs(file("plain.tsv", TEXT))).toEqual(ROWS);
    expect(readPairs(file("packed.tsv.gz", gzipSync(TEXT)))).toEqual(ROWS);
    expect(readPairs(file("misnamed.tsv.gz", TEXT))).toEqual(ROWS);
  });

  test("reads an empty file as no rows", () => {
    expect(readPairs(file("empty.tsv", ""))).toEqual([]);
  });

  test("refuses gzip that was cut off", () => {
    const bytes = gzipSync(TEXT).subarray(0, 23);
    const path = file("cut.tsv.gz", bytes);
    expect(() => readPairs(path)).toThrow(
      `readPairs: a file that begins as gzip must unpack to its end, got ${path} of 23 bytes, cut off or damaged; ` +
        "fetch it again",
    );
  });

  test("refuses bytes that are not UTF-8", () => {
    const path = file("latin1.tsv", Buffer.from("caf\u00e9\tx\n", "latin1"));
    expect(() => readPairs(path)).toThrow(
      `readPairs: text must be UTF-8, got other bytes in ${path}; convert it, for instance with iconv -t UTF-8`,
    );
  });

  test("says why a file cannot be read", () => {
    const path = join(folder, "absent.tsv");
    expect(() => readPairs(path)).toThrow(FileError);
    expect(() => readPairs(path)).toThrow(
      `readPairs: the file must be readable, got no such file for ${path}; check the path and its permissions`,
    );
  });

  itWithData("tatoeba-en-fr")("reads the 3,231 validation rows of tatoeba-en-fr", (data) => {
    expect(readPairs(`${data}/valid.tsv.gz`)).toHaveLength(3231);
  });
});
