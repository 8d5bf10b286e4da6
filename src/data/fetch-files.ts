import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileDataset } from "./dataset.ts";
import { type DownloadOptions, download } from "./download.ts";
import { takePart } from "./part.ts";

type Options = Partial<Omit<DownloadOptions, "bytes" | "sha256">>;

function isWhole(folder: string, { name, sha256 }: FileDataset["files"][number]): boolean {
  const file = join(folder, name);
  return existsSync(file) && createHash("sha256").update(readFileSync(file)).digest("hex") === sha256;
}

/** True when every file is there with the bytes of the catalogue. */
export function filesAreWhole(folder: string, dataset: FileDataset): boolean {
  return dataset.files.every((file) => isWhole(folder, file));
}

/** Downloads the files of a data set that are missing or wrong; each appears in the folder when it is whole. */
export async function fetchFiles(folder: string, dataset: FileDataset, options: Options): Promise<void> {
  const { url = dataset.url, onProgress } = options;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "ATTRIBUTION.md"), dataset.attribution);
  const total = dataset.bytes;
  let before = 0;
  for (const { name, bytes, sha256 } of dataset.files) {
    const file = join(folder, name);
    if (!isWhole(folder, { name, bytes, sha256 })) {
      const part = takePart(file);
      try {
        await download(part.path, {
          ...options,
          url: `${url.replace(/\/$/, "")}/${name}`,
          bytes,
          sha256,
          ...(onProgress && {
            onProgress: ({ received }) => onProgress({ received: before + received, total }),
          }),
        });
        renameSync(part.path, file);
      } finally {
        part.release();
      }
    }
    before += bytes;
  }
}
