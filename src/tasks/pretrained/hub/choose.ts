/** Which files of a repository heed needs. */
import { DataError, OptionError } from "../../../core/errors.ts";
import { isBesideWeights } from "../beside-weights.ts";
import { OP, type Repository } from "./listing.ts";

export const INDEX = "model.safetensors.index.json";
/** Weights by the names that the hub gives them: the first that is there is taken. */
const WEIGHTS = ["model.safetensors", INDEX, "pytorch_model.bin"];
/** What else may be a file of weights, by its name; in the folder itself, where what stands beside it is. */
const NAMED = /^\w[\w.+-]*\.(?:gguf|safetensors|bin|pt)$/;

/** Whether a file would be taken for part of a model by its name alone. */
export const isPartOfModel = (name: string): boolean => isBesideWeights(name) || WEIGHTS.includes(name);

export interface Choice {
  /** Names of all files but the shards that an index may name. */
  readonly names: readonly string[];
  /** The file of the weights; undefined for a repository of adapters. */
  readonly weights: string | undefined;
}

/**
 * @param file the file of the weights, where it is not to be the first of the names that the hub gives them
 * @throws OptionError UNKNOWN for a file that is not there · DataError MISSING where there are no weights
 */
export function chooseFiles(title: string, { names }: Repository, file: string | undefined): Choice {
  const all = [...names];
  const beside = all.filter(isBesideWeights);
  const known = all.filter((name) => NAMED.test(name));
  const list = known.slice(0, 12).join(", ") + (known.length > 12 ? ", …" : "") || "none";
  if (file !== undefined) {
    if (known.includes(file)) return { names: [...beside, file], weights: file };
    const rule = `file must be one of the weights of ${title}`;
    const remedy = `it has ${list}`;
    throw new OptionError("UNKNOWN", { op: OP, rule, got: JSON.stringify(file), remedy, known });
  }
  const weights = WEIGHTS.find((name) => names.has(name));
  if (weights !== undefined) return { names: [...beside, weights], weights };
  if (names.has("adapter_model.safetensors")) return { names: beside, weights: undefined };
  throw new DataError("MISSING", {
    op: OP,
    rule: `${title} must have one of ${WEIGHTS.join(", ")}`,
    got: list,
    remedy: "name another file of weights with --file",
    known,
  });
}
