/** Models that were fetched by name: where they stand in the cache, and what is written down of each. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../core/errors.ts";
import { isObject } from "../core/is-object.ts";
import { jsonCost } from "../core/json-cost.ts";
import type { WantedFile } from "./fetch-files.ts";
import { cacheFolder } from "./locate.ts";
import { type ModelName, modelTitle, parseModelName } from "./model-name.ts";

/** What is written down in the folder of a model, when all its files have come. */
export interface ModelRecord {
  /** `OWNER/NAME` */
  readonly name: string;
  readonly revision: string;
  readonly commit: string;
  readonly licence?: string;
  readonly files: readonly WantedFile[];
  /** The file of the weights, where a folder does not tell: a GGUF file. */
  readonly weights?: string;
}

/** Stands in the folder of each model that was fetched, and is written last. */
export const MODEL_RECORD = "heed-fetched.json";
const DEEPEST_JSON = 8;

/** Where fetched models live, a folder for each below that of its owner. */
export const modelsFolder = (): string => join(cacheFolder(), "models");

/** The folder of a model below `modelsFolder()`; a revision may have slashes, and a folder's name may not. */
export function modelPath({ owner, name, revision }: ModelName): string {
  return join(owner, revision === undefined ? name : `${name}@${revision.replaceAll("/", "%2F")}`);
}

/** What was written down of the model in a folder; undefined where it is not whole. */
export function readModelRecord(folder: string): ModelRecord | undefined {
  try {
    const bytes = readFileSync(join(folder, MODEL_RECORD));
    if (jsonCost(bytes).depth > DEEPEST_JSON) return undefined;
    const record: unknown = JSON.parse(bytes.toString("utf8"));
    return isRecord(record) ? record : undefined;
  } catch {
    // None, or one that somebody has spoilt: the model is fetched again.
    return undefined;
  }
}

function isRecord(record: unknown): record is ModelRecord {
  if (!isObject(record) || !Array.isArray(record.files)) return false;
  const { name, revision, commit, weights } = record;
  const isFileName = (file: unknown) =>
    typeof file === "string" && /^\w[\w.+-]*(?:\/\w[\w.+-]*)?$/.test(file);
  const isFile = (file: unknown) => isObject(file) && isFileName(file.name) && Number.isFinite(file.bytes);
  const isText = [name, revision, commit].every((text) => typeof text === "string");
  return isText && record.files.every(isFile) && (weights === undefined || isFileName(weights));
}

/**
 * Where a model is: the place itself where there is something, else the folder of the cache that `heed models fetch` filled
 * under that name. What is no name of a model stays as it is, for whoever opens it.
 *
 * @throws FileError MISSING for a name that is not in the cache
 * @example
 * locateModel("my-model"); // "my-model"
 */
export function locateModel(place: string): string {
  if (existsSync(place)) return place;
  const name = parseModelName(place);
  if (!name) return place;
  const folder = join(modelsFolder(), modelPath(name));
  const record = readModelRecord(folder);
  const file = name.file ?? record?.weights;
  const found = record && (file === undefined ? folder : join(folder, file));
  if (found && existsSync(found)) return found;
  const flags = [
    ...(name.revision ? [` --revision ${name.revision}`] : []),
    ...(name.file ? [` --file ${name.file}`] : []),
  ];
  throw new FileError("MISSING", {
    op: "locateModel",
    rule: `${place} must be a folder, a file of weights, or a model of the cache`,
    got: existsSync(folder) ? `one that is not whole in ${folder}` : "nothing of that name",
    remedy: `run "heed models fetch ${modelTitle(name)}${flags.join("")}", or check the path`,
    name: place,
    folder,
  });
}
