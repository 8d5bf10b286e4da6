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
import { FileError, OptionError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { decodeFloat16, encodeFloat16 } from "../core/float16.ts";
import { encodeSafetensors, type SafetensorsTensor } from "../core/safetensors.ts";
import { type ModelFiles, ModelReader, type WeightType } from "./model-files.ts";

export { CARD, isCount, VOCABULARY, WEIGHTS, type WeightType } from "./model-files.ts";

/** Where the models are that ship with heed, each in a folder of its name. */
export const SHIPPED_MODELS = fileURLToPath(new URL("../../weights", import.meta.url));

/**
 * The folder of a model that ships with heed, by its name; another place stays as it is.
 *
 * @param op who asks, for the error
 * @throws OptionError OPTION for what is no string
 * @example
 * shippedModel("my-model"); // "my-model"
 */
export function shippedModel(place: string, op = "shippedModel"): string {
  if (typeof place !== "string") {
    const rule = "a model must be named by a string, a folder or the name of one that ships";
    const got = JSON.stringify(place) ?? String(place);
    throw new OptionError("OPTION", { op, rule, got, remedy: "pass the name first, options after it" });
  }
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

/** Reads the files of one model folder; `op` is who asks, `files` what such a folder holds. */
export class ModelFolder extends ModelReader {
  constructor(op: string, dir: string, files: readonly string[]) {
    super(op, filesOfFolder(dir), files);
  }
}

/** The files of a model folder. */
export const filesOfFolder = (dir: string): ModelFiles => ({
  place: (name) => path.join(dir, name),
  bytes: (name) => readFileSync(path.join(dir, name)),
});
