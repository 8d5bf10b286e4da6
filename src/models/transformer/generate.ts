import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { padBatch } from "../../data/batching.ts";
import { tidyData } from "../../ops/tidy.ts";
import { KeyValueCache } from "./cache.ts";
import { checkSampling, chooseToken, type SamplingOptions } from "./sampling.ts";
import type { Transformer } from "./transformer.ts";

export interface GenerateOptions extends SamplingOptions {
  /** Tokens to add at most, from 1. */
  maxTokens: number;
  /** Chooses the tokens; the same seed chooses the same for an example, whatever stands beside it. @default 0 */
  seed?: number;
  /** Tokens that end a text; they are not part of it. @default none */
  stop?: readonly number[];
  /** Told of each token as it comes. */
  onToken?: (example: number, id: number) => void;
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
  options: GenerateOptions,
): number[][] {
  const { maxTokens, seed = 0, stop = [], onToken, ...sampling } = options;
  checkPrompts(model, prompts, maxTokens);
  checkSampling("generate", sampling);
  const longest = Math.max(...prompts.map(({ length }) => length));
  const cache = new KeyValueCache(model, { examples: prompts.length, capacity: longest + maxTokens });
  const randoms = prompts.map((_, n) => new RandomStream(seed, n));
  const added: number[][] = prompts.map(() => []);
  let open = prompts.map((_, n) => n);
  let rows: readonly (readonly number[])[] = prompts;
  try {
    for (let n = 0; n < maxTokens; n++) {
      const logits = nextLogits(model, rows, cache);
      const V = model.config.vocabulary;
      const chosen = open.map((example, row) =>
        chooseToken(logits.subarray(row * V, (row + 1) * V), sampling, randoms[example]!),
      );
      const going = chosen.map((_, row) => row).filter((row) => !stop.includes(chosen[row]!));
      for (const row of going) {
        added[open[row]!]!.push(chosen[row]!);
        onToken?.(open[row]!, chosen[row]!);
      }
      if (going.length === 0) break;
      if (going.length < open.length) cache.keep(going);
      open = going.map((row) => open[row]!);
      rows = going.map((row) => [chosen[row]!]);
    }
  } finally {
    cache.dispose();
  }
  return added;
}

/** Scores of what follows each row, as [rows · V] numbers; the rows' tokens are added to the cache. */
function nextLogits(
  model: Transformer,
  rows: readonly (readonly number[])[],
  cache: KeyValueCache,
): Float32Array {
  const { ids, lengths, width: T } = padBatch(rows);
  return tidyData(() => {
    const tokens = tf.tensor2d(ids, [rows.length, T], "int32");
    const states = model.decode({ tokens, ...(T > 1 && { lengths }) }, { cache });
    const flat = tf.reshape(states, [rows.length * T, -1]) as tf.Tensor2D;
    const last = lengths.map((length, b) => b * T + length - 1);
    const ends = T === 1 ? flat : tf.gather(flat, tf.tensor1d(last, "int32"));
    return model.logits(ends).dataSync() as Float32Array;
  });
}

function checkPrompts(model: Transformer, prompts: readonly (readonly number[])[], maxTokens: number): void {
  const op = "generate";
  const { vocabulary: V, head, decoderLayers, encoderLayers } = model.config;
  if (!head || decoderLayers === 0 || encoderLayers > 0) {
    const rule = "the model must be a decoder alone, with a head";
    throw new OptionError("CONFLICT", {
      op,
      rule,
      got: "another one",
      remedy: "use beamSearch for an encoder and a decoder",
    });
  }
  if (!(Number.isSafeInteger(maxTokens) && maxTokens >= 1)) {
    throw new OptionError("OPTION", {
      op,
      rule: "maxTokens must be an integer ≥ 1",
      got: maxTokens,
      remedy: "choose one in that range",
    });
  }
  const empty = prompts.findIndex(({ length }) => length === 0);
  if (prompts.length === 0 || empty >= 0) {
    const got = prompts.length === 0 ? "no prompt" : `prompt ${empty} without tokens`;
    throw new OptionError("OPTION", {
      op,
      rule: "every prompt must have a token",
      got,
      remedy: "begin with the token that begins a text",
    });
  }
  for (const id of prompts.flat()) {
    if (Number.isSafeInteger(id) && id >= 0 && id < V) continue;
    throw new OptionError("UNKNOWN", {
      op,
      rule: `a token must be an integer from 0 to ${V - 1}`,
      got: id,
      remedy: "use the tokenizer of this model",
    });
  }
}
