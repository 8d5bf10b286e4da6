import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { importTrace, readTrace, writeTrace } from "../../../src/inspect/index.ts";
import { countAllocations } from "../allocations.ts";
import { fullTrace } from "../support.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A file of numpy's archive with one array of zeros. */
function zeros(T: number, S: number, type = "<f4", each = 4): Uint8Array {
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${T}, ${S}), }\n`;
  const file = new Uint8Array(10 + header.length + T * S * each);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  file.set(strToU8(header), 10);
  return file;
}

describe("a file that asks for more than it may", () => {
  it.each<[string, Uint8Array, number, RegExp]>([
    [
      "an archive of numpy",
      zipSync({ "attention.npy": zeros(500, 500) }),
      1_500_000,
      /"attention.npy" must take at most 1500000 bytes of memory to read, got about 2000\d\d\d;/,
    ],
    [
      "an array of bytes, which become numbers of four",
      zeros(500, 500, "|u1", 1),
      900_000,
      /the array must take at most 900000 bytes of memory to read, got about 1000000;/,
    ],
    [
      "JSON of many lists",
      bytes(`[${"[],".repeat(10_000)}[]]`),
      800_000,
      /"x" must take at most 800000 bytes of memory to read, got about 860136;/,
    ],
    [
      "a table of many cells",
      bytes(`${"0,".repeat(10_000)}0`),
      400_000,
      /the table must take at most 400000 bytes of memory to read, got about 440002;/,
    ],
  ])("is refused before it is read: %s", (_, file, mostBytes, message) => {
    const { bytes: allocated } = countAllocations(() => {
      expect(() => importTrace(file, "x", { mostBytes })).toThrow(
        expect.objectContaining({
          name: "DataError",
          code: "LIMIT",
          message: expect.stringMatching(message),
        }),
      );
    });
    // Of typed arrays; the archive is unpacked only where it may be.
    expect(allocated).toBeLessThan(mostBytes + 2 * file.length);
    expect(() => importTrace(file, "x", { mostBytes })).toThrow(
      /; raise mostBytes \(--most-bytes\) where there is room, or save less in one file$/,
    );
  });

  it("is read where the limit allows it", () => {
    const archive = zipSync({ "attention.npy": zeros(500, 500) });
    expect(importTrace(archive, "x", { mostBytes: 2_100_000 }).layers[0]!.T).toBe(500);
    expect(importTrace(archive).layers[0]!.T).toBe(500);
    expect(() => importTrace(archive, "x", { mostBytes: 0 })).toThrow(
      "importTrace: mostBytes must be an integer ≥ 1, got 0",
    );
  });

  it("is refused where its brackets nest too deep for what it could be", () => {
    const begin = performance.now();
    const deep = bytes("[".repeat(3_000_000));
    expect(() => importTrace(deep, "x")).toThrow(
      'importTrace: "x" must nest at most 32 deep, got 3000000; save lists of lists of numbers',
    );
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it("is a trace whose header takes too much, or nests too deep", () => {
    const whole = writeTrace(fullTrace());
    expect(() => readTrace(whole, { mostBytes: 1000 })).toThrow(
      /^safetensors: the header must take at most 1000 bytes of memory to read, got about \d+; raise mostBytes/,
    );
    expect(readTrace(whole, { mostBytes: 100_000 }).layers).toHaveLength(fullTrace().layers.length);
  });
});
