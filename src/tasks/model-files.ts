/** The files of trained models, read wherever they are, without a module of Node: a page reads them as a folder is read. */
import { DataError, FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { decodeFloat16 } from "../core/float16.ts";
import { isObject } from "../core/is-object.ts";
import { jsonCost } from "../core/json-cost.ts";
import { decodeSafetensors } from "../core/safetensors.ts";
import type { ParameterSpecs } from "../models/parameters.ts";

export const WEIGHTS = "model.safetensors";
export const VOCABULARY = "vocabulary.json";
export const CARD = "card.json";
const DEEPEST_JSON = 16;

/** How a folder keeps its weights: a model that was trained here is scored as float16, one that was not may need float32. */
export type WeightType = "F16" | "F32";

/** Whether what a card says is a whole number from `least` to `most`. */
export const isCount = (n: unknown, most: number, least = 1): boolean =>
  Number.isInteger(n) && (n as number) >= least && (n as number) <= most;

/** Whether what a card says is a penalty: finite, and not below 0. */
export const isPenalty = (n: unknown): boolean => Number.isFinite(n) && (n as number) >= 0;

/** The files of a model by their names, wherever they are: in a folder, or in memory. */
export interface ModelFiles {
  /** What errors call a file. */
  place(name: string): string;
  /** @throws what says why it cannot be had */
  bytes(name: string): Uint8Array;
}

/**
 * Files that are in memory already: those that a page has fetched, or that were dropped on it.
 *
 * @example
 * const files = filesInMemory({ "card.json": new TextEncoder().encode("{}") });
 * files.bytes("card.json").length; // 2
 */
export function filesInMemory(files: Readonly<Record<string, Uint8Array>>): ModelFiles {
  return {
    place: (name) => name,
    bytes: (name) => {
      if (Object.hasOwn(files, name)) return files[name]!;
      throw new Error("no such file");
    },
  };
}

/** Reads the files of one model; `op` is who asks, `names` what such a model has. */
export class ModelReader {
  readonly #op: string;
  readonly #files: ModelFiles;
  readonly #names: readonly string[];

  constructor(op: string, files: ModelFiles, names: readonly string[]) {
    this.#op = op;
    this.#files = files;
    this.#names = names;
  }

  /** @throws FileError MISSING */
  read(name: string): Uint8Array {
    const file = this.#files.place(name);
    try {
      return this.#files.bytes(name);
    } catch (cause) {
      const rule = `a model folder must hold ${new Intl.ListFormat("en-GB").format(this.#names)}`;
      const got = `${fileReason(cause)} for ${file}`;
      const remedy = "check the folder's name, or take a model that ships: heed models list names them";
      const fault = { op: this.#op, rule, got, remedy, file };
      throw new FileError("MISSING", fault, { cause });
    }
  }

  /** The error of a file whose content is not what heed wrote. */
  damaged(name: string, got: string, cause?: unknown): DataError<"DAMAGED"> {
    const file = this.#files.place(name);
    const rule = `${file} must be what heed wrote`;
    const remedy = "copy or train the model again";
    return new DataError("DAMAGED", { op: this.#op, rule, got, remedy, file }, { cause });
  }

  /** Refuses a card whose data set has another name than a folder may have. @throws DataError DAMAGED */
  checkDataName(data: { readonly name?: unknown } | undefined): void {
    const name = data?.name;
    if (typeof name !== "string" || /[/\\]/.test(name))
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
    const file = this.#files.place(WEIGHTS);
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
