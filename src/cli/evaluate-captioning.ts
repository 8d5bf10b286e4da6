import { Command } from "commander";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate captioning";
const SPLITS = ["test", "valid"] as const;
const MOST_SCENES = 1_000_000;

interface Flags {
  model?: string;
  data?: string;
  split: (typeof SPLITS)[number];
  scenes?: number;
  beam?: number;
  json?: boolean;
}

/** `heed evaluate captioning`: the figures of a model's card, made again. */
export function evaluateCaptioning(io: Io): Command {
  return new Command("captioning")
    .description("Captions scenes of held-out items and counts what is right.")
    .option("--model <dir>", "name or folder of the model (default: the one that ships with heed)")
    .option(
      "--data <dir>",
      "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    )
    .option("--split <name>", "items of test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option(
      "--scenes <n>",
      "how many scenes (default: the card's)",
      wholeNumber(NAME, "--scenes", 1, MOST_SCENES, "try --scenes 500"),
    )
    .option(
      "--beam <n>",
      "captions kept at each word (default: the card's)",
      wholeNumber(NAME, "--beam", 1, 64, "try --beam 1"),
    )
    .option("--json", "one JSON object")
    .action((flags: Flags) => score(flags, io));
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

async function score({ model, data, split, scenes, beam, json }: Flags, io: Io): Promise<void> {
  const [{ loadCaptioner }, { evaluate }, { readItemPools }, { locateImages }] = await Promise.all([
    import("../tasks/captioning/files.ts"),
    import("../tasks/captioning/evaluate.ts"),
    import("../tasks/scenes/item-pool.ts"),
    import("../data/labelled-images.ts"),
  ]);
  const captioner = await loadCaptioner(model);
  const { card } = captioner;
  const pools = readItemPools(locateImages(card.data.name, data === undefined ? {} : { dir: data }));
  const count = scenes ?? card.training.recipe.testScenes;
  const { seconds, ...scores } = evaluate(captioner, pools[split], count, beam === undefined ? {} : { beam });
  captioner.dispose();
  if (json) return write(io.stdout, `${JSON.stringify({ split, ...scores, seconds })}\n`);
  const { exact, exactByItems, massInside, phraseInside, nouns, unevenness } = scores;
  const byItems = exactByItems.flatMap((share, n) => (share >= 0 ? [`${n + 1}: ${percent(share)}`] : []));
  await write(
    io.stdout,
    `${split}: exact captions ${percent(exact)} of ${count} scenes in ${seconds.toFixed(1)} s; ` +
      `by the number of items ${byItems.join(", ")}\n` +
      `${percent(massInside)} of a noun's map inside its item, ${percent(phraseInside)} of what "a" and the noun read, ` +
      `over ${nouns} nouns that are right; unevenness ${unevenness.toFixed(2)}\n`,
  );
}
