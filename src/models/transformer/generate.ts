import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { padBatch } from "../../data/batching.ts";
import { tidyData } from "../../ops/tidy.ts";
import { KeyValueCache } from "./cache.ts";
import { checkTransformer } from "./check-model.ts";
import { checkSampling, chooseToken, type SamplingOptions } from "./sampling.ts";
import type { DecodeOptions, Transformer } from "./transformer.ts";

export interface GenerateOptions extends SamplingOptions {
  /** Tokens to add at most, from 1. */
  maxTokens: number;
  /** Chooses the tokens; the same seed chooses the same for an example, whatever stands beside it. @default 0 */
  seed?: number;
  /** Tokens that end a text; they are not part of it. @default none */
  stop?: readonly number[];
  /** Of an encoder and a decoder: what the encoder reads, one for each prompt. @default none: the model is a decoder alone */
  sources?: readonly (readonly number[])[];
  /** Told of each token as it comes. */
  onToken?: (example: number, id: number) => void;
}

/** What one step of `generateSteps` chose. */
export interface GeneratedStep {
  /** The prompts that go on, and what follows each of them. */
  readonly tokens: readonly { readonly example: number; readonly id: number }[];
  /** Scores of what follows each prompt that went on until here, [prompts · V]; valid until the next step. */
  readonly logits: Float32Array;
}

/**
 * Continues texts with a decoder, each token from the states of those before it, which are kept.
 *
 * @param prompts ids, at least one each; they may have different lengths
 * @returns for each prompt the tokens that follow it
 * @throws OptionError OPTION, UNKNOWN, CONFLICT · ShapeError LIMIT where the model has too few positions
 * @example
 * const model = new Transformer(gpt2({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * const [added] = generate(model, [[3, 1, 4]], { maxTokens: 5 });
 * added.length; // 5
 */
export function generate(
  model: Transformer,
  prompts: readonly (readonly number[])[],
  { onToken, ...options }: GenerateOptions,
): number[][] {
  const added: number[][] = prompts.map(() => []);
  for (const { tokens } of generateSteps(model, prompts, options)) {
    for (const { example, id } of tokens) {
      added[example]!.push(id);
      onToken?.(example, id);
    }
  }
  return added;
}

/**
 * `generate`, one token of every text at a time, so that whoever asks may do something else meanwhile, or ask no further: what
 * is kept is freed then too.
 *
 * @throws OptionError OPTION, UNKNOWN, CONFLICT · ShapeError LIMIT where the model has too few positions
 * @example
 * const model = new Transformer(gpt2({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * const counts = [];
 * for (const { tokens } of generateSteps(model, [[3, 1], [4]], { maxTokens: 3 })) counts.push(tokens.length);
 * counts; // [2, 2, 2]
 */
export function* generateSteps(
  model: Transformer,
  prompts: readonly (readonly number[])[],
  options: Omit<GenerateOptions, "onToken">,
): Generator<GeneratedStep, void, void> {
  const { maxTokens, seed = 0, stop = [], sources, ...sampling } = options;
  checkTransformer("generate", model);
  checkPrompts(model, prompts, options);
  checkSampling("generate", sampling);
  const V = model.config.vocabulary;
  const longest = Math.max(...prompts.map(({ length }) => length));
  const randoms = prompts.map((_, n) => new RandomStream(seed, n));
  const read = prompts.map((prompt) => [...prompt]);
  let open = prompts.map((_, n) => n);
  let rows: readonly (readonly number[])[] = prompts;
  let memory = sources && encoded(model, sources);
  const cache = new KeyValueCache(model, { examples: prompts.length, capacity: longest + maxTokens });
  try {
    for (let n = 0; n < maxTokens && open.length > 0; n++) {
      const logits = nextLogits(model, rows, { cache, ...memory });
      memory?.memory.dispose();
      memory = undefined;
      const chosen = open.map((example, row) =>
        chooseToken(logits.subarray(row * V, (row + 1) * V), sampling, randoms[example]!, read[example]),
      );
      const going = chosen.map((_, row) => row).filter((row) => !stop.includes(chosen[row]!));
      const tokens = going.map((row) => ({ example: open[row]!, id: chosen[row]! }));
      for (const { example, id } of tokens) read[example]!.push(id);
      yield { tokens, logits };
      if (going.length > 0 && going.length < open.length) cache.keep(going);
      open = tokens.map(({ example }) => example);
      rows = tokens.map(({ id }) => [id]);
    }
  } finally {
    memory?.memory.dispose();
    cache.dispose();
  }
}

