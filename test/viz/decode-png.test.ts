import { zlibSync } from "fflate";
import { describe, expect, it } from "vitest";
import { decodePng, encodePng, paletteBytes } from "../../src/viz/index.ts";

const random = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * i * 31 + i * 7) & 255);

describe("a PNG of more pixels than may be unpacked", () => {
  const data = new Uint8Array(5 * 3);
  const png = encodePng({ width: 5, height: 3, channels: 1, data });

  it("is refused before it is unpacked, by its header, and by an option allowed", () => {
    expect(() => decodePng(png, { mostPixels: 14 })).toThrow(
      expect.objectContaining({
        code: "LIMIT",
        message:
          "decodePng: a picture must have at most 14 pixels, got 3 × 5; make it smaller, or raise mostPixels where " +
          "there is room",
      }),
    );
    expect(decodePng(png, { mostPixels: 15 }).width).toBe(5);
  });

  it("is one of 17 MB in 17 kB, unless one says otherwise", () => {
    const bomb = encodePng({ width: 4097, height: 4096, channels: 1, data: new Uint8Array(4097 * 4096) });
    expect(bomb.length).toBeLessThan(20_000);
    expect(() => decodePng(bomb)).toThrow("at most 16777216 pixels, got 4096 × 4097;");
  });
});

describe("decodePng", () => {
  it("reads back what encodePng writes: grey, RGB, and indices into a palette", () => {
    const grey = decodePng(encodePng({ width: 5, height: 3, channels: 1, data: random(15) }));
    expect(grey).toEqual({
      width: 5,
      height: 3,
      channels: 1,
      values: Float32Array.from(random(15), (x) => x / 255),
    });
    const rgb = decodePng(encodePng({ width: 5, height: 3, channels: 3, data: random(45) }));
    expect(rgb.values).toEqual(Float32Array.from(random(45), (x) => x / 255));
    const palette = paletteBytes("viridis");
    const indexed = decodePng(
      encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255), palette }),
    );
    const ends = [...palette.subarray(0, 3), ...palette.subarray(765)];
    expect(indexed.values).toEqual(Float32Array.from(ends, (x) => x / 255));
  });

  it("lays transparent pixels on white", () => {
    const data = Uint8Array.of(10, 20, 30, 0, 10, 20, 30, 255);
    const { values } = decodePng(encodePng({ width: 2, height: 1, channels: 4, data }));
    expect(values).toEqual(Float32Array.of(1, 1, 1, 10 / 255, 20 / 255, 30 / 255));
  });

  it("undoes each of the five filters", () => {
    // Lines of grey pixels 10 20 40 as each filter writes them, by hand; the line above is 10 20 40 too, after the first.
    const lines = [
      [0, 10, 20, 40], // none
      [1, 10, 10, 20], // less the left one
      [2, 0, 0, 0], // less the one above
      [3, 5, 5, 10], // less the mean of both: 10 − 5, 20 − 15, 40 − 30
      [4, 0, 0, 0], // less Paeth's choice: 10, then 20, then 40, the one above each time
    ].flat();
    const png = encodePng({ width: 3, height: 5, channels: 1, data: new Uint8Array(15) });
    expect(decodePng(withPixels(png, Uint8Array.from(lines))).values).toEqual(
      Float32Array.from(
        [0, 1, 2, 3, 4].flatMap(() => [10, 20, 40]),
        (x) => x / 255,
      ),
    );
  });

  it("refuses what is no PNG, cut off, interlaced, of 16 bits, or promises more than it holds", () => {
    const png = encodePng({ width: 4, height: 4, channels: 1, data: random(16) });
    expect(() => decodePng(Uint8Array.of(1, 2, 3))).toThrow(
      "decodePng: bytes must be a PNG file, got bytes of another kind; save the image again as a plain PNG",
    );
    expect(() => decodePng(png.subarray(0, 45))).toThrow(/cut off|without/);
    const changed = (at: number, byte: number) => Uint8Array.from(png, (old, n) => (n === at ? byte : old));
    expect(() => decodePng(changed(28, 1))).toThrow("without interlacing");
    expect(() => decodePng(changed(24, 16))).toThrow("8 bits a sample");
    expect(() => decodePng(changed(16, 127))).toThrow("with all its pixels");
    expect(() => decodePng(changed(19, 5))).toThrow("do not unpack");
  });
});

/** The file with other compressed pixels; checksums, which the reader does not look at, stay as they were. */
function withPixels(png: Uint8Array, lines: Uint8Array): Uint8Array {
  const data = zlibSync(lines);
  const start = 8 + 25;
  const out = new Uint8Array(start + 12 + data.length + 12);
  out.set(png.subarray(0, start));
  new DataView(out.buffer).setUint32(start, data.length);
  out.set([0x49, 0x44, 0x41, 0x54], start + 4);
  out.set(data, start + 8);
  out.set(png.subarray(png.length - 12), start + 12 + data.length);
  return out;
}
