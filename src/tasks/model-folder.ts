/** Folders of trained models: weights, float16 where that is enough, what reads and writes their data, and a card; each task adds its words. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type * as tf from "@tensorflow/tfjs-core";
import { DataError, FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { decodeFloat16, encodeFloat16 } from "../core/float16.ts";
import { isObject } from "../core/is-object.ts";
import { jsonCost } from "../core/json-cost.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from "../core/safetensors.ts";
import type { ParameterSpecs } from "../models/parameters.ts";

export const WEIGHTS = "model.safetensors";
export const VOCABULARY = "vocabulary.json";
export const CARD = "card.json";
const DEEPEST_JSON = 16;

/** Where the models are that ship with heed, each in a folder of its name. */
export const SHIPPED_MODELS = fileURLToPath(new URL("../../weights", import.meta.url));

/**
 * The folder of a model that ships with heed, by its name; another place stays as it is.
 *
 * @example
 * shippedModel("my-model"); // "my-model"
 */
export function shippedModel(place: string): string {
  const isName = path.basename(place) === place && !existsSync(place);
  const folder = path.join(SHIPPED_MODELS, place);
  return isName && existsSync(folder) ? folder : place;
}

/**
 * Makes the folder that a model will go to, so that an unusable one is found before training, not after.
 *
 * @throws FileError UNWRITABLE
 */
export function prepareModelFolder(op: string, dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
  } catch (cause) {
    const rule = `${dir} must be a folder that can be written`;
    const fault = { op, rule, got: fileReason(cause), remedy: "name another one" };
    throw new FileError("UNWRITABLE", { ...fault, folder: dir }, { cause });
  }
}

/** The values as float16 keeps them, so that the metrics are those of the files that ship. */
export function asShipped(tensors: Record<string, SafetensorsTensor>): Record<string, Float32Array> {
  const entries = Object.entries(tensors);
  return Object.fromEntries(
    entries.map(([name, { data }]) => [name, decodeFloat16(encodeFloat16(data as Float32Array))]),
  );
}

/** How a folder keeps its weights: a model that was trained here is scored as float16, one that was not may need float32. */
export type WeightType = "F16" | "F32";

/** The values of a model as the bytes of its weights file. */
export function weightsFile(
  variables: Readonly<Record<string, tf.Variable>>,
  metadata: Record<string, string>,
  dtype: WeightType = "F16",
): Uint8Array {
  const tensors: Record<string, SafetensorsTensor> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const { shape } = variable;
    const data = variable.dataSync() as Float32Array;
    tensors[name] = dtype === "F32" ? { dtype, shape, data } : { dtype, shape, data: encodeFloat16(data) };
  }
  return encodeSafetensors(tensors, { format: "heed", ...metadata });
}

export const cardFile = (card: object): string => `${JSON.stringify(card, null, 2)}\n`;

/** Writes the files of a model folder: all of them, or none where one fails. */
export function writeFiles(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  mkdirSync(dir, { recursive: true });
  const names = Object.keys(files);
  // Written whole under other names first: a write that fails leaves the model that was there as it was.
  for (const name of names) writeFileSync(path.join(dir, `.${name}.tmp`), files[name]!);
  for (const name of names) renameSync(path.join(dir, `.${name}.tmp`), path.join(dir, name));
}

/** Whether what a card says is a whole number from `least` to `most`. */
export const isCount = (n: unknown, most: number, least = 1): boolean =>
  Number.isInteger(n) && (n as number) >= least && (n as number) <= most;

/** Reads the files of one model folder; `op` is who asks, `files` what such a folder holds. */
export class ModelFolder {
  readonly #op: string;
  readonly #dir: string;
  readonly #files: readonly string[];

  constructor(op: string, dir: string, files: readonly string[]) {
    this.#op = op;
    this.#dir = dir;
    this.#files = files;
  }

  /** @throws FileError MISSING */
  read(name: string): Uint8Array {
    const file = path.join(this.#dir, name);
    try {
      return readFileSync(file);
    } catch (cause) {
      const rule = `a model folder must hold ${new Intl.ListFormat("en-GB").format(this.#files)}`;
      const got = `${fileReason(cause)} for ${file}`;
      const fault = { op: this.#op, rule, got, remedy: "check the folder's name", file };
      throw new FileError("MISSING", fault, { cause });
    }
  }

  /** The error of a file whose content is not what heed wrote. */
  damaged(name: string, got: string, cause?: unknown): DataError<"DAMAGED"> {
    const file = path.join(this.#dir, name);
    const rule = `${file} must be what heed wrote`;
    const remedy = "copy or train the model again";
    return new DataError("DAMAGED", { op: this.#op, rule, got, remedy, file }, { cause });
  }

  /** Refuses a card whose data set has another name than a folder may have. @throws DataError DAMAGED */
  checkDataName(data: { readonly name?: unknown } | undefined): void {
    const name = data?.name;
    if (typeof name !== "string" || path.basename(name) !== name)
      throw this.damaged(CARD, `a data set named ${JSON.stringify(name)}`.slice(0, 200));
  }

  /**
   * A JSON file that must be an object with these entries, which must be objects themselves.
   *
   * @throws DataError DAMAGED
   */
  json<T extends object>(name: string, entries: readonly (keyof T & string)[]): T {
    const bytes = this.read(name);
    if (jsonCost(bytes).depth > DEEPEST_JSON)
      throw this.damaged(name, `brackets more than ${DEEPEST_JSON} deep`);
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw this.damaged(name, "text that is no JSON", cause);
    }
    const missing = entries.find((entry) => !isObject(isObject(value) ? value[entry] : undefined));
    if (missing !== undefined) throw this.damaged(name, `JSON without "${missing}"`);
    if (!isObject(value)) throw this.damaged(name, "JSON that is no object");
    return value as T;
  }

  /**
   * The values of a model of these parameters, and of no others.
   *
   * @throws DataError MISMATCH
   */
  weights(specs: ParameterSpecs, dtype: WeightType = "F16"): Record<string, Float32Array> {
    const file = path.join(this.#dir, WEIGHTS);
    const { tensors } = decodeSafetensors(this.read(WEIGHTS));
    const mismatch = (rule: string, got: string) => {
      const remedy = "the weights belong to another card, copy the folder again";
      return new DataError("MISMATCH", { op: this.#op, rule: `${rule} in ${file}`, got, remedy, file });
    };
    const values: Record<string, Float32Array> = {};
    for (const [name, { shape }] of Object.entries(specs)) {
      const tensor = tensors[name];
      if (tensor?.dtype !== dtype || tensor.shape.join() !== shape.join()) {
        const got = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "nothing";
        throw mismatch(`${name} must be ${dtype} [${shape.join(", ")}]`, got);
      }
      values[name] =
        dtype === "F32" ? (tensor.data as Float32Array) : decodeFloat16(tensor.data as Uint16Array);
    }
    const extra = Object.keys(tensors).find((name) => !(name in specs));
    if (extra !== undefined) throw mismatch("every tensor must be the model's", extra);
    return values;
  }
}
