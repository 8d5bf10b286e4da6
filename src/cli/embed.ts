import { Command } from "commander";
import { HeedError } from "../core/errors.ts";
import type { Embedder, Embedding } from "../tasks/pretrained/embedder.ts";
import { POOLINGS, type Pooling } from "../tasks/pretrained/pooling.ts";
import { oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { LineInput } from "./line-input.ts";
import { MOST_COMPARED, Similarities } from "./similarities.ts";

const NAME = "heed embed";
/** Lines embedded together: enough for full batches of texts of one length, few enough to see progress. */
const LINES_PER_BATCH = 128;
/** Digits that tell any two float32 apart. */
const DIGITS = 9;

interface Flags {
  json?: boolean;
  pooling?: Pooling;
  normalize: boolean;
}

const HELP = `
MODEL is a folder as the Hugging Face hub has it (config.json, model.safetensors or pytorch_model.bin, tokenizer.json), or
a file of weights beside these. Each argument is one text: quote it. Without any, texts are read from standard input, one a
line. An empty line is embedded like any other.

How the states of a text's tokens become its embedding is as the files of sentence-transformers in the folder say:
modules.json, 1_Pooling (${POOLINGS.join(", ")}), 2_Dense, 2_Normalize, and the longest text of
sentence_bert_config.json. Without modules.json the mean is taken and brought to length 1, as all-MiniLM-L6-v2 does.
A text that is longer than the model takes is cut at its end, and standard error says so.

Without --json the embeddings themselves are not printed: a table shows how much alike the texts are (the cosine of their
embeddings, 1 for the same), or, where they are too many for one, the nearest other text of each; at most ${MOST_COMPARED} texts.

  heed embed all-minilm-l6-v2 "The cat sat." "A cat was sitting." "Stocks fell."
  heed embed all-minilm-l6-v2 --json < texts.txt > embeddings.jsonl
`;

/** `heed embed MODEL [text…]`: each text as a vector. */
export function embedCommand(io: Io): Command {
  return new Command("embed")
    .description("Turns texts into vectors, and shows how much alike they are.")
    .argument("<model>", "a folder with config.json and weights, or a file of weights")
    .argument("[text...]", "texts; standard input, one a line, when there are none")
    .option(
      "--json",
      "one object a line: text, ids, embedding; cut, the tokens left out, where the text is too long; " +
        "of a text without a token the embedding is null",
    )
    .option(
      "--pooling <way>",
      `${POOLINGS.join(", ")} (default: as the model's files say, or mean)`,
      oneOf(NAME, "--pooling", POOLINGS),
    )
    .option("--no-normalize", "leave embeddings as long as they are")
    .addHelpText("after", HELP)
    .action((model: string, texts: string[], flags: Flags) => embedTexts(model, texts, flags, io));
}

async function embedTexts(place: string, texts: string[], flags: Flags, io: Io): Promise<void> {
  const input = new LineInput(NAME, io, texts, {
    prompt: "Type a text and press Enter; Ctrl-D ends.",
  });
  const { loadEmbedder } = await import("../tasks/pretrained/embedder.ts");
  const { pooling, normalize } = flags;
  const embedder = await loadEmbedder(place, { pooling, ...(!normalize && { normalize }) });
  const similarities = flags.json ? undefined : new Similarities(NAME);
  let line = 0;
  try {
    for await (const lines of input.batches(LINES_PER_BATCH)) {
      const embeddings = embedLines(embedder, lines, (at, message) =>
        io.stderr.write(`${NAME}: text ${line + at + 1} ${message}\n`),
      );
      line += lines.length;
      for (const [n, text] of lines.entries()) similarities?.add(text, embeddings[n]?.embedding);
      if (flags.json) await write(io.stdout, lines.map((text, n) => jsonLine(text, embeddings[n])).join(""));
    }
  } finally {
    embedder.dispose();
  }
  input.finish("texts");
  if (similarities) {
    await write(io.stdout, similarities.text(io.stdout.columns));
    io.stderr.write(`${NAME}: ${howMade(embedder)}\n`);
  }
}

/** How embeddings were made, and who said so. */
function howMade({ poolings, isNormalized, hasFiles }: Embedder): string {
  const how = `${poolings.join(" and ")} pooling, ${isNormalized ? "brought to length 1" : "of any length"}`;
  return `${how}; the model ${hasFiles ? "has" : "has no"} modules.json`;
}

/** The embeddings of lines; what is wrong with one, or was cut, is said, and the others go on. */
function embedLines(
  embedder: Embedder,
  lines: readonly string[],
  say: (at: number, message: string) => void,
): (Embedding | undefined)[] {
  const read = lines.map((text, at) => {
    try {
      const input = embedder.encode(text);
      if (input.cut > 0) say(at, `is too long: the last ${input.cut} of its tokens were left out`);
      return input;
    } catch (error) {
      // Without a tokenizer no line can be read.
      if (!(error instanceof HeedError) || error.code === "MISSING") throw error;
      say(at, `was not embedded: ${error.message}`);
      return undefined;
    }
  });
  const sound = read.filter((input) => input !== undefined);
  const embedded = embedder.embed(sound.map(({ ids }) => ids));
  let next = 0;
  return read.map((input) => input && { ...embedded[next++]!, ...input });
}

function jsonLine(text: string, found: Embedding | undefined): string {
  const { ids = [], cut = 0, embedding } = found ?? {};
  const numbers = embedding ? Array.from(embedding, (value) => Number(value.toPrecision(DIGITS))) : null;
  return `${JSON.stringify({ text, ids, ...(cut > 0 && { cut }), embedding: numbers })}\n`;
}
