import { inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { colorAt } from "../../src/viz/color.ts";
import { encodePng, type Pixels, paletteBytes, pngDataUri } from "../../src/viz/index.ts";

/** A reader of our own files, checks included: chunks by type, and the lines without their filter bytes. */
function read(png: Uint8Array) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = new Map<string, Uint8Array>();
  let at = 8;
  while (at < png.length) {
    const size = view.getUint32(at);
    const body = png.subarray(at + 4, at + 8 + size);
    expect(view.getUint32(at + 8 + size)).toBe(slowCrc(body));
    chunks.set(String.fromCharCode(...body.subarray(0, 4)), body.subarray(4));
    at += size + 12;
  }
  expect([...chunks.keys()].at(-1)).toBe("IEND");
  const header = chunks.get("IHDR")!;
  const size = new DataView(header.buffer, header.byteOffset);
  return {
    chunks,
    width: size.getUint32(0),
    height: size.getUint32(4),
    depth: header[8],
    type: header[9],
    lines: inflateSync(chunks.get("IDAT")!),
  };
}

/** Bit by bit, from the definition in the PNG specification. */
function slowCrc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

const image = (channels: 1 | 3 | 4): Pixels => ({
  width: 5,
  height: 3,
  channels,
  data: Uint8Array.from({ length: 15 * channels }, (_, n) => (n * 37) % 256),
});

it.each([1, 3, 4] as const)("writes images of %i channels that read back byte for byte", (channels) => {
  const { width, height, depth, type, lines } = read(encodePng(image(channels)));
  expect([width, height, depth, type]).toEqual([5, 3, 8, { 1: 0, 3: 2, 4: 6 }[channels]]);
  const rows = Array.from({ length: 3 }, (_, y) => [
    ...lines.subarray(y * (5 * channels + 1) + 1, (y + 1) * (5 * channels + 1)),
  ]);
  expect(rows.flat()).toEqual([...image(channels).data]);
});

it("writes indices into a palette, and notes", () => {
  const { type, chunks } = read(
    encodePng({ ...image(1), palette: paletteBytes("viridis") }, { text: { Comment: "café → \u{1f600}" } }),
  );
  expect(type).toBe(3);
  expect([...chunks.get("PLTE")!.subarray(-3)]).toEqual([...colorAt("viridis", 1)]);
  expect(Buffer.from(chunks.get("tEXt")!).toString("latin1")).toBe("Comment\0café ? ?");
});

it("gives an address that holds the whole file", () => {
  const png = encodePng(
    { width: 300, height: 100, channels: 1, data: new Uint8Array(30_000).map((_, n) => (n * n) % 251) },
    { level: 0 },
  );
  expect(Buffer.from(pngDataUri(png).split(",")[1]!, "base64").equals(png)).toBe(true);
});

it("refuses data of another size, sides of 0, and indices without a colour", () => {
  expect(() => encodePng({ ...image(3), width: 4 })).toThrow(ShapeError);
  expect(() => encodePng({ ...image(1), height: 0, data: new Uint8Array(0) })).toThrow(OptionError);
  expect(() => encodePng({ ...image(1), palette: new Uint8Array(30) })).toThrow(
    /^encodePng: palette must be RGB triples, at most 256, one for every index up to \d+, got 30 bytes; pass paletteBytes/,
  );
  expect(() => encodePng({ ...image(3), palette: paletteBytes("grey") })).toThrow(
    /^encodePng: channels must be one of 1, got 3/,
  );
});
