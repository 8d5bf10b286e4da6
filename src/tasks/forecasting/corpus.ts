import { statSync } from "node:fs";
import path from "node:path";
import { readSeries } from "./csv.ts";
import { cutSeries, type ForecastingCorpus } from "./cut-series.ts";
import type { ForecastingRecipe } from "./recipe.ts";
import { composeSeries } from "./series.ts";

/** The table of a folder. */
const TABLE = "series.csv";

/**
 * The series of a CSV file, of `series.csv` in a folder, or composed where no place is given, cut into its parts.
 *
 * @throws FileError UNREADABLE · DataError FORMAT, LIMIT, SHAPE
 */
export function readCorpus(op: string, place: string, recipe: ForecastingRecipe): ForecastingCorpus {
  const { model, times, decoys, seed, target } = recipe;
  if (place === "") return cutSeries(op, composeSeries({ times, decoys, seed }), model.window);
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory();
  const file = isFolder ? path.join(place, TABLE) : place;
  return cutSeries(op, readSeries(file, target === "" ? undefined : target), model.window);
}
