import { copyFileSync, existsSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import type { Transformer } from "../models/transformer/index.ts";
import type { OnnxOptions } from "../onnx/index.ts";
import { BESIDE } from "../tasks/pretrained/beside-weights.ts";
import { oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed export";
const FORMATS = ["onnx"] as const;
const ATTENTIONS = ["operator", "plain"] as const;
interface Flags {
  out: string;
  format: (typeof FORMATS)[number];
  attention: (typeof ATTENTIONS)[number];
  json?: boolean;
}

interface Written {
  file: string;
  bytes: number;
}

const HELP = `
MODEL is a folder as the Hugging Face hub has it, or a file of weights. The weights are float32 and stand in the file; names
of inputs and outputs are Optimum's, and the folder is laid out for transformers.js: DIR/config.json, DIR/tokenizer.json and
DIR/onnx/model.onnx, or for a model with encoder and decoder encoder_model.onnx and decoder_model_merged.onnx.

  heed export all-minilm-l6-v2 --out minilm-onnx
  heed export smollm2.gguf --out smollm2-onnx --attention plain   # for an onnxruntime before 1.23
`;

/** `heed export MODEL --out DIR`: a published model as other engines read it. */
export function exportCommand(io: Io): Command {
  return new Command("export")
    .description("Writes a published model as other engines read it.")
    .argument("<model>", "a folder with config.json and weights, or a file of weights")
    .requiredOption("--out <dir>", "the folder that the files go to")
    .option("--format <name>", FORMATS.join(", "), oneOf(NAME, "--format", FORMATS), "onnx")
    .option(
      "--attention <how>",
      "as ONNX's operator of version 23, or plain: as products and softmax of version 20",
      oneOf(NAME, "--attention", ATTENTIONS),
      "operator",
    )
    .option("--json", "the files that were written, as one object")
    .addHelpText("after", HELP)
    .action((model: string, flags: Flags) => exportModel(model, flags, io));
}

async function exportModel(place: string, { out, attention, json }: Flags, io: Io): Promise<void> {
  const [{ useHeedBackend }, { openModelFolder }, { loadPretrained }] = await Promise.all([
    import("../host/select.ts"),
    import("../models/pretrained/folder.ts"),
    import("../models/pretrained/load.ts"),
  ]);
  const { prepareModelFolder } = await import("../tasks/model-folder.ts");
  const { checkpoint, config, folder } = await openModelFolder(place);
  try {
    prepareModelFolder(NAME, path.join(out, "onnx"));
    await useHeedBackend();
    const model = await loadPretrained(checkpoint, config, shareShown(io));
    const written: Written[] = [];
    try {
      for await (const one of files(model, { config, out, attention })) written.push(one);
    } finally {
      model.dispose();
    }
    const copied = copyBeside(folder, out);
    if (json) return await write(io.stdout, `${JSON.stringify({ files: written, copied })}\n`);
    for (const { file, bytes } of written) {
      await write(io.stdout, `${file}  ${(bytes / 1e6).toFixed(1)} MB\n`);
    }
  } finally {
    await checkpoint.close();
  }
}

/** Loading, on a terminal: a line that tells how much is read. */
function shareShown({ stderr }: Io): { onProgress?: (share: number) => void } {
  if (!stderr.isTTY) return {};
  const onProgress = (share: number) =>
    void stderr.write(`\r\u001b[K${share < 1 ? `reading ${(100 * share).toFixed(0)} %` : ""}`);
  return { onProgress };
}

/** Makes and writes one file after the other, so that two are never in memory. */
async function* files(
  model: Transformer,
  {
    config,
    out,
    attention,
  }: { config: Readonly<Record<string, unknown>>; out: string; attention: Flags["attention"] },
): AsyncGenerator<Written> {
  const { exportOnnx, onnxFiles } = await import("../onnx/index.ts");
  const { writeFiles } = await import("../tasks/model-folder.ts");
  const folder = path.join(out, "onnx");
  for (const { name, part } of onnxFiles(model)) {
    const options: OnnxOptions = { attention, ...(part && { part }), ...imageOf(config) };
    const bytes = exportOnnx(model, options);
    writeFiles(folder, { [name]: bytes });
    yield { file: path.join(folder, name), bytes: bytes.length };
  }
}

/** How a ViT's images are cut. */
function imageOf(config: Readonly<Record<string, unknown>>): Pick<OnnxOptions, "image"> {
  if (config.model_type !== "vit") return {};
  const { patch_size: patchSize, num_channels: channels = 3 } = config as Record<string, number>;
  return { image: { patchSize: patchSize!, channels } };
}

/** Copies what stands beside the weights; the names of what was there. */
function copyBeside(from: string, out: string): string[] {
  const there = ["config.json", ...BESIDE].filter((name) => existsSync(path.join(from, name)));
  if (path.resolve(from) === path.resolve(out)) return there;
  for (const name of there) copyFileSync(path.join(from, name), path.join(out, name));
  return there;
}
