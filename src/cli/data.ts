import { Command } from "commander";
import { fetchDataset, listDatasets, SPLITS } from "../data/index.ts";
import { downloadProgress } from "./download-progress.ts";
import type { Io } from "./io.ts";
import { write } from "./io.ts";

const count = (n: number): string => n.toLocaleString("en");

function fetchCommand(io: Io): Command {
  return new Command("fetch")
    .description("download a data set, check it and cut it into its splits; goes on where it was stopped")
    .argument("<name>", 'a name of "heed data list"')
    .option(
      "--dir <folder>",
      "where the data set's own folder goes (default: the cache, $XDG_CACHE_HOME/heed)",
    )
    .option("--url <address>", "another address of the same archive, such as a mirror")
    .action(async (name: string, { dir, url }: { dir?: string; url?: string }) => {
      const shown = downloadProgress(io.stderr);
      const { folder, fetched } = await fetchDataset(name, {
        cacheDir: dir,
        url,
        onProgress: shown.on,
      }).finally(shown.stop);
      const { splits, licence, unit = "rows" } = listDatasets().find((dataset) => dataset.name === name)!;
      const rows = SPLITS.map((split) => `${split} ${count(splits[split].rows)}`).join(", ");
      const verb = fetched ? "fetched and checked" : "already there";
      await write(io.stdout, `${name}: ${verb}; ${rows} ${unit}; ${licence}; ${folder}\n`);
    });
}

function listCommand(io: Io): Command {
  return new Command("list").description("the data sets that can be fetched").action(async () => {
    for (const { name, title, licence, splits, bytes, unit = "rows" } of listDatasets()) {
      const rows = SPLITS.reduce((sum, split) => sum + splits[split].rows, 0);
      const size = `${(bytes / 1e6).toFixed(1)} MB to download`;
      await write(io.stdout, `${name}  ${title}; ${count(rows)} ${unit}, ${size}, ${licence}\n`);
    }
  });
}

/** `heed data`: `fetch <name>` and `list`. */
export function dataCommand(io: Io): Command {
  return new Command("data")
    .description("fetch the data sets that heed's models are trained on")
    .addCommand(fetchCommand(io))
    .addCommand(listCommand(io));
}
