import { Command, Option } from "commander";
import { UsageError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import type { ContinueOptions } from "../tasks/pretrained/continue-text.ts";
import { idList, numberFrom, wholeNumber } from "./flags.ts";
import { Exit, type Io, write } from "./io.ts";

const NAME = "heed generate";
const MOST_TOKENS = 2 ** 20;
const MOST_TOP = 2 ** 24;
/** Logits of `--json`. */
const TOP = 10;
/** What shells say of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

interface Flags {
  ids?: number[];
  maxTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  seed?: number;
  stop?: string[];
  json?: boolean;
}

const HELP = `
MODEL is a folder as the Hugging Face hub has it (config.json, weights, tokenizer.json, generation_config.json), or a file of
weights beside these; a GGUF file may stand alone. What follows the prompt is written as it comes; Ctrl-C stops it. A model
with an encoder and a decoder (T5, Marian) reads the prompt with the encoder. Of the model's own settings the end tokens,
lengths, do_sample, temperature, top_k, top_p, repetition_penalty, and single bad_words_ids count; others are named and
not done. Weights stay as small as the file has them.

  heed generate SmolLM2.gguf "The sun rises in the"
  heed generate smollm --temperature 0.8 --seed 7 --max-tokens 40 --stop "." "Once upon a time"
  heed generate SmolLM2.gguf --ids 1,504,2388 --json
`;

/** `heed generate MODEL [prompt]`: what a published model writes after a prompt. */
export function generateCommand(io: Io): Command {
  const stop = (text: string, before: string[] = []) => [...before, text];
  return new Command("generate")
    .description("Continues a text with a published model.")
    .argument("<model>", "a folder with config.json and weights, or a file of weights")
    .argument("[prompt...]", "what the model continues; several words are one text")
    .option("--ids <list>", "token ids instead of a prompt: 1,2,3", idList(NAME))
    .option(
      "--max-tokens <n>",
      "tokens to write at most (default: what the model's settings say, else 128)",
      wholeNumber(NAME, "--max-tokens", 1, MOST_TOKENS, "try --max-tokens 40"),
    )
    .option(
      "--temperature <x>",
      "divides the logits; 0 takes the likeliest token (default: the model's settings, else 0)",
      numberFrom(NAME, "--temperature", 0, 1000, "try --temperature 0.8"),
    )
    .option(
      "--top-k <n>",
      "only the k likeliest tokens",
      wholeNumber(NAME, "--top-k", 1, MOST_TOP, "try --top-k 40"),
    )
    .option(
      "--top-p <x>",
      "only the likeliest tokens that together have this share",
      numberFrom(NAME, "--top-p", 0, 1, "try --top-p 0.9"),
    )
    .option(
      "--seed <n>",
      "chooses the tokens, where they are drawn (default: 0)",
      wholeNumber(NAME, "--seed", 0, 2 ** 24 - 1, "try --seed 1"),
    )
    .addOption(
      new Option("--stop <text>", "ends the text before this one; may be given again").argParser(stop),
    )
    .option(
      "--json",
      `{prompt, ids, text, top} as one object; top has the ${TOP} largest logits after the prompt`,
    )
    .addHelpText("after", HELP)
    .action((model: string, words: string[], flags: Flags) =>
      generateText(model, words.join(" "), flags, io),
    );
}

async function generateText(place: string, text: string, flags: Flags, io: Io): Promise<void> {
  const prompt = promptOf(text, flags.ids);
  const [{ loadModel }, { continueText }] = await Promise.all([
    import("../tasks/pretrained/model.ts"),
    import("../tasks/pretrained/continue-text.ts"),
  ]);
  const model = await loadModel(place, { weights: "stored" });
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  // From here on there is something to keep; before it the signal's default ends the process at once.
  process.once("SIGINT", stop);
  try {
    const { ignored } = model.settings;
    if (ignored.length > 0)
      io.stderr.write(
        `${NAME}: the model's settings ask for ${escapeControls(ignored.join(", "))}, which is not done\n`,
      );
    const written = { ids: [] as number[], text: "", top: [] as [id: number, logit: number][] };
    const options = optionsOf(flags, (logits) => {
      if (flags.json) written.top = largest(logits, TOP);
    });
    for (const { id, text: added } of continueText(model, prompt, options)) {
      const isFirst = written.ids.length === 0;
      if (id !== undefined) written.ids.push(id);
      written.text += added;
      const shown = model.tokenizer ? added : `${isFirst ? "" : ","}${id}`;
      if (!flags.json) await write(io.stdout, shown);
      // Signals are heard between tokens.
      await new Promise((resolve) => setImmediate(resolve));
      if (isStopped) break;
    }
    const object = { prompt, ...written, ...(!model.tokenizer && { text: null }) };
    await write(io.stdout, flags.json ? `${JSON.stringify(object)}\n` : "\n");
  } finally {
    process.off("SIGINT", stop);
    model.dispose();
  }
  if (isStopped) throw new Exit(INTERRUPTED);
}

function promptOf(text: string, ids: number[] | undefined): string | number[] {
  if (ids === undefined && text !== "") return text;
  if (ids !== undefined && text === "") return ids;
  throw new UsageError("USAGE", {
    op: NAME,
    rule: "there must be a prompt, or --ids instead",
    got: ids === undefined ? "none" : "both",
    remedy: ids === undefined ? "quote the text to continue" : "leave one of them out",
    flag: "--ids",
  });
}

function optionsOf(
  { maxTokens, temperature, topK, topP, seed, stop }: Flags,
  onLogits: (logits: Float32Array) => void,
): ContinueOptions {
  return {
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    ...(seed !== undefined && { seed }),
    ...(stop && { stop }),
    onLogits,
  };
}

/** The largest logits, largest first; of equal ones the smaller id. */
function largest(logits: Float32Array, count: number): [id: number, logit: number][] {
  const ids = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  return ids.slice(0, count).map((id) => [id, logits[id]!]);
}
