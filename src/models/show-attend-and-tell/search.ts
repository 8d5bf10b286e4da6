import * as tf from "@tensorflow/tfjs-core";
import { END, PAD, START, UNKNOWN } from "../../data/bpe.ts";
import type { AttendedMemory } from "../pointer-generator/attention.ts";
import { Beam, type Hypothesis } from "../seq2seq/beam.ts";
import { type SearchOptions, type StepDecoder, searchBeams } from "../seq2seq/search.ts";
import type { TellerState } from "./decoder.ts";
import type { ShowAttendAndTell } from "./show-attend-and-tell.ts";

const TOKENS = { start: START, end: END, never: [PAD, START, UNKNOWN] };

/**
 * Beam search of captions for a batch of images at once (greedy where `beam` is 1). Each word of a hypothesis has its map
 * in `weights`, [L], and its β in `gate`.
 *
 * @param annotations [B, L, D]
 * @returns for every image its hypotheses, best first, at most `beam`
 * @throws ShapeError RANK, SHAPE
 * @example
 * const sizes = { vocabulary: 11, annotation: 6, embedding: 4, decoder: 8, attention: 4 };
 * const model = new ShowAttendAndTell({ ...sizes, kind: "soft", dropout: 0, contextDropout: 0 }, 1);
 * const [[best]] = captionSearch(model, tf.ones([1, 9, 6]), { beam: 3, maxLength: 5 });
 * best.weights[0].length; // 9
 * model.dispose();
 */
export function captionSearch(
  model: ShowAttendAndTell,
  annotations: tf.Tensor3D,
  { beam: K = 1, maxLength = 20, lengthPenalty: alpha = 1 }: SearchOptions = {},
): Hypothesis[][] {
  model.checkAnnotations("captionSearch", annotations);
  const beams = Array.from(
    { length: annotations.shape[0] },
    (_, image) => new Beam(image, K, maxLength, alpha, TOKENS),
  );
  const decoder: StepDecoder<TellerState, AttendedMemory> = {
    // A search frees what it no longer reads: the annotations stay the caller's.
    start: () => model.decoder.start(tf.clone(annotations)),
    step(words, state, memory) {
      const step = model.decoder.step(model.embed(words), state, memory);
      const logits = model.logits(step.deep);
      const read = (x: tf.Tensor) => x.dataSync() as Float32Array;
      const numbers = { logits: read(logits), norms: read(tf.logSumExp(logits, 1)) };
      return {
        next: step.state,
        numbers: { ...numbers, weights: read(step.weights), gate: read(step.gate) },
      };
    },
  };
  return searchBeams(decoder, beams, K);
}
