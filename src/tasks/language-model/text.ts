/** A text as training reads it: cut into train, valid and test, its characters numbered. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import { SPLITS, type Split } from "../../data/dataset.ts";
import { Characters } from "./characters.ts";

const OP = "heed train language-model";
const TEXT = "input.txt";
/** Where the parts of a text without a splits.json end. */
const SHARES = { train: 0.9, valid: 0.95, test: 1 };

export interface LanguageModelText {
  readonly characters: Characters;
  readonly splits: Readonly<Record<Split, Int32Array>>;
  /** sha256 of the file. */
  readonly checksum: string;
}

/**
 * Reads input.txt of a folder. Where the parts begin and end, in bytes, splits.json says; without one the first 90 % are for
 * training, 5 % for validation, 5 % for the test.
 *
 * @throws FileError MISSING · DataError DAMAGED, SHAPE
 */
export function readText(dataDir: string, length: number): LanguageModelText {
  const bytes = read(path.join(dataDir, TEXT));
  const ranges = readRanges(dataDir, bytes.length);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const parts = SPLITS.map((split) => [split, decode(decoder, bytes.subarray(...ranges[split]))] as const);
  const characters = new Characters([...new Set(parts.flatMap(([, text]) => [...text]))].sort());
  for (const [split, text] of parts) {
    if (text.length > length) continue;
    const rule = `the ${split} part of ${TEXT} must have more than the ${length} characters of a window`;
    throw new DataError("SHAPE", { op: OP, rule, got: text.length, remedy: "give a longer text", split });
  }
  const splits = Object.fromEntries(parts.map(([split, text]) => [split, characters.encode(OP, text)]));
  return {
    characters,
    splits: splits as Record<Split, Int32Array>,
    checksum: createHash("sha256").update(bytes).digest("hex"),
  };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const rule = `the folder of the data must hold ${TEXT}`;
    const fault = { op: OP, rule, got: `${fileReason(cause)} for ${file}`, remedy: "check its name", file };
    throw new FileError("MISSING", fault, { cause });
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const rule = `${TEXT} must be UTF-8, its parts cut between characters`;
    const fault = { op: OP, rule, got: "other bytes", remedy: "save it as UTF-8" };
    throw new DataError("DAMAGED", fault, { cause });
  }
}

type Ranges = Record<Split, [begin: number, end: number]>;

function readRanges(dataDir: string, bytes: number): Ranges {
  let text: string;
  try {
    text = readFileSync(path.join(dataDir, "splits.json"), "utf8");
  } catch {
    const [a, b] = [SHARES.train, SHARES.valid].map((share) => Math.floor(share * bytes)) as [number, number];
    return { train: [0, a], valid: [a, b], test: [b, bytes] };
  }
  let ranges: Partial<Ranges> = {};
  try {
    ranges = JSON.parse(text) as Partial<Ranges>;
  } catch {}
  const isPart = (range: unknown) =>
    Array.isArray(range) &&
    range.length === 2 &&
    range.every(Number.isSafeInteger) &&
    0 <= range[0] &&
    range[0] < range[1] &&
    range[1] <= bytes;
  if (SPLITS.every((split) => isPart(ranges?.[split]))) return ranges as Ranges;
  const rule = `splits.json must give train, valid and test as [begin, end) in the ${bytes} bytes of ${TEXT}`;
  throw new DataError("DAMAGED", { op: OP, rule, got: text.slice(0, 80), remedy: "correct or remove it" });
}
