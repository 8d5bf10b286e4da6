import path from "node:path";
import { locateDataset } from "../../../data/locate.ts";
import { MULTILINGUAL_RECIPE } from "./recipe.ts";

/**
 * The folder that holds the data sets of all languages of the shipped recipe, each in a folder of its own name.
 *
 * @param data what the names of the data sets begin with
 * @param options.dir that folder; default: where the first of them is found
 * @throws FileError MISSING where one of them is not there
 */
export function locateCorpora(data: string, { dir }: { dir?: string } = {}): string {
  const names = MULTILINGUAL_RECIPE.languages.map((to) => `${data}-${to}`);
  const first = names[0]!;
  const parent = dir ?? path.dirname(locateDataset(first));
  for (const name of names) locateDataset(name, { dir: path.join(parent, name) });
  return parent;
}
