import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { decodeFloat16, encodeFloat16 } from "../../core/float16.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from "../../core/safetensors.ts";
import { Bpe, type BpeJson } from "../../data/bpe.ts";
import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { parameterSpecs } from "../../models/seq2seq/parameters.ts";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import type { DraftCard, TranslationCard } from "./card.ts";

const WEIGHTS = "model.safetensors";
const CARD = "card.json";
const VOCABULARY = "vocabulary.json";

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
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new FileError("MODEL_WRITE", { op: "heed train translation", folder: dir, reason }, { cause });
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
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new FileError("MODEL_FILE", { op: "loadTranslator", file, reason }, { cause });
  }
}

/** A JSON file that must be an object with these entries, each an object itself. */
function readJson<T extends object>(dir: string, name: string, entries: (keyof T & string)[]): T {
  const text = readFile(dir, name).toString("utf8");
  const refuse = (got: string, cause?: unknown) =>
    new DataError("MODEL_DAMAGED", { op: "loadTranslator", file: path.join(dir, name), got }, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse("text that is no JSON", cause);
  }
  const missing = entries.find((entry) => !isObject(isObject(value) ? value[entry] : undefined));
  if (missing !== undefined) throw refuse(`JSON without "${missing}"`);
  return value as T;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): TranslationModel<TranslationCard> {
  const card = readJson<TranslationCard>(dir, CARD, ["model", "decoding", "data"]);
  const { beam, lengthPenalty, maxPieces } = card.decoding;
  if (!(beam >= 1 && lengthPenalty >= 0 && maxPieces >= 1)) {
    const got = `decoding ${JSON.stringify(card.decoding)}`;
    throw new DataError("MODEL_DAMAGED", { op: "loadTranslator", file: path.join(dir, CARD), got });
  }
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
  const op = "loadTranslator";
  const file = path.join(dir, WEIGHTS);
  const values: Record<string, Float32Array> = {};
  for (const [name, { shape }] of Object.entries(specs)) {
    const tensor = tensors[name];
    if (tensor?.dtype !== "F16" || tensor.shape.join() !== shape.join()) {
      const got = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "nothing";
      const rule = `${name} must be F16 [${shape.join(", ")}]`;
      throw new DataError("MODEL_TENSOR", { op, file, rule, got });
    }
    values[name] = decodeFloat16(tensor.data);
  }
  const extra = Object.keys(tensors).find((name) => !(name in specs));
  if (extra !== undefined) {
    throw new DataError("MODEL_TENSOR", { op, file, rule: "every tensor must be the model's", got: extra });
  }
  return { model: new Seq2Seq(config, values), source, target, card };
}
