import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseIndex } from "../../../checkpoints/sharded.ts";
import { DataError, OptionError } from "../../../core/errors.ts";
import { isFileFailure } from "../../../core/file-reason.ts";
import type { DownloadProgress } from "../../../data/download.ts";
import { fetchFiles, type WantedFile } from "../../../data/fetch-files.ts";
import { unwritableCache } from "../../../data/locate.ts";
import {
  MODEL_RECORD,
  type ModelRecord,
  modelPath,
  modelsFolder,
  readModelRecord,
} from "../../../data/locate-model.ts";
import { type ModelName, modelTitle, parseModelName } from "../../../data/model-name.ts";
import { uniqueSuffix } from "../../../data/part.ts";
import { readJsonObject } from "../../../models/pretrained/json-file.ts";
import { MODEL_TYPES } from "../../../models/pretrained/load.ts";
import { chooseFiles, INDEX, isPartOfModel } from "./choose.ts";
import { fileAddress, OP, type Repository } from "./listing.ts";
import { type Hub, type HubOptions, hubOf, hubRefusal, readRepository } from "./repository.ts";

export interface FetchModelOptions extends HubOptions {
  /** A branch, a tag or a commit. @default that of the name, else main */
  readonly revision?: string;
  /** The file of the weights, such as one of several GGUF files. @default the first that heed knows by name */
  readonly file?: string;
  /** The folder that gets the owner's folder, with the model's in it. @default the cache, $XDG_CACHE_HOME/heed/models */
  readonly cacheDir?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** A model of the hub on this machine. */
export interface FetchedModel extends ModelRecord {
  readonly folder: string;
  /** False when every file was there already, byte for byte. */
  readonly fetched: boolean;
  /** As config.json has it. */
  readonly modelType?: string;
}

/** @throws OptionError OPTION for what is no name of the hub, CONFLICT for two revisions */
function modelOf(text: string, revision: string | undefined): ModelName {
  const name = parseModelName(text);
  if (!name || name.file !== undefined) {
    const rule = "a model must be named OWNER/NAME, as the hub has it";
    const remedy = "copy the name from its page; a file of it goes with --file";
    throw new OptionError("OPTION", { op: OP, rule, got: JSON.stringify(text), remedy });
  }
  const given = revision === "main" ? undefined : revision;
  if (name.revision !== undefined && revision !== undefined && name.revision !== given) {
    const rule = "a revision must be given once";
    const got = `${name.revision} and ${revision}`;
    throw new OptionError("CONFLICT", { op: OP, rule, got, remedy: "leave one of them out" });
  }
  const wanted = given ?? name.revision;
  if (wanted === undefined) return name;
  if (/^[\w.-]+(?:\/[\w.-]+)*$/.test(wanted) && !wanted.includes("..") && wanted.length <= 200)
    return { ...name, revision: wanted };
  const rule = "a revision must be a branch, a tag or a commit";
  const got = JSON.stringify(wanted);
  throw new OptionError("OPTION", { op: OP, rule, got, remedy: "see the files of the model on its page" });
}

/** A download of one model under way. */
class ModelFetch {
  readonly #hub: Hub;
  readonly #name: ModelName;
  readonly #folder: string;
  readonly #repository: Repository;

  constructor(hub: Hub, name: ModelName, folder: string, repository: Repository) {
    this.#hub = hub;
    this.#name = name;
    this.#folder = folder;
    this.#repository = repository;
  }

