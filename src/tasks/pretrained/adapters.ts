/** Folders of adapters, as PEFT has them. */
import { existsSync } from "node:fs";
import path from "node:path";
import { fileBytes } from "../../checkpoints/file-bytes.ts";
import { openCheckpoint } from "../../checkpoints/open.ts";
import { FileError } from "../../core/errors.ts";
import { LoraAdapter } from "../../models/adapters/lora.ts";
import { readJsonObject } from "../../models/pretrained/json-file.ts";
import type { Transformer } from "../../models/transformer/transformer.ts";
import { writeFiles } from "../model-folder.ts";

const OP = "loadAdapter";
const CONFIG = "adapter_config.json";
const WEIGHTS = ["adapter_model.safetensors", "adapter_model.bin"];

/** A model and the config.json that it was loaded with. */
interface Base {
  readonly model: Transformer;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Reads an adapter that PEFT wrote, or `writeAdapter`. Several may be read for one base; that which is to work is assigned to
 * `model.adapter`.
 *
 * @throws FileError MISSING, UNREADABLE · DataError DAMAGED, UNSUPPORTED, FORMAT, MISMATCH, MISSING
 * @example
 * const base = await loadModel("my-model");
 * const adapter = LoraAdapter.start(base.model, base.config, { r: 2 });
 * writeAdapter("my-adapter", adapter, { base: "my-model" });
 * base.model.adapter = await loadAdapter("my-adapter", base);
 */
export async function loadAdapter(folder: string, { model, config }: Base): Promise<LoraAdapter> {
  const json = readJsonObject(OP, path.join(folder, CONFIG));
  const weights = WEIGHTS.map((name) => path.join(folder, name)).find((file) => existsSync(file));
  if (!json || !weights) {
    const rule = `an adapter's folder must have ${CONFIG} and ${WEIGHTS.join(" or ")}`;
    const got = `no ${json ? "weights" : CONFIG} in ${folder}`;
    throw new FileError("MISSING", { op: OP, rule, got, remedy: "check the folder's name" });
  }
  const checkpoint = await openCheckpoint(await fileBytes(weights));
  try {
    return await LoraAdapter.read(checkpoint, json, model, config);
  } finally {
    await checkpoint.close();
  }
}

/**
 * Writes an adapter as PEFT reads it.
 *
 * @param base the name or folder of its base, which adapter_config.json is to say
 */
export function writeAdapter(folder: string, adapter: LoraAdapter, options: { base?: string } = {}): void {
  writeFiles(folder, adapter.encode(options));
}
