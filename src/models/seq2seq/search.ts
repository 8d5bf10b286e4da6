import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { tidy } from "../../ops/tidy.ts";
import { Beam, type Hypothesis, type StepNumbers } from "./beam.ts";
import type { DecoderState } from "./decoder.ts";
import type { Memory } from "./memory.ts";
import type { Seq2Seq } from "./seq2seq.ts";

export interface SearchOptions {
  /** Hypotheses kept at each step; 1 is greedy. @default 1 */
  beam?: number;
  /** Longest output in pieces. @default 2·source + 10, for each source its own */
  maxLength?: number;
  /** α of the length penalty; 0 favours short outputs. @default 1 */
  lengthPenalty?: number;
}

/** What a search asks of a model. */
export interface StepDecoder<S extends tf.TensorContainerObject, M extends tf.TensorContainerObject> {
  /** Reads the sources: the first state of each, and what every step reads of them. */
  start(): { state: S; memory: M };
  /** One step of hypotheses, those of a source neighbours, from their last tokens; its numbers in ordinary memory. */
  step(tokens: Int32Array, state: S, memory: M): { next: S; numbers: StepNumbers };
}

/**
 * Beam search for a batch of sources at once (greedy where `beam` is 1). The hypotheses of a source are the rows of
 * one attention call, so its keys are not copied for each; sources that are done leave the batch.
 *
 * @returns for every source its hypotheses, best first, at most `beam`
 */
export function beamSearch(model: Seq2Seq, source: PaddedBatch, options: SearchOptions = {}): Hypothesis[][] {
  const { beam: K = 1, maxLength, lengthPenalty: alpha = 1 } = options;
  const beams = Array.from(
    source.lengths,
    (length, index) => new Beam(index, K, maxLength ?? 2 * length + 10, alpha),
  );
  const decoder: StepDecoder<DecoderState, Memory> = {
    start: () => model.encode(source),
    step(tokens, state, memory) {
      const gates = model.wordGates(tokens);
      const { state: next, attentional, weights } = model.decoder.step(gates, state, memory);
      const logits = model.logits(attentional);
      const read = (x: tf.Tensor) => x.dataSync() as Float32Array;
      return {
        next,
        numbers: { logits: read(logits), norms: read(tf.logSumExp(logits, 1)), weights: read(weights) },
      };
    },
  };
  return searchBeams(decoder, beams, K);
}

/**
 * Runs beams of one width until each is done, whatever the model.
 *
 * @returns for every source its hypotheses, best first
 */
export function searchBeams<S extends tf.TensorContainerObject, M extends tf.TensorContainerObject>(
  decoder: StepDecoder<S, M>,
  all: readonly Beam[],
  width: number,
): Hypothesis[][] {
  const results: Hypothesis[][] = all.map(() => []);
  if (all.length === 0) return results;
  let beams = [...all];
  let reading = tidy(() => {
    const { state, memory } = decoder.start();
    return { state: width === 1 ? state : gatherRows(state, repeatEach(all.length, width)), memory };
  });
  try {
    while (beams.length > 0) {
      const before = reading;
      reading = tidy(() => {
        const tokens = Int32Array.from(beams.flatMap((beam) => beam.tokens));
        const { next, numbers } = decoder.step(tokens, before.state, before.memory);
        const rows = beams.map((beam, b) => beam.advance(numbers, b * width));
        const open = beams.map((_, b) => b).filter((b) => rows[b] !== undefined);
        for (const [b, beam] of beams.entries()) if (!rows[b]) results[beam.source] = beam.ranked;
        const isWhole = open.length === beams.length;
        beams = open.map((b) => beams[b]);
        if (open.length === 0) return before;
        const state =
          width === 1 && isWhole
            ? next
            : gatherRows(
                next,
                open.flatMap((b) => rows[b]!),
              );
        return { state, memory: isWhole ? before.memory : gatherRows(before.memory, open) };
      });
      release(before, reading);
    }
  } finally {
    tf.dispose(reading);
  }
  return results;
}

function repeatEach(rows: number, times: number): number[] {
  return Array.from({ length: rows * times }, (_, i) => Math.floor(i / times));
}

/** The same rows of every tensor; one that stands at two places is gathered once. */
function gatherRows<T extends tf.TensorContainerObject>(tensors: T, rows: number[]): T {
  const index = tf.tensor1d(rows, "int32");
  const done = new Map<tf.Tensor, tf.Tensor>();
  const take = (x: tf.TensorContainer): tf.TensorContainer => {
    if (Array.isArray(x)) return x.map(take);
    if (!(x instanceof tf.Tensor)) return x;
    const taken = done.get(x) ?? tf.gather(x, index);
    done.set(x, taken);
    return taken;
  };
  return Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, take(x)])) as T;
}

/** Frees what the next step no longer reads. */
function release(before: tf.TensorContainerObject, after: tf.TensorContainerObject): void {
  const kept = new Set(tensorsOf(after));
  for (const tensor of tensorsOf(before)) if (!kept.has(tensor)) tensor.dispose();
}

function tensorsOf(held: tf.TensorContainer): tf.Tensor[] {
  if (held instanceof tf.Tensor) return [held];
  return held && typeof held === "object" ? Object.values(held).flatMap(tensorsOf) : [];
}
