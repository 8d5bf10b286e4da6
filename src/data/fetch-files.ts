import { mkdirSync, renameSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { FileError } from "../core/errors.ts";
import { type Checksum, checksumOf, digitsOf } from "./checksum.ts";
import { download, type LineOptions } from "./download.ts";
import { bytesInPart, takePart } from "./part.ts";
import { OP } from "./request.ts";

/** A file that is to be had: its name in its folder, and what its bytes must be. */
export type WantedFile = { readonly name: string; readonly bytes: number } & Checksum;

async function isWhole(folder: string, file: WantedFile): Promise<boolean> {
  const path = join(folder, file.name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size !== file.bytes) return false;
  return (await checksumOf(path, file)) === digitsOf(file);
}

/** The files that are missing, or have other bytes. */
export async function missingFiles(folder: string, files: readonly WantedFile[]): Promise<WantedFile[]> {
  const missing: WantedFile[] = [];
  for (const file of files) if (!(await isWhole(folder, file))) missing.push(file);
  return missing;
}

function checkRoom(folder: string, bytes: number): void {
  const { blocks, bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  // Some file systems of networks do not say how large they are.
  if (bytes <= free || blocks === 0) return;
  const rule = `the disk of ${folder} must have room for ${bytes} bytes`;
  const remedy = "free space, or choose another folder with --dir or XDG_CACHE_HOME";
  throw new FileError("UNWRITABLE", { op: OP, rule, got: `${free} free`, remedy, bytes, free, path: folder });
}

/**
 * Downloads the files that are missing or wrong; each appears in the folder when it is whole.
 *
 * @param addressOf where the file of that name is
 * @returns how many were downloaded
 * @throws DownloadError DOWNLOAD, MISMATCH · FileError UNWRITABLE where the disk has no room for them, before one comes
 */
export async function fetchFiles(
  folder: string,
  files: readonly WantedFile[],
  addressOf: (name: string) => string,
  options: LineOptions,
): Promise<number> {
  const { onProgress } = options;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const missing = await missingFiles(folder, files);
  const wantedBytes = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  mkdirSync(folder, { recursive: true });
  const there = missing.reduce((sum, { name }) => sum + bytesInPart(join(folder, name)), 0);
  checkRoom(folder, wantedBytes - there);
  let before = total - wantedBytes;
  for (const wanted of missing) {
    const file = join(folder, wanted.name);
    mkdirSync(dirname(file), { recursive: true });
    const part = takePart(file);
    try {
      await download(part.path, {
        ...options,
        ...wanted,
        url: addressOf(wanted.name),
        ...(onProgress && {
          onProgress: ({ received }) => onProgress({ received: before + received, total }),
        }),
      });
      renameSync(part.path, file);
    } finally {
      part.release();
    }
    before += wanted.bytes;
  }
  return missing.length;
}
