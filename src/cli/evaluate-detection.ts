import { Command } from "commander";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate detection";
const SPLITS = ["test", "valid"] as const;
const MOST_SCENES = 100_000;

interface Flags {
  model?: string;
  data?: string;
  split: (typeof SPLITS)[number];
  scenes?: number;
  json?: boolean;
}

/** `heed evaluate detection`: the figures of a model's card, made again. */
export function evaluateDetection(io: Io): Command {
  return new Command("detection")
    .description("Finds the items of scenes that are composed of a split, and counts what is right.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option(
      "--data <dir>",
      "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    )
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option(
      "--scenes <n>",
      "scenes, always the same ones (default: as many as the card's)",
      wholeNumber(NAME, "--scenes", 1, MOST_SCENES, "try --scenes 500"),
    )
    .option("--json", "one JSON object")
    .action((flags: Flags) => score(flags, io));
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

async function score(flags: Flags, io: Io): Promise<void> {
  const [{ loadDetector }, { evaluate }, { checkItems, readItemPools }, { locateImages }] = await Promise.all(
    [
      import("../tasks/detection/files.ts"),
      import("../tasks/detection/evaluate.ts"),
      import("../tasks/scenes/item-pool.ts"),
      import("../data/labelled-images.ts"),
    ],
  );
  const detector = await loadDetector(flags.model);
  try {
    const { labels, data, training } = detector.card;
    const pools = readItemPools(locateImages(data.name, flags.data ? { dir: flags.data } : {}));
    const items = pools[flags.split];
    checkItems(NAME, labels, items);
    const result = evaluate(detector, items, flags.scenes ?? training.recipe.testScenes);
    if (flags.json) return await write(io.stdout, `${JSON.stringify(result)}\n`);
    const { scenes, precision, precisions, exact, attentionInside, seconds } = result;
    const told = [
      `AP50 ${precision.toFixed(3)}`,
      `scenes with all items and no other ${percent(exact)}`,
      `attention inside the query's box ${percent(attentionInside)}`,
      `${result.items} items of ${scenes} scenes in ${seconds.toFixed(1)} s`,
    ];
    const each = precisions.map((of, label) => `${labels[label]} ${of.toFixed(3)}`).join(", ");
    await write(io.stdout, `${flags.split}: ${told.join("; ")}\n${each}\n`);
  } finally {
    detector.dispose();
  }
}
