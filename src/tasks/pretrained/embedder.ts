import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { DataError } from "../../core/errors.ts";
import { locateModel } from "../../data/locate-model.ts";
import { readJsonObject } from "../../models/pretrained/json-file.ts";
import type { LoadOptions } from "../../models/pretrained/load.ts";
import { mostTokens } from "../../models/transformer/config.ts";
import { tidyData } from "../../ops/tidy.ts";
import { byLength } from "../by-length.ts";
import { checkList } from "../check-texts.ts";
import { readDense } from "./dense.ts";
import { loadModel, type PretrainedModel } from "./model.ts";
import { normalized, type Pooling, pool, type Step } from "./pooling.ts";
import { readSentenceFiles } from "./sentence-files.ts";
import { encodeText } from "./tokenizer.ts";

const OP = "Embedder";

/** Texts of a batch: packed without padding, so that more of them would save nothing. */
const TEXTS_PER_BATCH = 32;
/** Tokens of a batch, unless one text has more: what the layers make of so many stays in the caches nearby. */
const TOKENS_PER_BATCH = 1024;
/** What tokenizer_config.json has where the tokenizer knows no longest text. */
const NO_LENGTH = 1e9;

/** A text as an embedder reads it. */
export interface EmbedderInput {
  readonly ids: readonly number[];
  /** Tokens of its end that were left out, because the model takes no more. */
  readonly cut: number;
}

export interface Embedding extends EmbedderInput {
  /** Numbers that are near those of texts that mean the same. */
  readonly embedding: Float32Array;
}

export interface EmbedderOptions {
  /** How the states of tokens become one vector. @default what the model's files say, else "mean" */
  readonly pooling?: Pooling | undefined;
  /** Embeddings have length 1. @default what the model's files say, `true` where there are none */
  readonly normalize?: boolean | undefined;
}

/** What an embedder does with the states. */
interface Settings {
  readonly poolings: readonly Pooling[];
  /** What comes after pooling, normalisation among it. */
  readonly steps: readonly Step[];
  readonly hasFiles: boolean;
  readonly maxLength: number;
  readonly prepare: (text: string) => string;
}

/**
 * A published model that turns texts into vectors, as sentence-transformers does.
 *
 * Texts are embedded in batches of similar length, packed one after another: nothing is padded, and each text gives what it
 * gives alone, bit for bit.
 *
 * @example
 * const embedder = await loadEmbedder("my-model"); // a folder as the Hugging Face hub has it
 * const [a, b] = embedder.embed(["The cat sat.", "The dog sat."]);
 * cosine(a.embedding, b.embedding); // at most 1
 * embedder.dispose();
 */
export class Embedder {
  readonly model: PretrainedModel;
  readonly poolings: readonly Pooling[];
  /** Tokens of the longest text; what is longer is cut. */
  readonly maxLength: number;
  /** Whether the model has the files of sentence-transformers. */
  readonly hasFiles: boolean;
  readonly #steps: readonly Step[];
  readonly #prepare: (text: string) => string;

  constructor(model: PretrainedModel, settings: Partial<Settings> = {}) {
    const { max_position_embeddings: declared } = model.config;
    const own = mostTokens(model.model.config);
    // A table of positions knows its length better than config.json, which may say more or less.
    const most = own < Infinity || !Number.isSafeInteger(declared) ? own : (declared as number);
    this.model = model;
    this.poolings = settings.poolings ?? ["mean"];
    this.maxLength = Math.min(settings.maxLength ?? Infinity, most);
    this.hasFiles = settings.hasFiles ?? false;
    this.#steps = settings.steps ?? [normalized];
    this.#prepare = settings.prepare ?? ((text) => text);
  }

  /** Whether embeddings are brought to length 1. */
  get isNormalized(): boolean {
    return this.#steps.at(-1) === normalized;
  }

  /**
   * The ids of a text, of which the end is cut where the model takes no more: what stands around every text stays.
   *
   * @throws DataError MISSING without a tokenizer, UNKNOWN, SHAPE for a text without a token
   */
  encode(text: string): EmbedderInput {
    const prepared = this.#prepare(text);
    const ids = this.#ids(prepared);
    const cut = Math.max(0, ids.length - this.maxLength);
    const kept = cut === 0 ? ids : this.#shortened(prepared, ids, cut);
    this.model.check(kept);
    return { ids: kept, cut };
  }

