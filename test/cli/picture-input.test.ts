import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GivenPicture, PictureInput } from "../../src/cli/picture-input.ts";
import { encodePng } from "../../src/viz/index.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-picture-input-"));
  for (const width of [2, 3, 5])
    writeFileSync(
      at(`${width}.png`),
      encodePng({ width, height: 1, channels: 1, data: new Uint8Array(width) }),
    );
  writeFileSync(at("text.png"), "no picture");
  writeFileSync(at("list.txt"), [at("3.png"), "", at("none.png"), at("2.png")].join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(
  files: string[],
  { input = undefined as string | undefined, lines = [] as string[], size = 2 } = {},
) {
  const io = fakeIo({ input: lines });
  const pictures = new PictureInput("heed look-at", io, files, input);
  const batches: GivenPicture[][] = [];
  for await (const batch of pictures.batches(size)) batches.push(batch);
  pictures.finish();
  return {
    pictures,
    batches,
    widths: batches.map((batch) => batch.map(({ picture }) => picture?.width)),
    err: io.err(),
  };
}

test("arguments come in batches, a bad one with why, and the others go on", async () => {
  const { pictures, batches, widths, err } = await read([at("2.png"), at("text.png"), at("5.png")]);
  expect(widths).toEqual([[2, undefined], [5]]);
  expect([pictures.count, pictures.failures, pictures.isChosen]).toEqual([3, 1, true]);
  const why = `${at("text.png")} must be a PNG or JPEG picture, got bytes of another kind; save the picture as PNG or JPEG`;
  expect(batches[0]![1]).toEqual({ file: at("text.png"), error: why });
  expect(err).toBe(`heed look-at: picture 2: ${why}\n`);
});

test("one alone has no number, and line ends in its name do not cut the message", async () => {
  const { err } = await read([at("a\nb.png")]);
  expect(err).toMatch(/^heed look-at: the file must be readable, got no such file for .*a b\.png; .*\n$/);
});

test("a list names them one a line, in a file or on standard input", async () => {
  const { pictures, widths, err } = await read([], { input: at("list.txt"), size: 3 });
  expect(widths).toEqual([[3, undefined, undefined], [2]]);
  expect(pictures.failures).toBe(2);
  const [empty, missing] = err.trimEnd().split("\n");
  expect(empty).toBe(
    "heed look-at: line 2: each line must be the path of a PNG or JPEG picture, got an empty one; write one",
  );
  expect(missing).toMatch(/^heed look-at: line 3: the file must be readable, got no such file for /);
  const piped = await read([], { lines: [`${at("5.png")}\n${at("2.png")}\n`] });
  expect([piped.widths, piped.err]).toEqual([[[5, 2]], ""]);
});

test("pictures come from one place, and a list that is missing is an error", async () => {
  await expect(read([at("2.png")], { input: at("list.txt") })).rejects.toThrow(
    "heed look-at: pictures must come from one place, got some as words and --input; leave one of them out",
  );
  await expect(read([], { input: at("no-list.txt") })).rejects.toMatchObject({ code: "UNREADABLE" });
});
