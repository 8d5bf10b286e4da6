import fc from "fast-check";
import { expect, test } from "vitest";
import { argumentLines, type LineBatch, lineBatches } from "../../src/cli/lines.ts";

async function* chunks(...parts: (string | number[])[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : Uint8Array.from(part);
}

async function batches(input: AsyncIterable<Uint8Array>, size = 128) {
  const all: LineBatch[] = [];
  for await (const batch of lineBatches(input, size)) all.push(batch);
  return all;
}

async function lines(input: AsyncIterable<Uint8Array>): Promise<string[]> {
  return (await batches(input)).flatMap((batch) => batch.lines);
}

test("a line ends with LF or CRLF, and the last one with the input", async () => {
  expect(await lines(chunks("a\nb\r\nc"))).toEqual(["a", "b", "c"]);
  expect(await lines(chunks("a\n"))).toEqual(["a"]);
  expect(await lines(chunks(""))).toEqual([]);
});

test("an empty line stays a line, and a carriage return inside a line stays", async () => {
  expect(await lines(chunks("a\n\n\r\nb\rc\n"))).toEqual(["a", "", "", "b\rc"]);
});

test("a byte-order mark is dropped at the start and kept elsewhere", async () => {
  expect(await lines(chunks("\uFEFFa\n\uFEFFb\n"))).toEqual(["a", "\uFEFFb"]);
});

test("bytes that are not UTF-8 become U+FFFD in their own line, which is named", async () => {
  const all = await batches(chunks("ok\ncaf\u00e9\n", [0x61, 0xff, 0x62, 0x0a, 0xc3]));
  expect(all).toEqual([
    { lines: ["ok", "caf\u00e9"], broken: [] },
    { lines: ["a\uFFFDb"], broken: [3] },
    { lines: ["\uFFFD"], broken: [4] },
  ]);
});

test("what has arrived is handed on at once, in batches of at most the size", async () => {
  const sizes = (await batches(chunks("1\n2\n3\n4\n5\n", "6\n", "7"), 2)).map((batch) => batch.lines.length);
  expect(sizes).toEqual([2, 2, 1, 1, 1]);
});

test("where the chunks are cut makes no difference to the lines", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 5 }), async (text, step) => {
      const bytes = Buffer.from(text);
      const parts: number[][] = [];
      for (let at = 0; at < bytes.length; at += step) parts.push([...bytes.subarray(at, at + step)]);
      expect(await lines(chunks(...parts))).toEqual(await lines(chunks(text)));
    }),
  );
});

test("each argument is a sentence, or several with line ends between", () => {
  expect(argumentLines(["I am.", "A\r\nB", ""])).toEqual(["I am.", "A", "B", ""]);
});
