import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import { visible } from "../../viz/text.ts";
import { unreadable } from "../flags.ts";
import type { ServedFolder } from "./folders.ts";

/** What a command line named: a file, or a folder with the files that lie in it. */
export interface OpenedPlace {
  /** As the reader knows it: the last part of its path. */
  readonly name: string;
  readonly kind: "file" | "folder";
  /** Addresses below the server's root, with the bytes of each. */
  readonly files: readonly { readonly name: string; readonly address: string; readonly bytes: number }[];
}

export interface Opened {
  readonly places: readonly OpenedPlace[];
  readonly folders: readonly ServedFolder[];
}

/**
 * The files and folders that a command line named, and how they are served: `/opened/0/NAME`, and so on. Of a folder its
 * own files, not those of folders in it; hidden ones stay hidden.
 *
 * @throws FileError UNREADABLE
 */
export function openPlaces(command: string, paths: readonly string[]): Opened {
  const found = paths.map((place, n) => {
    try {
      const stat = statSync(place);
      const folder = stat.isDirectory() ? place : path.dirname(place);
      const names = stat.isDirectory() ? readdirSync(place).sort() : [path.basename(place)];
      const files = names.flatMap((name) => {
        const own = statSync(path.join(folder, name), { throwIfNoEntry: false });
        const address = `opened/${n}/${encodeURIComponent(name)}`;
        return own?.isFile() && !name.startsWith(".") ? [{ name, address, bytes: own.size }] : [];
      });
      if (files.length === 0) throw Object.assign(new Error(), { message: "no file in it" });
      const kind = stat.isDirectory() ? ("folder" as const) : ("file" as const);
      return { name: path.basename(path.resolve(place)), kind, files, folder };
    } catch (error) {
      throw new FileError("UNREADABLE", unreadable(command, visible(place), fileReason(error)));
    }
  });
  return {
    places: found.map(({ name, kind, files }) => ({ name, kind, files })),
    folders: found.map(({ folder, files }, n) => ({
      prefix: `opened/${n}`,
      folder,
      files: files.map(({ name }) => name),
    })),
  };
}
