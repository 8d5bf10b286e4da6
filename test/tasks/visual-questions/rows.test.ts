import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readQuestionRows } from "../../../src/tasks/visual-questions/index.ts";
import { encodePng } from "../../../src/viz/index.ts";
import { itWithData } from "../../support/shared-data.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), "heed-question-rows-"));
  for (const [name, width] of [
    ["a", 40],
    ["b", 20],
  ] as const)
    writeFileSync(
      path.join(dir, `${name}.png`),
      encodePng({ height: 10, width, channels: 1, data: new Uint8Array(10 * width).fill(90) }),
    );
});
afterAll(() => rmSync(dir, { recursive: true }));

const write = (split: string, lines: unknown[]) =>
  writeFileSync(
    path.join(dir, `${split}.jsonl`),
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  );

test("rows have a picture, a question and an answer, or a sentence and a label; the first picture decides the size", async () => {
  write("train", [
    { image: "a.png", question: "How many?", answer: "2" },
    "",
    { image: "b.png", sentence: "It is dark.", label: false },
  ]);
  const { rows, height, width, checksum } = await readQuestionRows(dir, "train");
  expect([height, width]).toEqual([64, 256]);
  expect(rows.map(({ questions }) => questions)).toEqual([
    [{ question: "How many?", answer: "2", kind: "row", named: [] }],
    [{ question: "It is dark.", answer: "false", kind: "row", named: [] }],
  ]);
  expect(rows.every(({ pixels }) => pixels.length === 64 * 256 && pixels.every((grey) => grey === 90))).toBe(
    true,
  );
  write("valid", [{ image: "a.png", question: "How many?", answer: "3" }]);
  const other = await readQuestionRows(dir, "valid", { height: 64, width: 128 });
  expect([other.width, other.checksum === checksum]).toEqual([128, false]);
});

test("a line that is none, a missing picture and an empty file are named", async () => {
  write("test", [{ image: "a.png", question: "How many?" }]);
  await expect(readQuestionRows(dir, "test")).rejects.toThrow(
    `readQuestions: line 1 of ${path.join(dir, "test.jsonl")} must be a JSON object with image, question and answer, got `,
  );
  for (const line of ["{", "[1]", "null", { image: 1, question: "a", answer: "b" }]) {
    write("test", [line]);
    await expect(readQuestionRows(dir, "test")).rejects.toMatchObject({ code: "FORMAT" });
  }
  write("test", [{ image: "c.png", question: "How many?", answer: "1" }]);
  await expect(readQuestionRows(dir, "test")).rejects.toMatchObject({ code: "UNREADABLE" });
  write("test", [""]);
  await expect(readQuestionRows(dir, "test")).rejects.toThrow("must have a line or more, got none");
});

itWithData("nlvr")(
  "statements about real pictures are read: 150 of the validation part, three boxes each",
  async (folder) => {
    const { rows, height, width } = await readQuestionRows(folder, "valid");
    expect([rows.length, height, width]).toEqual([150, 64, 256]);
    const trues = rows.filter(({ questions: [first] }) => first!.answer === "true");
    expect(trues).toHaveLength(78);
    // The gaps between the boxes are darker than the boxes.
    const grey = (x: number) => rows[0]!.pixels[2 * width + Math.round((x * width) / 400)]!;
    expect(grey(125)).toBe(128);
  },
  20_000,
);
