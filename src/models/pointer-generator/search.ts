import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { END, PAD, START, UNKNOWN } from "../../data/bpe.ts";
import { Beam, type Hypothesis } from "../seq2seq/beam.ts";
import { type SearchOptions, type StepDecoder, searchBeams } from "../seq2seq/search.ts";
import type { PointerMemory } from "./attention.ts";
import type { PointerState } from "./decoder.ts";
import { wordLogProbabilities } from "./mixture.ts";
import type { PointerGenerator } from "./pointer-generator.ts";
import { TrigramBlocking } from "./trigrams.ts";

export interface PointerSearchOptions extends SearchOptions {
  /** Let no three words in a row come twice in an output. @default false */
  blockTrigrams?: boolean;
  /** Whether the score reads the coverage. @default config.coverage */
  coverage?: boolean;
}

/**
 * Beam search with a pointer-generator for a batch of sources at once. The ids of an output from V on are the source's own
 * words. Each word of a hypothesis has its row of `weights` and its p_gen in `generate`; `coverageOf(weights)` is its
 * coverage. A model that can copy writes no `<unk>`: that is a place where a word was missing in training.
 *
 * @returns for every source its hypotheses, best first, at most `beam`
 * @throws ShapeError SHAPE for a source without a word · OptionError CONFLICT
 * @example
 * const sizes = { vocabulary: 20, embedding: 8, encoder: 8, decoder: 8, attention: 8 };
 * const model = new PointerGenerator({ ...DEFAULT_POINTER_GENERATOR, ...sizes }, 1);
 * const [[best]] = pointerSearch(model, padBatch([[4, 20, 5, 21]]), { beam: 4, maxLength: 3, blockTrigrams: true });
 * console.log(best.weights[0].length, coverageOf(best.weights)[0].length); // one for each word of the source
 * model.dispose();
 */
export function pointerSearch(
  model: PointerGenerator,
  source: PaddedBatch,
  options: PointerSearchOptions = {},
): Hypothesis[][] {
  const { beam: K = 1, maxLength, lengthPenalty: alpha = 1, blockTrigrams = false, coverage } = options;
  const { vocabulary: V, pointer } = model.config;
  const own = Math.max(0, ...source.ids.map((id) => id + 1 - V));
  const tokens = { start: START, end: END, never: pointer ? [PAD, START, UNKNOWN] : [PAD, START] };
  const beams = Array.from(source.lengths, (length, index) => {
    const most = maxLength ?? 2 * length + 10;
    return new Beam(index, K, most, alpha, tokens, blockTrigrams ? new TrigramBlocking() : undefined);
  });
  const decoder: StepDecoder<PointerState, PointerMemory> = {
    start: () => model.encode(source, { ...(coverage !== undefined && { coverage }) }),
    step(words, state, memory) {
      const step = model.decoder.step(model.embed(words), state, memory);
      const scores = model.logits(step.attentional);
      const read = (x: tf.Tensor) => x.dataSync() as Float32Array;
      const [weights, gates] = [read(step.weights), step.gate && read(step.gate)];
      const given = { logits: read(scores), norms: read(tf.logSumExp(scores, 1)), weights, gates };
      const logits = wordLogProbabilities({ ...given, words: memory.words.dataSync() as Int32Array, own });
      // Probabilities that sum to 1 have a norm of log 1.
      const norms = new Float32Array(words.length);
      const generate = gates?.map((z) => 1 / (1 + Math.exp(-z)));
      return { next: step.state, numbers: { logits, norms, weights, ...(generate && { generate }) } };
    },
  };
  return searchBeams(decoder, beams, K);
}
