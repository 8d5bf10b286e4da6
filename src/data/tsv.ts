import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError, FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";

/** One row of a translation data set. */
export interface SentencePair {
  readonly source: string;
  readonly target: string;
}

const GZIP_MAGIC = [0x1f, 0x8b];
const BYTE_ORDER_MARK = /^\ufeff/;
const OP = "readPairs";

/** How a file may break its own promises; `op` begins the message. */
function decodeUtf8(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const got = `other bytes in ${path}`;
    const remedy = "convert it, for instance with iconv -t UTF-8";
    throw new DataError("FORMAT", { op: OP, rule: "text must be UTF-8", got, remedy, path }, { cause });
  }
}

export interface ReadPairsOptions {
  /** The most bytes that a gzip file is unpacked to: one of 1 MB may hold 1 GB. @default 2³⁰ */
  readonly mostBytes?: number;
}

function readBytes(path: string, { mostBytes = 2 ** 30 }: ReadPairsOptions): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const rule = "the file must be readable";
    const got = `${fileReason(cause)} for ${path}`;
    const remedy = "check the path and its permissions";
    throw new FileError("UNREADABLE", { op: OP, rule, got, remedy, path }, { cause });
  }
  if (bytes[0] !== GZIP_MAGIC[0] || bytes[1] !== GZIP_MAGIC[1]) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: mostBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const rule = `a gzip file must unpack to at most ${mostBytes} bytes`;
      const remedy = "raise mostBytes where there is room";
      throw new DataError("LIMIT", { op: OP, rule, got: `more in ${path}`, remedy, path }, { cause });
    }
    const rule = "a file that begins as gzip must unpack to its end";
    const got = `${path} of ${bytes.length} bytes, cut off or damaged`;
    throw new DataError("DAMAGED", { op: OP, rule, got, remedy: "fetch it again", path }, { cause });
  }
}

/**
 * The rows of `source<TAB>target` text. Line ends may be LF or CRLF and a byte order mark may lead; empty lines
 * are skipped. The text is not normalised.
 *
 * @param path what the errors call the text
 * @throws DataError FORMAT for a line without exactly two columns, with the line's number from 1
 */
export function parsePairs(text: string, path: string): SentencePair[] {
  const pairs: SentencePair[] = [];
  const lines = text.replace(BYTE_ORDER_MARK, "").split("\n");
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "") continue;
    const columns = line.split("\t");
    if (columns.length !== 2) {
      const at = index + 1;
      const rule = "a row must have 2 columns, source<TAB>target";
      const got = `${columns.length} in ${path} at line ${at}`;
      const remedy = "correct or remove that line";
      throw new DataError("FORMAT", { op: OP, rule, got, remedy, path, line: at });
    }
    pairs.push({ source: columns[0]!, target: columns[1]! });
  }
  return pairs;
}

/**
 * The rows of a `source<TAB>target` file, gzip or plain (told apart by content, not by name).
 *
 * @throws FileError UNREADABLE, DataError DAMAGED, FORMAT, LIMIT
 * @example
 * const pairs = readPairs(`${locateDataset("tatoeba-en-fr")}/valid.tsv.gz`);
 * pairs[0].source;
 */
export function readPairs(path: string, options: ReadPairsOptions = {}): SentencePair[] {
  return parsePairs(decodeUtf8(path, readBytes(path, options)), path);
}
