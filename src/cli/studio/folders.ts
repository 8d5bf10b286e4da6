import { realpath } from "node:fs/promises";
import path from "node:path";

/** A folder that is served: the files below `folder` as `/prefix/…`; of those only `files`, where they are listed. */
export interface ServedFolder {
  /** Without slashes at its ends; "" is the root. */
  readonly prefix: string;
  readonly folder: string;
  /** Names of files in the folder itself. @default all, at any depth */
  readonly files?: readonly string[];
}

/**
 * The names that an address is made of, decoded; undefined for one that names no file: with `..`, an encoded slash, a
 * backslash, a null or a hidden name in it, or with what is no UTF-8.
 */
export function namesOf(address: string): readonly string[] | undefined {
  const [plain] = address.split(/[?#]/);
  if (!plain?.startsWith("/")) return undefined;
  try {
    const names = plain.slice(1).split("/").map(decodeURIComponent);
    return names.some((name) => /[/\\\0]|^\./.test(name)) ? undefined : names;
  } catch {
    return undefined;
  }
}

/**
 * The real path of the file that an address names, of the first folder whose prefix fits; undefined where there is none,
 * or where a link leads out of the folder.
 */
export async function fileAt(folders: readonly ServedFolder[], address: string): Promise<string | undefined> {
  const names = namesOf(address);
  if (!names) return undefined;
  for (const { prefix, folder, files } of folders) {
    const own = prefix === "" ? [] : prefix.split("/");
    if (!own.every((name, n) => names[n] === name)) continue;
    const rest = names.slice(own.length);
    const below = rest.length === 0 || rest.at(-1) === "" ? [...rest.slice(0, -1), "index.html"] : rest;
    if (below.includes("")) return undefined;
    if (files && !(below.length === 1 && files.includes(below[0]!))) return undefined;
    return insideOf(folder, path.join(...below));
  }
  return undefined;
}

/** The real path of a file below a folder; undefined where it is none, or lies elsewhere in truth. */
async function insideOf(folder: string, file: string): Promise<string | undefined> {
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(path.join(folder, file))]);
    return real.startsWith(root.endsWith(path.sep) ? root : root + path.sep) ? real : undefined;
  } catch {
    return undefined;
  }
}
