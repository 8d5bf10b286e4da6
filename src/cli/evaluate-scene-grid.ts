import { Command } from "commander";
import { oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate scene-grid";
const SPLITS = ["test", "valid"] as const;

interface Flags {
  model: string;
  data?: string;
  split: (typeof SPLITS)[number];
  json?: boolean;
}

/** `heed evaluate scene-grid`: the figures of a grid's card, made again. */
export function evaluateSceneGrid(io: Io): Command {
  return new Command("scene-grid")
    .description("Counts the items of scenes whose class the cells of a grid name.")
    .option("--model <dir>", "folder of the grid, or the name of one that ships", "scene-grid")
    .option(
      "--data <dir>",
      "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    )
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--json", "one JSON object")
    .action((flags: Flags) => score(flags, io));
}

async function score(flags: Flags, io: Io): Promise<void> {
  const [{ readGrid }, { evaluateGrid }, { readItemPools }, { locateImages }, { useHeedBackend }] =
    await Promise.all([
      import("../tasks/scenes/grid/files.ts"),
      import("../tasks/scenes/grid/evaluate.ts"),
      import("../tasks/scenes/item-pool.ts"),
      import("../data/labelled-images.ts"),
      import("../host/select.ts"),
    ]);
  await useHeedBackend();
  const { grid, card } = readGrid(flags.model);
  try {
    const pools = readItemPools(locateImages(card.data.name, flags.data ? { dir: flags.data } : {}));
    const result = evaluateGrid(grid, pools[flags.split], card.training.recipe.testScenes);
    const { scenes, items, accuracy } = result;
    const told = `${flags.split}: accuracy ${(100 * accuracy).toFixed(1)} % of ${items} items in ${scenes} scenes`;
    await write(io.stdout, `${flags.json ? JSON.stringify(result) : told}\n`);
  } finally {
    grid.dispose();
  }
}
