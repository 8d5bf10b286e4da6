import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import { fileBytes } from "../../checkpoints/file-bytes.ts";
import { openCheckpoint } from "../../checkpoints/open.ts";
import { openSharded, parseIndex } from "../../checkpoints/sharded.ts";
import { FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import { locateModel } from "../../data/locate-model.ts";
import { readJsonObject } from "./json-file.ts";

const OP = "openModel";
/** Weights by the names that the hub gives them, the first that is there is taken. */
const WEIGHTS = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"];

/** A published model on disk, of which nothing but names is read. */
export interface ModelFolder {
  readonly checkpoint: Checkpoint;
  /** Where the weights are, and what stands beside them. */
  readonly folder: string;
  /** config.json; empty beside a GGUF file, which has its own. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Another JSON file of the folder, such as tokenizer.json; undefined where there is none. */
  json(name: string): Readonly<Record<string, unknown>> | undefined;
}

/**
 * A folder as the hub has it (config.json, weights, tokenizer.json …), a file of weights with these beside it, or the name
 * of a model that was fetched, OWNER/NAME.
 *
 * @throws FileError MISSING, UNREADABLE · DataError DAMAGED, UNSUPPORTED, MISMATCH, LIMIT
 */
export async function openModelFolder(place: string): Promise<ModelFolder> {
  const weights = findWeights(locateModel(place));
  const folder = path.dirname(weights);
  const json = (name: string) => readJsonObject(OP, path.join(folder, name));
  const config = json("config.json");
  const checkpoint = weights.endsWith(".index.json")
    ? await openIndex(weights)
    : await openCheckpoint(await fileBytes(weights));
  if (config || checkpoint.format === "gguf") return { checkpoint, folder, config: config ?? {}, json };
  await checkpoint.close();
  throw missing(`config.json must stand beside ${path.basename(weights)}`, `none in ${folder}`);
}

function findWeights(place: string): string {
  let isFolder: boolean;
  try {
    isFolder = statSync(place).isDirectory();
  } catch (cause) {
    const rule = "a model must be a folder, or a file of weights";
    const remedy = 'check the path; "heed models fetch OWNER/NAME" brings a model of the Hugging Face hub';
    throw missing(rule, `${fileReason(cause)} for ${place}`, remedy);
  }
  if (!isFolder) return place;
  const found = WEIGHTS.map((name) => path.join(place, name)).find((file) => existsSync(file));
  if (found) return found;
  throw missing(`a model's folder must have one of ${WEIGHTS.join(", ")}`, `none in ${place}`);
}

function missing(
  rule: string,
  got: string,
  remedy = "check the name, or download the whole folder",
): FileError<"MISSING"> {
  return new FileError("MISSING", { op: OP, rule, got, remedy });
}

async function openIndex(file: string): Promise<Checkpoint> {
  const name = path.basename(file);
  const places = parseIndex(name, readFileSync(file, "utf8"));
  return openSharded(name, places, async (part) =>
    openCheckpoint(await fileBytes(path.join(path.dirname(file), part))),
  );
}