  /** How many of these files had to come. */
  get(names: readonly string[], onProgress?: FetchModelOptions["onProgress"]): Promise<number> {
    const { commit } = this.#repository;
    const files = names.map((name) => this.#repository.file(name));
    const addressOf = (file: string) => fileAddress(this.#hub, this.#name, commit, file);
    return fetchFiles(this.#folder, files, addressOf, { ...this.#hub, ...(onProgress && { onProgress }) });
  }

  /** The type of the model, which must be one that heed computes: nobody wants to wait for another's weights. */
  modelType(): string | undefined {
    const type = readJsonObject(OP, path.join(this.#folder, "config.json"))?.model_type;
    if (typeof type !== "string" || MODEL_TYPES.includes(type)) return type as string | undefined;
    const rule = `model_type must be one of ${MODEL_TYPES.join(", ")}`;
    const remedy = "choose a model of one of these families";
    throw new DataError("UNSUPPORTED", { op: OP, rule, got: JSON.stringify(type), remedy });
  }

  /** The files that the index of the weights names. @throws DataError DAMAGED, MISMATCH */
  shards(): string[] {
    const text = readFileSync(path.join(this.#folder, INDEX), "utf8");
    const shards = [...new Set(parseIndex(INDEX, text).values())];
    const missing = shards.find((name) => !this.#repository.names.has(name));
    if (missing === undefined) return shards;
    const rule = `${modelTitle(this.#name)} must have the files that ${INDEX} names`;
    const remedy = "tell whoever published it";
    throw new DataError("MISMATCH", { op: OP, rule, got: `no ${missing}`, remedy });
  }
}

/**
 * Fetches from the Hugging Face hub what heed needs of a model: configuration, tokenizer and weights. Each file must have the
 * length and checksum that the hub says; a download that was stopped goes on, and what is there already is checked and not
 * fetched again. From then on the model's name works wherever a folder does: `loadModel("OWNER/NAME")`.
 *
 * @param name `OWNER/NAME`, or `OWNER/NAME@REVISION`
 * @throws OptionError OPTION, CONFLICT, UNKNOWN · DownloadError DOWNLOAD, MISMATCH · DataError MISSING, MISMATCH, DAMAGED,
 *   UNSUPPORTED for a model_type that heed does not compute, before its weights come · FileError UNWRITABLE
 * @example
 * const { folder } = await fetchModel("sentence-transformers/all-MiniLM-L6-v2", {
 *   onProgress: ({ received, total }) => console.error(`${received} of ${total} bytes`),
 * });
 */
export async function fetchModel(name: string, options: FetchModelOptions = {}): Promise<FetchedModel> {
  const { revision, file, cacheDir = modelsFolder(), onProgress, ...line } = options;
  const model = modelOf(name, revision);
  const hub = hubOf(line);
  const folder = path.join(cacheDir, modelPath(model));
  try {
    const repository = await readRepository(hub, model);
    const fetch = new ModelFetch(hub, model, folder, repository);
    return await fetchInto(folder, model, fetch, repository, file, onProgress);
  } catch (cause) {
    removeEmpty(folder);
    throw isFileFailure(cause) ? unwritableCache(OP, folder, cause) : hubRefusal(cause, hub, model);
  }
}

async function fetchInto(
  folder: string,
  model: ModelName,
  fetch: ModelFetch,
  repository: Repository,
  file: string | undefined,
  onProgress: FetchModelOptions["onProgress"],
): Promise<FetchedModel> {
  const title = modelTitle(model);
  const before = readModelRecord(folder);
  const { names, weights } = chooseFiles(title, repository, file);
  const isSame = before?.commit === repository.commit;
  // From here to the end the folder may hold files of two commits, so nobody may take it for a model.
  if (!isSame) rmSync(path.join(folder, MODEL_RECORD), { force: true });
  let count = await fetch.get(names.filter((one) => one === "config.json" || one === INDEX));
  const modelType = names.includes("config.json") ? fetch.modelType() : undefined;
  const all = [...new Set([...names, ...(weights === INDEX ? fetch.shards() : [])])];
  count += await fetch.get(all, onProgress);

  const files: WantedFile[] = all.map((one) => repository.file(one));
  const others = before?.files.filter(({ name }) => !all.includes(name)) ?? [];
  if (isSame) files.push(...others.filter(({ name }) => existsSync(path.join(folder, name))));
  removeOthers(folder, files, others);
  const record: ModelRecord = {
    name: title,
    revision: model.revision ?? "main",
    commit: repository.commit,
    ...(repository.licence && { licence: repository.licence }),
    files,
    ...(file !== undefined && { weights: file }),
  };
  writeRecord(folder, record);
  return { ...record, folder, fetched: count > 0, ...(modelType && { modelType }) };
}

/** Removes what another commit left: it would be taken for part of this one. */
function removeOthers(folder: string, files: readonly WantedFile[], before: readonly WantedFile[]): void {
  const kept = new Set(files.map(({ name }) => name));
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const known = found.map((name) => name.replaceAll("\\", "/")).filter(isPartOfModel);
  for (const name of [...known, ...before.map((file) => file.name)])
    if (!kept.has(name)) rmSync(path.join(folder, name), { force: true });
}

function writeRecord(folder: string, record: ModelRecord): void {
  const place = path.join(folder, MODEL_RECORD);
  const temporary = `${place}.${uniqueSuffix()}.new`;
  writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(temporary, place);
}

/** Removes the folders of a model of which nothing has come. */
function removeEmpty(folder: string): void {
  for (const empty of [folder, path.dirname(folder)]) {
    try {
      rmdirSync(empty);
    } catch {
      return;
    }
  }
}
