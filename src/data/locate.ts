import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { listDatasets } from "./catalog.ts";
import { isFiles, SPLITS, type Split } from "./dataset.ts";

/** Where fetched data sets live: `$XDG_CACHE_HOME/heed`, or `~/.cache/heed`. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "heed");
}

/** The error of a cache that a file could not be written to. */
export function unwritableCache(op: string, folder: string, cause: unknown): FileError<"UNWRITABLE"> {
  const remedy = "free space, mend its permissions, or choose another folder with --dir or XDG_CACHE_HOME";
  const got = `${fileReason(cause)} for ${folder}`;
  const fault = { op, rule: "the cache must be writable", got, remedy, path: folder };
  return new FileError("UNWRITABLE", fault, { cause });
}

export const splitPath = (folder: string, split: Split): string => join(folder, `${split}.tsv.gz`);

/** The names of the files that hold a data set: its own, or those of three splits of sentence pairs. */
function filesOf(name: string): string[] {
  const dataset = listDatasets().find((one) => one.name === name);
  if (dataset && isFiles(dataset)) return dataset.files.map((file) => file.name);
  return SPLITS.map((split) => splitPath("", split));
}

export interface LocateOptions {
  /** The folder that holds the files themselves, and the only one to look in. @default the cache, or shared/data */
  readonly dir?: string;
  /** What such a folder must hold. @default the files that the catalogue names, or three splits of sentence pairs */
  readonly files?: readonly string[];
}

/** The folder of this package (or checkout): the nearest one above this file with a package.json. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/**
 * The folder of a data set: `dir` when given and nothing else; otherwise the cache that `fetchDataset` fills, or a
 * `shared/data` folder beside this project.
 *
 * @throws FileError MISSING when none has all its files
 * @example
 * const folder = locateDataset("tatoeba-en-fr");
 */
export function locateDataset(name: string, options: LocateOptions = {}): string {
  const { files = filesOf(name) } = options;
  const isComplete = (folder: string) => files.every((file) => existsSync(join(folder, file)));
  const places =
    options.dir !== undefined
      ? [options.dir]
      : [join(cacheFolder(), name), join(dirname(packageFolder()), "shared", "data", name)];
  const found = places.find(isComplete);
  if (found !== undefined) return found;
  const isKnown = listDatasets().some((one) => one.name === name);
  throw new FileError("MISSING", {
    op: "locateDataset",
    rule: `${name} must be in a folder with ${new Intl.ListFormat("en-GB").format(files)}`,
    got: `none in ${places.join(" or ")}`,
    remedy: isKnown ? `run "heed data fetch ${name}"` : "name its folder",
    name,
    places,
  });
}
