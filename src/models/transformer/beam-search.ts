import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { padBatch } from "../../data/batching.ts";
import { tidyData } from "../../ops/tidy.ts";
import { Beam, type Hypothesis, type SearchTokens } from "../seq2seq/beam.ts";
import { KeyValueCache } from "./cache.ts";
import type { Transformer } from "./transformer.ts";

export interface TransformerSearchOptions {
  /** Hypotheses kept at each step; 1 is greedy. At most the vocabulary. @default 1 */
  beam?: number;
  /** Longest output in tokens. @default 2·source + 10, for each source its own */
  maxLength?: number;
  /** α of the length penalty of Wu et al. (arxiv.org/abs/1609.08144); 0 favours short outputs. @default 1 */
  lengthPenalty?: number;
  /** What begins and ends an output, and what it may not hold. */
  tokens: SearchTokens;
}

/**
 * The likeliest outputs of an encoder and a decoder for a batch of sources, by beam search (greedy where `beam` is 1).
 * The hypotheses of a source are rows of one attention call; choosing among them moves no key and no value. Sources that
 * are done leave the batch.
 *
 * @param sources ids of each source, at least one
 * @returns for every source its hypotheses, best first, at most `beam`; their `weights` are empty
 * @throws OptionError OPTION, CONFLICT
 * @example
 * const model = new Transformer(vaswani({ encoderLayers: 1, decoderLayers: 1, width: 8, heads: 2, vocabulary: 11 }), 1);
 * const [[best]] = searchTransformer(model, [[3, 4, 5]], { beam: 2, tokens: { start: 1, end: 2, never: [0, 1] } });
 * best.ids.length <= 16; // true
 */
export function searchTransformer(
  model: Transformer,
  sources: readonly (readonly number[])[],
  options: TransformerSearchOptions,
): Hypothesis[][] {
  const { beam: K = 1, maxLength, lengthPenalty = 1, tokens } = options;
  check(model, sources, options);
  const results: Hypothesis[][] = sources.map(() => []);
  if (sources.length === 0) return results;
  const longest = (source: readonly number[]) => maxLength ?? 2 * source.length + 10;
  let beams = sources.map((source, n) => new Beam(n, K, longest(source), lengthPenalty, tokens));
  // One row for what begins all outputs, then one for each hypothesis and step.
  const capacity = 1 + K * Math.max(...sources.map(longest));
  const cache = new KeyValueCache(model, { examples: sources.length, capacity });
  const { ids: sourceIds, lengths, rows: B, width: S } = padBatch(sources);
  let memory: tf.Tensor3D | undefined;
  try {
    memory = tf.tidy(() => model.encode({ tokens: tf.tensor2d(sourceIds, [B, S], "int32"), lengths }));
    let parents: number[] | undefined;
    while (beams.length > 0) {
      const width = parents ? K : 1;
      const ids = parents ? beams.flatMap((beam) => beam.tokens) : beams.map(() => tokens.start);
      const given = {
        cache,
        ...(memory && { memory, memoryLengths: lengths }),
        ...(parents && { parents }),
      };
      const step = tidyData(() => {
        const states = model.decode({ tokens: tf.tensor2d(ids, [beams.length, width], "int32") }, given);
        const logits = model.logits(tf.reshape(states, [beams.length * width, -1]) as tf.Tensor2D);
        return {
          logits: logits.dataSync() as Float32Array,
          norms: tf.logSumExp(logits, 1).dataSync() as Float32Array,
          weights: new Float32Array(0),
        };
      });
      memory?.dispose();
      memory = undefined;
      const rows = beams.map((beam, b) => beam.advance(step, b * width));
      const open = beams.map((_, b) => b).filter((b) => rows[b] !== undefined);
      for (const [b, beam] of beams.entries()) if (!rows[b]) results[beam.source] = beam.ranked;
      if (open.length > 0 && open.length < beams.length) cache.keep(open);
      parents = open.flatMap((b) => rows[b]!.map((row) => (parents ? row - b * width : -1)));
      beams = open.map((b) => beams[b]!);
    }
  } finally {
    memory?.dispose();
    cache.dispose();
  }
  return results;
}

function check(
  { config: { encoderLayers, decoderLayers, head, vocabulary: V } }: Transformer,
  sources: readonly (readonly number[])[],
  { beam = 1, maxLength = 1 }: TransformerSearchOptions,
): void {
  const op = "searchTransformer";
  const refuse = (code: "OPTION" | "CONFLICT", rule: string, got: unknown, remedy: string): never => {
    throw new OptionError(code, { op, rule, got, remedy });
  };
  if (encoderLayers === 0 || decoderLayers === 0 || !head)
    refuse(
      "CONFLICT",
      "the model must have an encoder, a decoder and a head",
      "another one",
      "use generate for a decoder alone",
    );
  if (!(Number.isSafeInteger(beam) && beam >= 1 && beam <= V))
    refuse(
      "OPTION",
      `beam must be an integer from 1 to the ${V} tokens of the vocabulary`,
      beam,
      "4 is usual",
    );
  if (!(Number.isSafeInteger(maxLength) && maxLength >= 1))
    refuse(
      "OPTION",
      "maxLength must be an integer ≥ 1",
      maxLength,
      "choose one in that range or leave it out",
    );
  const empty = sources.findIndex(({ length }) => length === 0);
  if (empty >= 0)
    refuse("OPTION", "every source must have a token", `none in source ${empty}`, "leave it out");
}
