import { Command } from "commander";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate translation";
const SPLITS = ["test", "valid"] as const;

interface Flags {
  model?: string;
  data?: string;
  split: (typeof SPLITS)[number];
  beam?: number;
  json?: boolean;
}

/** `heed evaluate translation`: the figures of a model's card, made again. */
export function evaluateTranslation(io: Io): Command {
  return new Command("translation")
    .description("Translates a split and scores it as sacreBLEU does.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option("--data <dir>", "folder with the splits (default: the fetched data set)")
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--beam <n>", "candidates kept at each word", wholeNumber(NAME, "--beam", 1, 64, "try --beam 5"))
    .option("--json", "one JSON object")
    .action((flags: Flags) => score(flags, io));
}

async function score(flags: Flags, io: Io): Promise<void> {
  const { DEFAULT_MODEL, loadTranslator } = await import("../tasks/translation/translator.ts");
  const translator = await loadTranslator(flags.model ?? DEFAULT_MODEL);
  const { locateDataset } = await import("../data/locate.ts");
  const { readReferenced } = await import("../tasks/translation/corpus.ts");
  const { evaluate } = await import("../tasks/translation/evaluate.ts");
  const folder = locateDataset(translator.card.data.name, flags.data ? { dir: flags.data } : {});
  const result = evaluate(
    translator,
    readReferenced(folder, flags.split),
    flags.beam ? { beam: flags.beam } : {},
  );
  translator.dispose();
  if (flags.json) return write(io.stdout, `${JSON.stringify(result)}\n`);
  const { sources, bleu, chrf, exact, seconds, signatures } = result;
  const scores = `BLEU ${bleu.toFixed(2)}, chrF ${chrf.toFixed(2)}, exact ${(100 * exact).toFixed(1)} %`;
  await write(
    io.stdout,
    `${flags.split}: ${scores}; ${sources} sentences in ${seconds.toFixed(1)} s\n${signatures.join("\n")}\n`,
  );
}
