import { existsSync } from "node:fs";
import path from "node:path";
import type { Checkpoint, TensorInfo } from "../../checkpoints/checkpoint.ts";
import { fileBytes } from "../../checkpoints/file-bytes.ts";
import { openCheckpoint } from "../../checkpoints/open.ts";
import { DataError } from "../../core/errors.ts";
import { size } from "../../core/notation.ts";
import { openModelFolder } from "../../models/pretrained/folder.ts";
import { readArchitecture, readTensors } from "../../models/pretrained/load.ts";
import { freeMemory, loadingMemory } from "../../models/pretrained/memory.ts";
import { fullConfig, type TransformerConfig } from "../../models/transformer/config.ts";
import { transformerParameters } from "../../models/transformer/parameters.ts";
import { publishedNames } from "../../models/transformer/published.ts";
import { CARD, ModelFolder, shippedModel, WEIGHTS } from "../model-folder.ts";

/** A tensor of a file, and what becomes of it. */
export interface DescribedTensor extends TensorInfo {
  readonly name: string;
  /** False for what the model has no parameter for, such as a buffer of positions. */
  readonly loaded: boolean;
}

/** A published model before it is loaded. */
export interface ModelDescription {
  readonly format: Checkpoint["format"];
  /** As config.json or the metadata of a GGUF file has it; the task of a model of heed's own. */
  readonly modelType: string | undefined;
  /** Why heed would not load it; undefined where it would. */
  readonly refusal: string | undefined;
  /** What heed would make of it; undefined where it would not, and of a model of heed's own. */
  readonly config: TransformerConfig | undefined;
  /** Numbers in the model: of tensors that are shared once. */
  readonly parameters: number;
  readonly tensors: readonly DescribedTensor[];
  /** Tensors that the model must have and the file has not. */
  readonly missing: readonly string[];
  /** Bytes of the loaded model, of loading it, and those that are free. */
  readonly memory: { readonly resident: number; readonly peak: number; readonly free: number } | undefined;
  /** Files beside the weights that say how text is read and written. */
  readonly beside: readonly string[];
}

const BESIDE = ["tokenizer.json", "generation_config.json", "modules.json", "adapter_config.json"];

/**
 * What a published model is and what loading it would take. No value of a tensor is read.
 *
 * @param place a folder, a file of weights, or the name of a model that was fetched or ships with heed
 * @throws FileError MISSING, UNREADABLE · DataError DAMAGED, FORMAT, UNSUPPORTED for another format of file
 * @example
 * const { modelType, tensors, missing } = await describeModel("my-model");
 * modelType; // "bert"
 * missing.length; // 0
 * tensors.every(({ dtype }) => dtype === "F32"); // true
 */
export async function describeModel(place: string): Promise<ModelDescription> {
  const own = ownFolder(place);
  if (own !== undefined) return describeOwn(own);
  const { checkpoint, config: json, folder } = await openModelFolder(place);
  try {
    const { format, metadata } = checkpoint;
    const type = json.model_type ?? metadata.get("general.architecture");
    const beside = BESIDE.filter((name) => existsSync(path.join(folder, name)));
    const common = { format, modelType: typeof type === "string" ? type : undefined, beside };
    return { ...common, ...describeTensors(checkpoint, json) };
  } finally {
    await checkpoint.close();
  }
}

/** The folder of a model that heed trained, which has a card in place of config.json; undefined where it is another's. */
function ownFolder(place: string): string | undefined {
  const folder = shippedModel(place);
  const isOwn = existsSync(path.join(folder, CARD)) && !existsSync(path.join(folder, "config.json"));
  return isOwn ? folder : undefined;
}

/** A model of heed's own, of which every tensor is loaded. */
async function describeOwn(folder: string): Promise<ModelDescription> {
  const { task } = new ModelFolder("describeModel", folder, [CARD, WEIGHTS]).json<{ task?: unknown }>(
    CARD,
    [],
  );
  const checkpoint = await openCheckpoint(await fileBytes(path.join(folder, WEIGHTS)));
  try {
    const { format, tensors: infos } = checkpoint;
    const tensors = [...infos].map(([name, info]) => ({ name, ...info, loaded: true }));
    return {
      ...{ format, modelType: typeof task === "string" ? task : undefined, beside: [CARD] },
      ...{ refusal: undefined, config: undefined, missing: [], tensors },
      parameters: tensors.reduce((sum, { shape }) => sum + size(shape), 0),
      memory: { ...loadingMemory(Object.fromEntries(infos), tensors), free: freeMemory() },
    };
  } finally {
    await checkpoint.close();
  }
}

type Described = Omit<ModelDescription, "format" | "modelType" | "beside">;

function describeTensors(checkpoint: Checkpoint, json: Readonly<Record<string, unknown>>): Described {
  const tensorsWith = (isLoaded: (name: string) => boolean) =>
    [...checkpoint.tensors].map(([name, info]) => ({ name, ...info, loaded: isLoaded(name) }));
  try {
    const found = readArchitecture(checkpoint, json);
    const { config, names } = found.model;
    const specs = transformerParameters(fullConfig(config));
    const read = readTensors(checkpoint, found, specs);
    const wanted = new Set(Object.values(publishedNames(names, specs)));
    return {
      refusal: undefined,
      config,
      parameters: Object.values(specs).reduce((sum, { shape }) => sum + size(shape), 0),
      tensors: tensorsWith((name) => read.has(name)),
      missing: [...wanted].filter((name) => found.find(name) === undefined),
      memory: { ...loadingMemory(specs, read.values()), free: freeMemory() },
    };
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== "UNSUPPORTED") throw error;
    const tensors = tensorsWith(() => false);
    const parameters = tensors.reduce((sum, { shape }) => sum + size(shape), 0);
    return {
      refusal: error.message,
      config: undefined,
      parameters,
      tensors,
      missing: [],
      memory: undefined,
    };
  }
}
