import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { DataError } from "../../core/errors.ts";
import { isObject } from "../../core/is-object.ts";
import { greyRectangle, type RgbaPicture, readPicture } from "../../data/pictures/index.ts";
import { readBytes } from "../../data/read-bytes.ts";
import type { AskedPicture } from "./corpus.ts";

const OP = "readQuestions";
/** Pixels that pictures have from top to bottom, and at most from left to right. */
const HEIGHT = 64;
const MOST_WIDTH = 512;
/** Cells of the grid are so many pixels large. */
const CELL = 8;

/** Questions of a split with the pictures that they are about, all of one size. */
export interface QuestionRows {
  readonly rows: AskedPicture[];
  readonly height: number;
  readonly width: number;
  /** sha256 of the questions, the answers and the pixels in their order. */
  readonly checksum: string;
}

/** The file of a split: train.jsonl or train.jsonl.gz. */
export function rowsFile(dataDir: string, split: "train" | "valid" | "test"): string {
  const plain = path.join(dataDir, `${split}.jsonl`);
  return existsSync(plain) ? plain : `${plain}.gz`;
}

/**
 * Questions about pictures: a JSON object a line with `image`, a PNG or JPEG in the folder, `question` and `answer`. Of
 * statements that are true or false, `sentence` and `label` say the same.
 *
 * Pictures become grey, 64 pixels high, and as wide as the first one's proportions ask, rounded to whole cells of the grid.
 *
 * @param size of the pictures, where another split has decided it
 * @throws FileError UNREADABLE · DataError FORMAT for a line that is none, DAMAGED, LIMIT · and what `readPicture` throws
 */
export async function readRows(
  dataDir: string,
  split: "train" | "valid" | "test",
  size?: { readonly height: number; readonly width: number },
): Promise<QuestionRows> {
  const file = rowsFile(dataDir, split);
  const lines = new TextDecoder().decode(readBytes(OP, file)).split("\n");
  const hash = createHash("sha256");
  const pictures = new Map<string, Uint8Array>();
  const rows: AskedPicture[] = [];
  let made = size;
  for (const [n, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const { image, question, answer } = parseRow(line, `line ${n + 1} of ${file}`);
    if (!pictures.has(image)) {
      const picture = await readPicture(path.join(dataDir, image));
      made ??= sizeFor(picture);
      pictures.set(image, greyRectangle(picture, made).pixels);
    }
    const pixels = pictures.get(image)!;
    hash.update(`${question}\n${answer}\n`).update(pixels);
    rows.push({ pixels, questions: [{ question, answer, kind: "row", named: [] }] });
  }
  if (!made || rows.length === 0) {
    const fault = { op: OP, rule: `${file} must have a line or more`, got: "none", remedy: "add questions" };
    throw new DataError("SHAPE", { ...fault, file });
  }
  return { rows, ...made, checksum: hash.digest("hex") };
}

function sizeFor({ height, width }: RgbaPicture): { height: number; width: number } {
  const cells = Math.max(1, Math.round((HEIGHT * width) / height / CELL));
  return { height: HEIGHT, width: Math.min(MOST_WIDTH, cells * CELL) };
}

function parseRow(line: string, place: string): { image: string; question: string; answer: string } {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    row = undefined;
  }
  const entries = isObject(row) ? row : {};
  const { image, question = entries.sentence, answer = entries.label } = entries as Record<string, unknown>;
  const isAnswer = typeof answer === "boolean" || (typeof answer === "string" && answer !== "");
  if (typeof image === "string" && typeof question === "string" && isAnswer)
    return { image, question, answer: String(answer) };
  const rule = `${place} must be a JSON object with image, question and answer`;
  const fault = { op: OP, rule, got: line.slice(0, 60), remedy: "correct the line" };
  throw new DataError("FORMAT", fault);
}
