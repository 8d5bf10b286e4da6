import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { zlibSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HeedError } from "../../../src/core/errors.ts";
import { decodePicture, readPicture } from "../../../src/data/pictures/index.ts";
import { encodePng } from "../../../src/viz/index.ts";

interface Fixture {
  name: string;
  file: string;
  height: number;
  width: number;
  data: number[];
}

/** Made by tools/fixtures/pictures.py. */
const fixtures = (name: string) =>
  JSON.parse(
    readFileSync(path.resolve(import.meta.dirname, `../../fixtures/pictures/${name}.json`), "utf8"),
  ) as Fixture[];
const bytesOf = ({ file }: Fixture) => Uint8Array.from(Buffer.from(file, "base64"));
const named = (name: string, kind: string) => fixtures(kind).find((one) => one.name === name)!;

/** What is transparent has no colour to speak of. */
const seen = (data: ArrayLike<number>) =>
  Array.from(data, (value, at) => (data[at - (at % 4) + 3] === 0 ? 0 : value));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-pictures-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A PNG with this header and these pixels, its checksums left 0 where nothing comes so far as to read them. */
function pngOf(header: number[], lines: Uint8Array): Uint8Array {
  const chunk = (name: string, body: Uint8Array) => {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, body.length);
    return [...length, ...Buffer.from(name), ...body, 0, 0, 0, 0];
  };
  const parts = [
    chunk("IHDR", Uint8Array.from(header)),
    chunk("IDAT", zlibSync(lines)),
    chunk("IEND", new Uint8Array()),
  ];
  return Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, ...parts.flat()]);
}

async function fault(bytes: Uint8Array, options = {}): Promise<[string, string]> {
  const error = await decodePicture(bytes, "x.png", options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HeedError);
  return [(error as HeedError).code, (error as HeedError).message];
}

describe("a PNG", () => {
  test.each(fixtures("png").map((one) => [one.name, one] as const))(
    "of %s has its pixels",
    async (_, one) => {
      const { height, width, data } = await decodePicture(bytesOf(one), "x.png");
      expect([height, width]).toEqual([one.height, one.width]);
      expect(seen(data)).toEqual(seen(one.data));
    },
  );
});

describe("a JPEG", () => {
  test.each(fixtures("jpeg").map((one) => [one.name, one] as const))(
    "of %s has its pixels",
    async (_, one) => {
      const { height, width, data } = await decodePicture(bytesOf(one), "x.jpg");
      expect([height, width]).toEqual([one.height, one.width]);
      // Two decoders round the inverse cosine transform and the change of colours each in its way.
      const off = Array.from(data, (value, at) => Math.abs(value - one.data[at]!));
      expect(Math.max(...off)).toBeLessThanOrEqual(4);
      expect(off.reduce((sum, x) => sum + x, 0) / off.length).toBeLessThan(1);
    },
  );
});

describe("what is no picture that can be read", () => {
  test.each([
    ["an empty file", ""],
    ["bytes of another kind", "hello"],
    ["a GIF", "GIF89a..."],
    ["a WebP picture", "RIFF1234WEBPVP8 "],
    ["an HEIC or AVIF picture", "\0\0\0\u0018ftypheic"],
    ["an SVG drawing", '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ])("is named: %s", async (what, text) => {
    expect(await fault(Buffer.from(text, "latin1"))).toEqual([
      "FORMAT",
      `readPicture: x.png must be a PNG or JPEG picture, got ${what}; save the picture as PNG or JPEG`,
    ]);
  });

  test("is a missing file, or a folder", async () => {
    await expect(readPicture(path.join(folder, "none.png"))).rejects.toMatchObject({
      code: "UNREADABLE",
      message: expect.stringContaining("got no such file for"),
    });
    await expect(readPicture(folder)).rejects.toThrow("got a folder for");
  });
});

describe("a picture that is damaged", () => {
  test.each([
    ["png", "colour type 2, 8 bits"],
    ["png", "colour type 3, 4 bits, interlaced"],
    ["jpeg", "colour"],
    ["jpeg", "progressive"],
  ])("is refused wherever a %s is cut off: %s", async (kind, name) => {
    const bytes = bytesOf(named(name, kind));
    // A PNG may lack the checksum of its end, and nothing else.
    for (let end = 4; end < bytes.length - (kind === "png" ? 4 : 0); end += 3) {
      const [code] = await fault(bytes.subarray(0, end));
      expect([end, code]).toEqual([end, kind === "png" && end < 8 ? "FORMAT" : "DAMAGED"]);
    }
  });

  test("by one byte gives an error of heed, or a picture of the same size", async () => {
    for (const one of [named("colour type 6, 8 bits", "png"), named("CMYK", "jpeg")]) {
      const whole = bytesOf(one);
      for (let at = 0; at < whole.length; at += 3) {
        const bytes = whole.slice();
        bytes[at]! ^= 0x5a;
        const read = await decodePicture(bytes, "x", { mostPixels: 10_000 }).catch((error: unknown) => error);
        if (read instanceof Error) expect(read).toBeInstanceOf(HeedError);
        else expect((read as { data: Uint8Array }).data.length % 4).toBe(0);
      }
    }
  });

  test("has another checksum than its bytes", async () => {
    const bytes = encodePng({ width: 3, height: 2, channels: 1, data: new Uint8Array(6) });
    bytes[bytes.length - 17]! ^= 1; // the last byte of the unpacked lines' checksum
    expect((await fault(bytes))[1]).toMatch(
      /^readPicture: x\.png must be a whole PNG, got data that do not unpack;/,
    );
  });
});

describe("a picture of more pixels than may be unpacked", () => {
  test("is refused by its header, PNG and JPEG alike", async () => {
    const claim = [0, 1, 0x86, 0xa0]; // 100,000
    const png = pngOf([...claim, ...claim, 8, 6, 0, 0, 0], new Uint8Array(10));
    const began = performance.now();
    expect(await fault(png)).toEqual([
      "LIMIT",
      "readPicture: x.png must have at most 33554432 pixels, got 100000 × 100000; make it smaller, or raise mostPixels " +
        "where there is room",
    ]);
    const jpeg = bytesOf(named("grey", "jpeg"));
    const frame = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xc0);
    jpeg.set([0xff, 0xff, 0xff, 0xff], frame + 5);
    expect((await fault(jpeg))[1]).toContain("got 65535 × 65535");
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test("may be allowed, or forbidden, by an option", async () => {
    const bytes = bytesOf(named("grey", "jpeg"));
    expect((await fault(bytes, { mostPixels: 13 * 19 - 1 }))[0]).toBe("LIMIT");
    expect((await decodePicture(bytes, "x.jpg", { mostPixels: 13 * 19 })).width).toBe(19);
  });

  test("is one whose data unpack to more than its header says", async () => {
    const bomb = pngOf([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0], new Uint8Array(2 ** 24));
    expect(bomb.length).toBeLessThan(20_000);
    expect((await fault(bomb))[1]).toContain("must be a whole PNG, got data for a larger one");
  });
});

test("a file is told apart by content, not by name", async () => {
  const one = named("grey", "jpeg");
  const file = path.join(folder, "really-a-jpeg.png");
  writeFileSync(file, bytesOf(one));
  expect((await readPicture(file)).height).toBe(one.height);
});
