import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError, FileError } from "../core/errors.ts";

/** One row of a translation data set. */
export interface SentencePair {
  readonly source: string;
  readonly target: string;
}

const GZIP_MAGIC = [0x1f, 0x8b];
const BYTE_ORDER_MARK = /^\ufeff/;

/** How a file may break its own promises; `op` begins the message. */
function decodeUtf8(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new DataError("NOT_UTF8", { op: "readPairs", path }, { cause });
  }
}

function readBytes(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new FileError("UNREADABLE", { op: "readPairs", path, reason }, { cause });
  }
  if (bytes[0] !== GZIP_MAGIC[0] || bytes[1] !== GZIP_MAGIC[1]) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new DataError("BAD_GZIP", { op: "readPairs", path, bytes: bytes.length }, { cause });
  }
}

/**
 * The rows of `source<TAB>target` text. Line ends may be LF or CRLF and a byte order mark may lead; empty lines
 * are skipped. The text is not normalised.
 *
 * @param path what the errors call the text
 * @throws DataError ROW_COLUMNS for a line without exactly two columns, with the line's number from 1
 */
export function parsePairs(text: string, path: string): SentencePair[] {
  const pairs: SentencePair[] = [];
  const lines = text.replace(BYTE_ORDER_MARK, "").split("\n");
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "") continue;
    const columns = line.split("\t");
    if (columns.length !== 2) {
      throw new DataError("ROW_COLUMNS", { op: "readPairs", path, line: index + 1, got: columns.length });
    }
    pairs.push({ source: columns[0]!, target: columns[1]! });
  }
  return pairs;
}

/**
 * The rows of a `source<TAB>target` file, gzip or plain (told apart by content, not by name).
 *
 * @throws FileError UNREADABLE, DataError BAD_GZIP, NOT_UTF8, ROW_COLUMNS
 * @example
 * const pairs = readPairs(`${locateDataset("tatoeba-en-fr")}/valid.tsv.gz`);
 * pairs[0].source;
 */
export function readPairs(path: string): SentencePair[] {
  return parsePairs(decodeUtf8(path, readBytes(path)), path);
}
