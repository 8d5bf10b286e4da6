import { Command } from "commander";
import { UsageError } from "../core/errors.ts";
import type { Trace } from "../inspect/index.ts";
import type { PretrainedModel } from "../tasks/pretrained/model.ts";
import type { RemarkableHead } from "../tasks/pretrained/remarkable.ts";
import { terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { idList, oneOf, wrongFlag } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { PictureFiles } from "./pictures.ts";
import { COLORS } from "./translation-output.ts";

const NAME = "heed look";
/** A text in which heads show what they do: words come again, and a name is taken up. */
const TEXT = "Anna gave the book to Tom, and then Tom gave the book to Mary.";
const MOST_DRAWN = 3;

interface Flags {
  ids?: number[];
  head?: [layer: number, head: number];
  json?: boolean;
  trace?: string;
  color?: (typeof COLORS)[number];
}

const HELP = `
MODEL is a folder as the Hugging Face hub has it (config.json, model.safetensors or pytorch_model.bin, tokenizer.json), or
a file of weights beside these; a GGUF file may stand alone. OWNER/NAME is a model that "heed models fetch OWNER/NAME"
brought. Nothing of a file is run.

A model of pictures (vit) reads a PNG or JPEG file in place of text.

  heed look all-minilm-l6-v2 "The cat sat on the mat."
  heed look all-minilm-l6-v2 --head 3.5 --json "The cat sat."
  heed look all-minilm-l6-v2 --trace cat.attn "The cat sat."   # then: heed show, svg, png, html cat.attn
`;

/** `heed look MODEL [text…]`: what every head of a published model looks at. */
export function lookCommand(io: Io): Command {
  return new Command("look")
    .description("Runs a published model and shows the heads that are worth a look.")
    .argument("<model>", "a folder with config.json and weights, a file of weights, or OWNER/NAME")
    .argument(
      "[text...]",
      "what the model reads; several words are one text (default: a sentence that shows habits); of a model of pictures the file of one",
    )
    .option("--ids <list>", "token ids instead of text: 1,2,3", idList(NAME))
    .option("--head <layer.head>", "one head, both from 0: 3.5", headOf)
    .option(
      "--json",
      "the remarkable heads, or with --head its {tokens, layer, head, weights}, as one object",
    )
    .option("--trace <file>", "also write every head, for heed show, svg, png and html")
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .addHelpText("after", HELP)
    .action((model: string, words: string[], flags: Flags) => lookAt(model, words.join(" "), flags, io));
}

function headOf(text: string): [number, number] {
  const found = /^(\d+)\.(\d+)$/.exec(text);
  if (found) return [Number(found[1]), Number(found[2])];
  throw new UsageError(
    "USAGE",
    wrongFlag(NAME, "--head", "a layer and a head with a dot between", text, "try --head 0.0"),
  );
}

async function lookAt(place: string, text: string, flags: Flags, io: Io): Promise<void> {
  const { ids, head, color = "auto" } = flags;
  if (ids && text !== "") {
    const fault = {
      op: NAME,
      rule: "--ids stand instead of text",
      got: "both",
      remedy: "leave one of them out",
    };
    throw new UsageError("USAGE", { ...fault, flag: "--ids" });
  }
  const file = flags.trace === undefined ? undefined : new PictureFiles(flags.trace, NAME, "trace");
  const [{ loadModel }, { remarkableHeads }, { layerMap, writeTrace }, { showTrace }] = await Promise.all([
    import("../tasks/pretrained/model.ts"),
    import("../tasks/pretrained/remarkable.ts"),
    import("../inspect/index.ts"),
    import("../views/index.ts"),
  ]);
  const model = await loadModel(place);
  try {
    const { read, trace } = await look(model, text, ids);
    file?.add(writeTrace(trace));
    file?.finish();
    const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
    if (head) {
      const [layer, number] = head;
      const map = trace.layers[layer] && layerMap(trace.layers[layer]);
      if (!map || number >= map.H) {
        const { length } = trace.layers;
        const rule = `a layer below ${length} and a head below ${layerMap(trace.layers[0]!).H}`;
        const wrong = wrongFlag(NAME, "--head", rule, head.join("."), "try --head 0.0");
        throw new UsageError("USAGE", wrong);
      }
      const weights = Array.from({ length: map.T }, (_, t) => Array.from(map.row(number, t).values));
      const shown = flags.json
        ? JSON.stringify({ tokens: read.tokens, layer, head: number, weights })
        : showTrace(trace, { layer, head: number, ...terminal });
      return await write(io.stdout, `${shown}\n`);
    }
    const heads = remarkableHeads(trace);
    if (flags.json) return await write(io.stdout, `${JSON.stringify({ ...read, heads })}\n`);
    await write(io.stdout, `${table(heads)}\n`);
    for (const { layer, head: number, does } of distinct(heads).slice(0, MOST_DRAWN)) {
      const title = `layer ${layer} head ${number} ${does}`;
      await write(io.stdout, `\n${title}\n${showTrace(trace, { layer, head: number, ...terminal })}\n`);
    }
  } finally {
    model.dispose();
  }
}

/** What was read, as `--json` tells it, and what every head looked at. */
async function look(
  model: PretrainedModel,
  text: string,
  given: number[] | undefined,
): Promise<{ read: { tokens: readonly string[]; ids?: readonly number[]; picture?: string }; trace: Trace }> {
  if (!model.readsPictures) {
    const read = given ? { ids: given, tokens: given.map(String) } : model.encode(text || TEXT);
    return { read, trace: model.look(read) };
  }
  if (given || text === "") {
    const remedy = "name a PNG or JPEG file";
    const got = given ? "--ids" : "none";
    throw new UsageError("USAGE", {
      op: NAME,
      rule: "a model of pictures reads the file of one",
      got,
      remedy,
    });
  }
  const { readPicture } = await import("../data/pictures/index.ts");
  const trace = model.lookAtPicture(await readPicture(text));
  return { read: { picture: text, tokens: Object.values(trace.tokens)[0]! }, trace };
}

/** The first habit of each head. */
function distinct(heads: readonly RemarkableHead[]): RemarkableHead[] {
  return heads.filter(
    ({ layer, head }, n) => heads.findIndex((one) => one.layer === layer && one.head === head) === n,
  );
}

/** A line for each head: which, what it does, how much. */
function table(heads: readonly RemarkableHead[]): string {
  const rows = heads.map(({ layer, head, does, share }) => [
    `layer ${layer} head ${head}`,
    does,
    `${(100 * share).toFixed(0)} % of its weight`,
  ]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
  return rows
    .map(([where, does, share]) => `${where!.padEnd(width(0))}  ${does!.padEnd(width(1))}  ${share}`)
    .join("\n");
}
