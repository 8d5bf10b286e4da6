import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { END, PAD, START, UNKNOWN } from "../../data/bpe.ts";
import { Beam, type Hypothesis } from "../seq2seq/beam.ts";
import { type SearchOptions, type StepDecoder, searchBeams } from "../seq2seq/search.ts";
import type { PointerMemory } from "./attention.ts";
import type { PointerState, PointerStep } from "./decoder.ts";
import { wordLogProbabilities } from "./mixture.ts";
import type { PointerGenerator } from "./pointer-generator.ts";
import { TrigramBlocking } from "./trigrams.ts";

export interface PointerSearchOptions extends SearchOptions {
  /** Let no three words in a row come twice in an output. @default false */
  blockTrigrams?: boolean;
  /** Whether the score reads the coverage. @default config.coverage */
  coverage?: boolean;
  /** Whether words are copied: without it p_gen is 1, and nothing comes out that the vocabulary lacks. @default config.pointer */
  pointing?: boolean;
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
  const {
    beam: K = 1,
    maxLength,
    lengthPenalty: alpha = 1,
    blockTrigrams = false,
    coverage,
    pointing,
  } = options;
  const own = ownWords(model, source);
  const tokens = { start: START, end: END, never: neverWritten(model) };
  const beams = Array.from(source.lengths, (length, index) => {
    const most = maxLength ?? 2 * length + 10;
    return new Beam(index, K, most, alpha, tokens, blockTrigrams ? new TrigramBlocking() : undefined);
  });
  const decoder: StepDecoder<PointerState, PointerMemory> = {
    start: () => model.encode(source, { ...(coverage !== undefined && { coverage }) }),
    step(words, state, memory) {
      const step = model.decoder.step(model.embed(words), state, memory);
      const { logits, weights, gates } = nextWords(model, step, memory, { own, pointing });
      // Probabilities that sum to 1 have a norm of log 1.
      const norms = new Float32Array(words.length);
      const generate = gates?.map((z) => 1 / (1 + Math.exp(-z)));
      return { next: step.state, numbers: { logits, norms, weights, ...(generate && { generate }) } };
    },
  };
  return searchBeams(decoder, beams, K);
}

/** How many numbers from V on a batch of sources has. */
const ownWords = ({ config }: PointerGenerator, { ids }: PaddedBatch): number =>
  Math.max(0, ...ids.map((id) => id + 1 - config.vocabulary));

/** What no output may hold. */
const neverWritten = ({ config }: PointerGenerator): number[] =>
  config.pointer ? [PAD, START, UNKNOWN] : [PAD, START];

/** log P of every word that a step can write, [N, V + own], with what it is mixed of. */
function nextWords(
  model: PointerGenerator,
  step: PointerStep,
  memory: PointerMemory,
  { own, pointing = true }: { own: number; pointing?: boolean | undefined },
) {
  const scores = model.logits(step.attentional);
  const read = (x: tf.Tensor) => x.dataSync() as Float32Array;
  const [weights, gates] = [read(step.weights), pointing ? step.gate && read(step.gate) : undefined];
  const given = { logits: read(scores), norms: read(tf.logSumExp(scores, 1)), weights, gates };
  const logits = wordLogProbabilities({ ...given, words: memory.words.dataSync() as Int32Array, own });
  return { logits, weights, gates };
}

export interface LikeliestOptions {
  /** Whether words are copied; see `PointerSearchOptions`. @default config.pointer */
  pointing?: boolean;
  /** Asks among the words alone that the vocabulary lacks and the source has. @default false */
  ownWords?: boolean;
}

/**
 * The word that a pointer-generator finds most likely at each place of targets, given all words before it: what teacher
 * forcing asks, without a loss. Of equals the smallest number; places behind the end of a target have PAD, and with `ownWords`
 * all places of a source that has none.
 *
 * @returns [B, T], the shape of `target`; from V on the source's own words
 * @throws ShapeError SHAPE for a source without a word
 * @example
 * const sizes = { vocabulary: 20, embedding: 8, encoder: 8, decoder: 8, attention: 8 };
 * const model = new PointerGenerator({ ...DEFAULT_POINTER_GENERATOR, ...sizes }, 1);
 * likeliestWords(model, padBatch([[4, 20, 5]]), padBatch([[20, 2]])).length; // 2
 * model.dispose();
 */
export function likeliestWords(
  model: PointerGenerator,
  source: PaddedBatch,
  target: PaddedBatch,
  { pointing, ownWords: isOwn = false }: LikeliestOptions = {},
): Int32Array {
  const { rows: B, width: T, ids, lengths } = target;
  const own = ownWords(model, source);
  const least = isOwn ? model.config.vocabulary : 0;
  const never = neverWritten(model);
  const found = new Int32Array(B * T).fill(PAD);
  tf.tidy(() => {
    const { memory, state: first } = model.encode(source);
    let state = first;
    for (let t = 0; t < T; t++) {
      const before = Int32Array.from({ length: B }, (_, n) => (t === 0 ? START : ids[n * T + t - 1]!));
      const step = model.decoder.step(model.embed(before), state, memory);
      const { logits } = nextWords(model, step, memory, { own, pointing });
      state = step.state;
      const W = logits.length / B;
      for (let n = 0; n < B; n++) {
        const row = logits.subarray(n * W, (n + 1) * W);
        for (const id of never) row[id] = -Infinity;
        const asked = row.subarray(least);
        const most = asked.reduce((best, x) => Math.max(best, x), -Infinity);
        if (t < lengths[n]! && most > -Infinity) found[n * T + t] = least + asked.indexOf(most);
      }
    }
  });
  return found;
}
