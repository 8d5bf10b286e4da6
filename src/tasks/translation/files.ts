import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import { decodeFloat16, encodeFloat16 } from "../../core/float16.ts";
import { isObject } from "../../core/is-object.ts";
import { jsonCost } from "../../core/json-cost.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from "../../core/safetensors.ts";
import { Bpe, type BpeJson } from "../../data/bpe.ts";
import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { parameterSpecs } from "../../models/seq2seq/parameters.ts";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import type { DraftCard, TranslationCard } from "./card.ts";

const WEIGHTS = "model.safetensors";
const CARD = "card.json";
const VOCABULARY = "vocabulary.json";
const OP = "loadTranslator";
const DEEPEST_JSON = 16;
/** The widest beam and longest part that a card may ask for: both decide how much memory a sentence takes. */
const MOST_BEAM = 64;
const MOST_PIECES = 1024;
/** A language as `toLocaleUpperCase` takes it. */
const LANGUAGE = /^[a-z]{2,3}(?:-[A-Za-z\d]{2,8})*$/;

/** A model and what it needs to read and write text. */
export interface TranslationModel<Card extends DraftCard = DraftCard> {
  model: Seq2Seq;
  source: Bpe;
  target: Bpe;
  card: Card;
}

/** Makes the folder that a model will go to, so that an unusable one is found before training, not after. */
export function prepareModelFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
  } catch (cause) {
    const rule = `${dir} must be a folder that can be written`;
    const fault = { op: "heed train translation", rule, got: fileReason(cause), remedy: "name another one" };
    throw new FileError("UNWRITABLE", { ...fault, folder: dir }, { cause });
  }
}

/** Writes a model folder: float16 weights, both vocabularies, the card. */
export function writeModelFolder(
  dir: string,
  { model, source, target, card }: TranslationModel<TranslationCard>,
): void {
  const tensors: Record<string, SafetensorsTensor> = {};
  for (const [name, variable] of Object.entries(model.parameters.variables)) {
    const data = encodeFloat16(variable.dataSync() as Float32Array);
    tensors[name] = { dtype: "F16", shape: variable.shape, data };
  }
  const files: [string, string | Uint8Array][] = [
    [WEIGHTS, encodeSafetensors(tensors, { format: "heed", model: "seq2seq" })],
    [VOCABULARY, `${JSON.stringify({ source: source.toJSON(), target: target.toJSON() })}\n`],
    [CARD, `${JSON.stringify(card, null, 2)}\n`],
  ];
  mkdirSync(dir, { recursive: true });
  // Written whole under other names first: a write that fails leaves the model that was there as it was.
  for (const [name, content] of files) writeFileSync(path.join(dir, `.${name}.tmp`), content);
  for (const [name] of files) renameSync(path.join(dir, `.${name}.tmp`), path.join(dir, name));
}

function readFile(dir: string, name: string): Buffer {
  const file = path.join(dir, name);
  try {
    return readFileSync(file);
  } catch (cause) {
    const rule = "a model folder must hold model.safetensors, vocabulary.json and card.json";
    const got = `${fileReason(cause)} for ${file}`;
    throw new FileError("MISSING", { op: OP, rule, got, remedy: "check the folder's name", file }, { cause });
  }
}

function damaged(file: string, got: string, cause?: unknown): DataError<"DAMAGED"> {
  const rule = `${file} must be what heed wrote`;
  const remedy = "copy or train the model again";
  return new DataError("DAMAGED", { op: OP, rule, got, remedy, file }, { cause });
}

/** A JSON file that must be an object with these entries, each an object itself. */
function readJson<T extends object>(dir: string, name: string, entries: (keyof T & string)[]): T {
  const bytes = readFile(dir, name);
  const refuse = (got: string, cause?: unknown) => damaged(path.join(dir, name), got, cause);
  if (jsonCost(bytes).depth > DEEPEST_JSON) throw refuse(`brackets more than ${DEEPEST_JSON} deep`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw refuse("text that is no JSON", cause);
  }
  const missing = entries.find((entry) => !isObject(isObject(value) ? value[entry] : undefined));
  if (missing !== undefined) throw refuse(`JSON without "${missing}"`);
  return value as T;
}

/** What translating reads of a card. A beam of "5" would be compared as a number and counted as a text. */
function checkCard(file: string, { decoding, from, to, data }: TranslationCard): void {
  const { beam, lengthPenalty, maxPieces } = decoding;
  const isCount = (n: unknown, most: number) =>
    Number.isInteger(n) && (n as number) >= 1 && (n as number) <= most;
  const isPenalty = Number.isFinite(lengthPenalty) && lengthPenalty >= 0;
  if (!(isCount(beam, MOST_BEAM) && isCount(maxPieces, MOST_PIECES) && isPenalty))
    throw damaged(file, `decoding ${JSON.stringify(decoding)}`.slice(0, 200));
  for (const [name, language] of Object.entries({ from, to }))
    if (typeof language !== "string" || !LANGUAGE.test(language))
      throw damaged(file, `${name} ${JSON.stringify(language)}`.slice(0, 200));
  if (typeof data.name !== "string" || path.basename(data.name) !== data.name)
    throw damaged(file, `a data set named ${JSON.stringify(data.name)}`.slice(0, 200));
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): TranslationModel<TranslationCard> {
  const card = readJson<TranslationCard>(dir, CARD, ["model", "decoding", "data"]);
  checkCard(path.join(dir, CARD), card);
  const vocabulary = readJson<{ source: BpeJson; target: BpeJson }>(dir, VOCABULARY, ["source", "target"]);
  const source = Bpe.fromJSON(vocabulary.source);
  const target = Bpe.fromJSON(vocabulary.target);
  const config: Seq2SeqConfig = {
    ...card.model,
    sourceVocabulary: source.size,
    targetVocabulary: target.size,
  };
  const { tensors } = decodeSafetensors(readFile(dir, WEIGHTS));
  const specs = parameterSpecs(config);
  const file = path.join(dir, WEIGHTS);
  const mismatch = (rule: string, got: string) => {
    const remedy = "the weights belong to another card, copy the folder again";
    return new DataError("MISMATCH", { op: OP, rule: `${rule} in ${file}`, got, remedy, file });
  };
  const values: Record<string, Float32Array> = {};
  for (const [name, { shape }] of Object.entries(specs)) {
    const tensor = tensors[name];
    if (tensor?.dtype !== "F16" || tensor.shape.join() !== shape.join()) {
      const got = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "nothing";
      throw mismatch(`${name} must be F16 [${shape.join(", ")}]`, got);
    }
    values[name] = decodeFloat16(tensor.data);
  }
  const extra = Object.keys(tensors).find((name) => !(name in specs));
  if (extra !== undefined) throw mismatch("every tensor must be the model's", extra);
  return { model: new Seq2Seq(config, values), source, target, card };
}