  #ids(text: string, special = true): readonly number[] {
    const { model } = this;
    // Says that there is none.
    if (!model.tokenizer) return model.encode(text).ids;
    return encodeText(model.tokenizer, text, { special }).ids;
  }

  #shortened(text: string, ids: readonly number[], cut: number): number[] {
    const own = this.#ids(text, false);
    const around = ids.length - own.length;
    const before = ids.findIndex(
      (_, at) => at + own.length <= ids.length && own.every((id, n) => ids[at + n] === id),
    );
    if (before < 0 || around > this.maxLength) {
      const rule = `a text must have at most ${this.maxLength} tokens`;
      throw new DataError("LIMIT", { op: OP, rule, got: ids.length, remedy: "give a shorter one" });
    }
    return [...ids.slice(0, before + own.length - cut), ...ids.slice(before + own.length)];
  }

  /**
   * One embedding for each text, or list of ids, in their order.
   *
   * @throws OptionError OPTION for what is no list · DataError MISSING, UNKNOWN, SHAPE, LIMIT as `encode`
   */
  embed(texts: readonly (string | readonly number[])[]): Embedding[] {
    checkList(`${OP}.embed`, texts);
    const inputs = texts.map((text) => {
      if (typeof text === "string") return this.encode(text);
      this.model.check(text);
      return { ids: text, cut: 0 };
    });
    const embeddings = byLength(
      inputs.map(({ ids }) => ids),
      TEXTS_PER_BATCH,
      (batch) => batchesOf(batch).flatMap((part) => this.#run(part)),
    );
    return inputs.map((input, n) => ({ ...input, embedding: embeddings[n]! }));
  }

  /** The embeddings of texts that are packed in one row. */
  #run(batch: readonly (readonly number[])[]): Float32Array[] {
    const lengths = batch.map(({ length }) => length);
    const { model } = this.model;
    const states = tidyData(() => {
      const ids = Int32Array.from(batch.flat());
      const inputs = { tokens: tf.tensor2d(ids, [1, ids.length], "int32"), segments: [lengths] };
      return (model.config.encoderLayers > 0 ? model.encode(inputs) : model.decode(inputs)).dataSync();
    }) as Float32Array;
    const { width } = model.config;
    let end = 0;
    return lengths.map((T) => {
      const start = end;
      end += T * width;
      const pooled = pool(states.subarray(start, end), width, this.poolings);
      return Float32Array.from(this.#steps.reduce((x, step) => step(x), pooled));
    });
  }

  dispose(): void {
    this.model.dispose();
  }
}

/** Parts of a batch that are short enough, at least one text each. */
function batchesOf(batch: readonly (readonly number[])[]): (readonly number[])[][] {
  const parts: (readonly number[])[][] = [];
  let tokens = Infinity;
  for (const ids of batch) {
    tokens += ids.length;
    if (tokens > TOKENS_PER_BATCH) {
      parts.push([]);
      tokens = ids.length;
    }
    parts.at(-1)!.push(ids);
  }
  return parts;
}

/**
 * Loads a published model that embeds texts, from a folder as the hub has it: pooling, a dense map, normalisation, the longest
 * text and its case are as the files of sentence-transformers say. Without these a mean of the states is normalised, as
 * all-MiniLM-L6-v2 does.
 *
 * @throws FileError MISSING, UNREADABLE · DataError DAMAGED, FORMAT, UNSUPPORTED, MISSING, MISMATCH, LIMIT
 * @example
 * const embedder = await loadEmbedder("my-model", { pooling: "cls", normalize: false });
 * embedder.embed(["The cat sat."])[0].embedding.length; // 6
 * embedder.dispose();
 */
export async function loadEmbedder(
  place: string,
  { pooling, normalize, ...options }: EmbedderOptions & LoadOptions = {},
): Promise<Embedder> {
  const files = readSentenceFiles(locateModel(place));
  const poolings = pooling === undefined ? files.poolings : [pooling];
  const model = await loadModel(files.place, options);
  try {
    const steps: Step[] = [];
    const wanted = files.steps.filter(({ kind }) => kind === "dense" || normalize !== false);
    let width = poolings.length * model.model.config.width;
    for (const step of wanted) {
      if (step.kind === "normalize") steps.push(normalized);
      else {
        const dense = await readDense("loadEmbedder", step.folder, width);
        steps.push(dense.apply);
        width = dense.width;
      }
    }
    if (normalize && wanted.at(-1)?.kind !== "normalize") steps.push(normalized);
    const prepare = (text: string) => {
      const given = (files.prompt + text).trim();
      return files.lowerCase ? given.toLowerCase() : given;
    };
    const maxLength = files.maxLength ?? longest(files.folder);
    return new Embedder(model, { poolings, steps, maxLength, prepare, hasFiles: files.areThere });
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The longest text of a tokenizer. */
function longest(folder: string): number {
  const { model_max_length: length } =
    readJsonObject("loadEmbedder", path.join(folder, "tokenizer_config.json")) ?? {};
  return Number.isSafeInteger(length) && (length as number) >= 1 && (length as number) < NO_LENGTH
    ? (length as number)
    : Infinity;
}
