import { Command } from "commander";
import { oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate language-model";
const SPLITS = ["test", "valid"] as const;

interface Flags {
  model?: string;
  data?: string;
  split: (typeof SPLITS)[number];
  json?: boolean;
}

/** `heed evaluate language-model`: bits a character of held-out text. */
export function evaluateLanguageModel(io: Io): Command {
  return new Command("language-model")
    .description("Scores the characters of a held-out text.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option("--data <dir>", "folder with input.txt (default: the fetched data set)")
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--json", "one JSON object")
    .action((flags: Flags) => score(flags, io));
}

async function score(flags: Flags, io: Io): Promise<void> {
  const [task, { bitsPerCharacter }, { readText }, { locateDataset }] = await Promise.all([
    import("../tasks/language-model/files.ts"),
    import("../tasks/language-model/evaluate.ts"),
    import("../tasks/language-model/text.ts"),
    import("../data/locate.ts"),
  ]);
  const { card, model, characters } = await task.loadLanguageModel(flags.model);
  const { length } = card;
  const context = Math.floor(length / 2);
  const text = readText(flags.data ?? locateDataset(card.data.name, { files: ["input.txt"] }), length);
  const begun = performance.now();
  // The numbers of characters are the model's, whichever the text's own would be.
  const ids = characters.encode(NAME, text.characters.decode(text.splits[flags.split]));
  const result = { split: flags.split, ...bitsPerCharacter(model, ids, { length, context }), context };
  const seconds = (performance.now() - begun) / 1000;
  model.dispose();
  if (flags.json) return write(io.stdout, `${JSON.stringify({ ...result, seconds })}\n`);
  const { bits, characters: scored } = result;
  const rest = `${scored} characters with ${context} or more before each, in ${seconds.toFixed(1)} s`;
  await write(io.stdout, `${flags.split}: ${bits.toFixed(3)} bits a character; ${rest}\n`);
}
