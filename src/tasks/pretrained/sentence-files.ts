/** What sentence-transformers writes beside a model: how its states become the embedding of a text. */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { DataError } from "../../core/errors.ts";
import { isObject } from "../../core/is-object.ts";
import { readJsonList, readJsonObject } from "../../models/pretrained/json-file.ts";
import { POOLINGS, type Pooling } from "./pooling.ts";

const OP = "loadEmbedder";
const MODULES = "modules.json";

/** The switches of 1_Pooling/config.json. */
const SWITCHES: Readonly<Record<string, Pooling>> = {
  pooling_mode_cls_token: "cls",
  pooling_mode_max_tokens: "max",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_mean_sqrt_len_tokens: "mean_sqrt_len",
  pooling_mode_weightedmean_tokens: "weightedmean",
  pooling_mode_lasttoken: "lasttoken",
};

/** The file of the longest text, by the kind of model that it was first written for. */
const LENGTH_FILES = ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"].map(
  (kind) => `sentence_${kind}_config.json`,
);

/** What comes after pooling. */
export type PlannedStep =
  | { readonly kind: "normalize" }
  | { readonly kind: "dense"; readonly folder: string };

export interface SentenceFiles {
  /** Whether the model has modules.json; what it does not say is as all-MiniLM-L6-v2 has it. */
  readonly areThere: boolean;
  /** The folder, or the file of weights, of the Transformer itself. */
  readonly place: string;
  /** The folder of its tokenizer. */
  readonly folder: string;
  /** Several stand side by side in the embedding. */
  readonly poolings: readonly Pooling[];
  readonly steps: readonly PlannedStep[];
  /** Tokens of the longest text, those around it among them; undefined where the files do not say. */
  readonly maxLength: number | undefined;
  readonly lowerCase: boolean;
  /** What stands before every text. */
  readonly prompt: string;
}

/**
 * The files of a folder, or of that in which a file of weights lies.
 *
 * @throws FileError UNREADABLE · DataError DAMAGED, FORMAT, UNSUPPORTED
 */
export function readSentenceFiles(place: string): SentenceFiles {
  const root = existsSync(place) && statSync(place).isFile() ? path.dirname(place) : place;
  const modules = readJsonList(OP, path.join(root, MODULES));
  const found = modules?.map((module) => readModule(root, module)) ?? [];
  const [first, second, ...rest] = found;
  if (modules && (first?.kind !== "Transformer" || second?.kind !== "Pooling")) {
    const got = found.map(({ kind }) => kind).join(", ") || "nothing";
    throw unsupported(`${MODULES} must begin with Transformer and Pooling`, got);
  }
  const folder = first?.folder ?? root;
  const length = LENGTH_FILES.map((name) => readJsonObject(OP, path.join(folder, name))).find(Boolean) ?? {};
  const pooling = second && readPooling(second.folder);
  return {
    areThere: modules !== undefined,
    place: folder === path.resolve(root) || folder === root ? place : folder,
    folder,
    poolings: pooling?.poolings ?? ["mean"],
    // Dropout does nothing outside of training.
    steps: modules ? rest.filter(({ kind }) => kind !== "Dropout").map(readStep) : [{ kind: "normalize" }],
    maxLength: lengthOf(length.max_seq_length),
    lowerCase: length.do_lower_case === true,
    prompt: readPrompt(root, pooling?.includesPrompt ?? true),
  };
}

interface Module {
  readonly kind: string;
  readonly folder: string;
}

/** A module's class without its package, and its folder. */
function readModule(place: string, module: unknown): Module {
  const { type, path: inside } = isObject(module) ? module : {};
  if (typeof type !== "string" || typeof inside !== "string")
    throw wrong(`every module of ${MODULES} must have a type and a path`, module);
  const folder = path.resolve(place, inside);
  const isInside = folder === path.resolve(place) || folder.startsWith(path.resolve(place) + path.sep);
  if (!isInside) throw wrong(`a module's path must stay in the model's folder`, inside);
  return { kind: type.split(".").at(-1)!, folder };
}

function readPooling(folder: string): { poolings: Pooling[]; includesPrompt: boolean } {
  const config = readJsonObject(OP, path.join(folder, "config.json"));
  if (!config) throw wrong("the Pooling module must have a config.json", "none");
  const includesPrompt = config.include_prompt !== false;
  const isOn = (name: string) => config[name] === true;
  // What later versions write: one name, or several.
  const named = config.pooling_mode === undefined ? undefined : [config.pooling_mode].flat();
  const other = named?.find((name) => !POOLINGS.includes(name as Pooling));
  if (other !== undefined) throw unsupported(`pooling_mode must be one of ${POOLINGS.join(", ")}`, other);
  const wanted =
    named ??
    Object.keys(SWITCHES)
      .filter(isOn)
      .map((name) => SWITCHES[name]!);
  const poolings = POOLINGS.filter((name) => wanted.includes(name));
  if (poolings.length === 0)
    throw unsupported(`one of ${Object.keys(SWITCHES).join(", ")} must be true`, "none");
  return { poolings, includesPrompt };
}

function readStep({ kind, folder }: Module): PlannedStep {
  if (kind === "Normalize") return { kind: "normalize" };
  if (kind === "Dense") return { kind: "dense", folder };
  throw unsupported("modules after Pooling must be Dense, Normalize or Dropout", kind);
}

/** The prompt that sentence-transformers puts before a text when nobody names one. */
function readPrompt(place: string, includesPrompt: boolean): string {
  const config = readJsonObject(OP, path.join(place, "config_sentence_transformers.json")) ?? {};
  const { prompts, default_prompt_name: name } = config;
  if (typeof name !== "string" || !isObject(prompts)) return "";
  const prompt = Object.hasOwn(prompts, name) ? prompts[name] : undefined;
  if (typeof prompt !== "string") throw wrong("default_prompt_name must be one of prompts", name);
  if (prompt !== "" && !includesPrompt)
    throw unsupported("include_prompt must be true where there is a prompt", false);
  return prompt;
}

function lengthOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw wrong("max_seq_length must be a whole number from 1", value);
}

function wrong(rule: string, got: unknown): DataError<"FORMAT"> {
  return new DataError("FORMAT", { op: OP, rule, got: shown(got), remedy: "download the whole folder" });
}

function unsupported(rule: string, got: unknown): DataError<"UNSUPPORTED"> {
  return new DataError("UNSUPPORTED", {
    op: OP,
    rule,
    got: shown(got),
    remedy: "heed does not compute this model",
  });
}

const shown = (got: unknown): string =>
  (typeof got === "string" ? got : (JSON.stringify(got) ?? "nothing")).slice(0, 80);