/** What the decoder reads of the sources; the caller disposes it. */
function encoded(model: Transformer, sources: readonly (readonly number[])[]) {
  const { ids, lengths, width: S } = padBatch(sources);
  const memory = tf.tidy(() =>
    model.encode({ tokens: tf.tensor2d(ids, [sources.length, S], "int32"), lengths }),
  );
  return { memory, memoryLengths: lengths };
}

/** Scores of what follows each row, as [rows · V] numbers; the rows' tokens are added to the cache. */
function nextLogits(
  model: Transformer,
  rows: readonly (readonly number[])[],
  given: DecodeOptions,
): Float32Array {
  const { ids, lengths, width: T } = padBatch(rows);
  return tidyData(() => {
    const tokens = tf.tensor2d(ids, [rows.length, T], "int32");
    const states = model.decode({ tokens, ...(T > 1 && { lengths }) }, given);
    const flat = tf.reshape(states, [rows.length * T, -1]) as tf.Tensor2D;
    const last = lengths.map((length, b) => b * T + length - 1);
    const ends = T === 1 ? flat : tf.gather(flat, tf.tensor1d(last, "int32"));
    return model.logits(ends).dataSync() as Float32Array;
  });
}

function checkPrompts(
  model: Transformer,
  prompts: readonly (readonly number[])[],
  { maxTokens, sources }: Pick<GenerateOptions, "maxTokens" | "sources">,
): void {
  const op = "generate";
  const { vocabulary: V, head, decoderLayers, encoderLayers } = model.config;
  const refuse = (code: "CONFLICT" | "OPTION" | "UNKNOWN", rule: string, got: unknown, remedy: string) => {
    throw new OptionError(code, { op, rule, got, remedy });
  };
  if (!head || decoderLayers === 0 || (encoderLayers > 0 && !sources))
    refuse(
      "CONFLICT",
      "the model must be a decoder alone, with a head, or sources must come with the prompts",
      "another one",
      "give sources, or use beamSearch, for an encoder and a decoder",
    );
  if (sources && (encoderLayers === 0 || sources.length !== prompts.length))
    refuse(
      "CONFLICT",
      "there must be a source for each prompt where the model has an encoder, and none elsewhere",
      `${sources.length} for ${prompts.length} prompts and ${encoderLayers} layers of an encoder`,
      "leave them out for a decoder alone",
    );
  if (!(Number.isSafeInteger(maxTokens) && maxTokens >= 1))
    refuse("OPTION", "maxTokens must be an integer ≥ 1", maxTokens, "choose one in that range");
  const named = Object.entries({ prompt: prompts, source: sources ?? [] });
  const empty = named.flatMap(([name, rows]) =>
    rows.flatMap(({ length }, n) => (length === 0 ? `${name} ${n} without tokens` : [])),
  );
  if (prompts.length === 0) empty.push("no prompt");
  if (empty[0])
    refuse("OPTION", "every prompt must have a token", empty[0], "begin with the token that begins a text");
  for (const id of named.flatMap(([, rows]) => rows.flat())) {
    if (Number.isSafeInteger(id) && id >= 0 && id < V) continue;
    refuse("UNKNOWN", `a token must be an integer from 0 to ${V - 1}`, id, "use the tokenizer of this model");
  }
}
