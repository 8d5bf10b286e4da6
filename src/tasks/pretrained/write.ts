import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import { safetensorsHead } from "../../core/safetensors.ts";
import { ggufEntries } from "../../models/pretrained/architectures/llama-json.ts";
import { openModelFolder } from "../../models/pretrained/folder.ts";
import { type PublishedModel, type PublishOptions, publishedModel } from "../../models/pretrained/write.ts";
import { checkTransformer } from "../../models/transformer/check-model.ts";
import type { Transformer } from "../../models/transformer/transformer.ts";
import { prepareModelFolder, WEIGHTS } from "../model-folder.ts";
import { BESIDE } from "./beside-weights.ts";
import { ggufTokenizer } from "./gguf-tokenizer.ts";

const OP = "writePretrained";

export interface WritePretrainedOptions extends PublishOptions {
  /** Where the model came from: what stands there beside the weights is copied. @default nothing is */
  readonly from?: string;
  /** Called after each tensor with the share that is written. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Writes a folder as the Hugging Face hub has it, which transformers, `loadModel` and whatever else reads such folders load with
 * the same numbers: model.safetensors under the published names, config.json, and the tokenizer of where it came from. Tensors
 * are written one at a time; all files are there at the end, or those that were there before.
 *
 * @param of what `loadModel` gave, or a model with its config.json (`{}` for a Llama that came as GGUF or was made here)
 * @throws FileError UNWRITABLE, MISSING · OptionError OPTION, NOT_FINITE · DataError UNSUPPORTED
 * @example
 * const pretrained = await loadModel("my-model");
 * await writePretrained("my-model-in-half", pretrained, { from: "my-model", dtype: "F16" });
 * pretrained.dispose();
 */
export async function writePretrained(
  folder: string,
  { model, config }: { readonly model: Transformer; readonly config: Readonly<Record<string, unknown>> },
  { from, onProgress, signal, ...options }: WritePretrainedOptions = {},
): Promise<void> {
  checkTransformer(OP, model, "the model of { model, config }");
  const source = from === undefined ? undefined : await openBeside(from);
  const published = publishedModel(model, { ...source?.entries, ...config }, options);
  const isNew = !existsSync(folder);
  prepareModelFolder(OP, folder);
  const made: string[] = [];
  const temporary = (name: string) => {
    if (!made.includes(name)) made.push(name);
    return path.join(folder, `.${name}.tmp`);
  };
  try {
    await writeWeights(temporary(WEIGHTS), published, onProgress, signal);
    writeFileSync(temporary("config.json"), `${JSON.stringify(published.config, null, 2)}\n`);
    for (const { name, file, json } of source?.files ?? []) {
      if (file === undefined) writeFileSync(temporary(name), JSON.stringify(json));
      else if (path.resolve(file) !== path.resolve(folder, name)) copyFileSync(file, temporary(name));
    }
    for (const name of made) renameSync(temporary(name), path.join(folder, name));
  } catch (error) {
    for (const name of made) rmSync(temporary(name), { force: true });
    if (isNew) rmSync(folder, { recursive: true, force: true });
    throw (error as { syscall?: string }).syscall === undefined ? error : unwritable(folder, error);
  }
}

function unwritable(folder: string, cause: unknown): FileError<"UNWRITABLE"> {
  const fault = { op: OP, rule: `${folder} must take the files of the model`, got: fileReason(cause) };
  return new FileError("UNWRITABLE", { ...fault, remedy: "make room, or name another folder" }, { cause });
}

async function writeWeights(
  file: string,
  { tensors, metadata, tensor }: PublishedModel,
  onProgress: ((share: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { header, order } = safetensorsHead(tensors, metadata);
  const descriptor = openSync(file, "w");
  try {
    writeWhole(descriptor, header);
    for (const [n, name] of order.entries()) {
      signal?.throwIfAborted();
      const { data } = tensor(name);
      writeWhole(descriptor, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      onProgress?.((n + 1) / order.length);
      // A signal comes between two tensors.
      await setImmediate();
    }
  } finally {
    closeSync(descriptor);
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

interface Source {
  /** What the file says that its model does not know. */
  readonly entries: Record<string, unknown>;
  readonly files: readonly { name: string; file?: string; json?: unknown }[];
}

async function openBeside(from: string): Promise<Source> {
  const { checkpoint, folder } = await openModelFolder(from);
  try {
    const beside = BESIDE.map((name) => ({ name, file: path.join(folder, name) }));
    const files: Source["files"] = beside.filter(({ file }) => existsSync(file));
    if (checkpoint.format !== "gguf") return { entries: {}, files };
    const own = ggufFiles(checkpoint.metadata);
    const others = files.filter(({ name }) => !own.some((one) => one.name === name));
    return { entries: ggufEntries(checkpoint.metadata), files: [...own, ...others] };
  } finally {
    await checkpoint.close();
  }
}

/** The tokenizer within a GGUF file, as transformers reads it. */
function ggufFiles(metadata: ReadonlyMap<string, unknown>): Source["files"] {
  const own = ggufTokenizer(metadata);
  if (!own) return [];
  const tokens = metadata.get("tokenizer.ggml.tokens") as readonly string[];
  const named = ["bos", "eos"].flatMap((which) => {
    const token = tokens[metadata.get(`tokenizer.ggml.${which}_token_id`) as number];
    return token === undefined ? [] : [[`${which}_token`, token] as const];
  });
  const config = { ...own.config, ...Object.fromEntries(named), tokenizer_class: "PreTrainedTokenizerFast" };
  return [
    { name: "tokenizer.json", json: completed(own.tokenizer) },
    { name: "tokenizer_config.json", json: config },
  ];
}

/** Entries that tokenizers in Rust ask for where others take their defaults; merges as lines, which its older versions want. */
function completed(tokenizer: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { merges, ...model } = tokenizer.model as { merges?: readonly (string | readonly string[])[] };
  const added = (tokenizer.added_tokens as readonly object[]).map((token) => {
    return { single_word: false, lstrip: false, rstrip: false, normalized: false, ...token };
  });
  const lines = merges?.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
  return {
    ...{ truncation: null, padding: null, ...tokenizer },
    added_tokens: added,
    model: { ...model, ...(lines && { merges: lines }) },
  };
}
