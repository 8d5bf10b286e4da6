import { DataError } from "../core/errors.ts";
import { type ReadBytesOptions, readBytes } from "./read-bytes.ts";

/** One row of a translation data set. */
export interface SentencePair {
  readonly source: string;
  readonly target: string;
}

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

export type ReadPairsOptions = ReadBytesOptions;

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
  return parsePairs(decodeUtf8(path, readBytes(OP, path, options)), path);
}
