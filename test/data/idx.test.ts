import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HeedError } from "../../src/core/errors.ts";
import { parseIdx, readIdx } from "../../src/data/idx.ts";
import { idx } from "../support/idx.ts";

/** Two images of 3 × 5, written out by hand. */
const IMAGES = Uint8Array.of(
  ...[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 5],
  ...Array.from({ length: 30 }, (_, n) => n + 200),
);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "heed-idx-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

function file(bytes: Uint8Array, name = "a.gz"): string {
  writeFileSync(join(dir, name), bytes);
  return join(dir, name);
}

describe("parseIdx", () => {
  test("reads the shape and views the numbers", () => {
    const { shape, data } = parseIdx(IMAGES, "x");
    expect(shape).toEqual([2, 3, 5]);
    expect(data).toHaveLength(30);
    expect(data[29]).toBe(229);
    expect(data.buffer).toBe(IMAGES.buffer);
  });

  test("reads a view that begins within its buffer", () => {
    const within = new Uint8Array(IMAGES.length + 7);
    within.set(IMAGES, 7);
    expect(parseIdx(within.subarray(7), "x").shape).toEqual([2, 3, 5]);
  });

  test.each([
    ["nothing", new Uint8Array(0), "no byte"],
    ["floats", Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 0), "00 00 0d 01"],
    ["no axes", Uint8Array.of(0, 0, 8, 0), "00 00 08 00"],
    ["too many axes", Uint8Array.of(0, 0, 8, 9), "00 00 08 09"],
    ["a PNG", Uint8Array.of(0x89, 0x50, 0x4e, 0x47), "89 50 4e 47"],
  ])("refuses %s by its first bytes", (_, bytes, begun) => {
    expect(() => parseIdx(bytes, "x")).toThrow(
      `readIdx: an IDX file must begin with 00 00 08 and 1 to 8 axes, got ${begun} in x; name a file of unsigned ` +
        "bytes, such as train-images-idx3-ubyte.gz",
    );
  });

  test("refuses a header that is cut off", () => {
    expect(() => parseIdx(IMAGES.subarray(0, 11), "x")).toThrow(
      "readIdx: an IDX file must have a header of 16 bytes and nothing more, got 11 bytes in x; fetch it again",
    );
  });

  test("refuses numbers that are cut off, and a header that claims more than there is", () => {
    expect(() => parseIdx(IMAGES.subarray(0, -1), "x")).toThrow(
      "readIdx: an IDX file must have the 2 × 3 × 5 numbers of its header and nothing more, got 29 bytes after it in x; " +
        "fetch it again",
    );
    const claims = IMAGES.slice();
    claims.fill(255, 4, 16);
    expect(() => parseIdx(claims, "x")).toThrow("4294967295 × 4294967295 × 4294967295");
  });

  test("refuses bytes after the last number", () => {
    expect(() => parseIdx(Uint8Array.of(...IMAGES, 0), "x")).toThrow("got 31 bytes after it in x");
  });

  test("reads what is written, and refuses any other length with one error", () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shape, fc.nat(), (sides, cut) => {
        const bytes = idx(sides, (n) => n % 256);
        const { shape: read, data } = parseIdx(bytes, "x");
        expect(read).toEqual(sides);
        expect(Array.from(data)).toEqual(Array.from(data, (_, n) => n % 256));
        expect(() => parseIdx(bytes.subarray(0, cut % bytes.length), "x")).toThrow(HeedError);
      }),
    );
  });
});

describe("readIdx", () => {
  test("reads gzip and plain files, whatever their names", () => {
    for (const bytes of [IMAGES, gzipSync(IMAGES)])
      expect(readIdx(file(bytes))).toMatchObject({ shape: [2, 3, 5] });
  });

  test("refuses a gzip file that is cut off", () => {
    expect(() => readIdx(file(gzipSync(IMAGES).subarray(0, -9)))).toThrow(
      /^readIdx: a file that begins as gzip must unpack to its end, got .*a\.gz of \d+ bytes, cut off or damaged; /,
    );
  });

  test("refuses to unpack more than the limit", () => {
    const bomb = file(gzipSync(new Uint8Array(2 ** 20)));
    expect(() => readIdx(bomb, { mostBytes: 2 ** 16 })).toThrow(
      `readIdx: a gzip file must unpack to at most 65536 bytes, got more in ${bomb}; raise mostBytes where there is room`,
    );
  });

  test("says what it cannot read", () => {
    expect(() => readIdx(join(dir, "none"))).toThrow(/^readIdx: the file must be readable, got no such file/);
  });
});
