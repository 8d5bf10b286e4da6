import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError, FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";

export interface ReadBytesOptions {
  /** The most bytes that a gzip file is unpacked to: one of 1 MB may hold 1 GB. @default 2³⁰ */
  readonly mostBytes?: number;
}

const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * The bytes of a file, gzip or plain (told apart by content, not by name).
 *
 * @param op what begins the errors
 * @throws FileError UNREADABLE, DataError DAMAGED, LIMIT
 */
export function readBytes(
  op: string,
  path: string,
  { mostBytes = 2 ** 30 }: ReadBytesOptions = {},
): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const rule = "the file must be readable";
    const got = `${fileReason(cause)} for ${path}`;
    const remedy = "check the path and its permissions";
    throw new FileError("UNREADABLE", { op, rule, got, remedy, path }, { cause });
  }
  if (bytes[0] !== GZIP_MAGIC[0] || bytes[1] !== GZIP_MAGIC[1]) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: mostBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const rule = `a gzip file must unpack to at most ${mostBytes} bytes`;
      const remedy = "raise mostBytes where there is room";
      throw new DataError("LIMIT", { op, rule, got: `more in ${path}`, remedy, path }, { cause });
    }
    const rule = "a file that begins as gzip must unpack to its end";
    const got = `${path} of ${bytes.length} bytes, cut off or damaged`;
    throw new DataError("DAMAGED", { op, rule, got, remedy: "fetch it again", path }, { cause });
  }
}
