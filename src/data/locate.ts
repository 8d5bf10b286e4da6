import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileError } from "../core/errors.ts";
import { SPLITS, type Split } from "./dataset.ts";

/** Where fetched data sets live: `$XDG_CACHE_HOME/heed`, or `~/.cache/heed`. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "heed");
}

export const splitPath = (folder: string, split: Split): string => join(folder, `${split}.tsv.gz`);

/** True when the folder has every split. */
export function isComplete(folder: string): boolean {
  return SPLITS.every((split) => existsSync(splitPath(folder, split)));
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
 * @param dir the folder that holds the split files themselves
 * @throws FileError MISSING when none has all three splits
 * @example
 * const folder = locateDataset("tatoeba-en-fr");
 */
export function locateDataset(name: string, options: { readonly dir?: string } = {}): string {
  const places =
    options.dir !== undefined
      ? [options.dir]
      : [join(cacheFolder(), name), join(dirname(packageFolder()), "shared", "data", name)];
  const found = places.find(isComplete);
  if (found !== undefined) return found;
  throw new FileError("MISSING", {
    op: "locateDataset",
    rule: `${name} must be in a folder with train.tsv.gz, valid.tsv.gz and test.tsv.gz`,
    got: `none in ${places.join(" or ")}`,
    remedy: `run "heed data fetch ${name}"`,
    name,
    places,
  });
}
