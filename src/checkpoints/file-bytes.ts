import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { type ByteSource, checkRange, damaged } from "./bytes.ts";

/** The most that one call of the system reads. */
const MOST_AT_ONCE = 2 ** 30;

/**
 * A file on disk, of which only what is asked for is read.
 *
 * @throws FileError UNREADABLE
 */
export async function fileBytes(file: string): Promise<ByteSource> {
  const name = path.basename(file);
  let handle: FileHandle | undefined;
  let size: number;
  try {
    handle = await open(file);
    const found = await handle.stat();
    if (found.isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
    size = found.size;
  } catch (cause) {
    await handle?.close();
    const rule = `${file} must be readable`;
    const fault = { op: "openCheckpoint", rule, got: fileReason(cause), remedy: "check the name", file };
    throw new FileError("UNREADABLE", fault, { cause });
  }
  const opened = handle;
  return {
    name,
    size,
    async read(offset, length) {
      checkRange({ name, size }, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const some = Math.min(length - done, MOST_AT_ONCE);
        const { bytesRead } = await opened.read(bytes, done, some, offset + done);
        if (bytesRead === 0) throw damaged(name, `the file must keep its ${size} bytes`, "fewer");
        done += bytesRead;
      }
      return bytes;
    },
    close: () => opened.close(),
  };
}
