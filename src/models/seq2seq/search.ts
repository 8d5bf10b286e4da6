import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { Beam, type Hypothesis } from "./beam.ts";
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

/** What the decoder reads at a step. */
type Reading = { state: DecoderState; memory: Memory };

/**
 * Beam search for a batch of sources at once (greedy where `beam` is 1). The hypotheses of a source are the rows of
 * one attention call, so its keys are not copied for each; sources that are done leave the batch.
 *
 * @returns for every source its hypotheses, best first, at most `beam`
 */
export function beamSearch(model: Seq2Seq, source: PaddedBatch, options: SearchOptions = {}): Hypothesis[][] {
  const { beam: K = 1, maxLength, lengthPenalty: alpha = 1 } = options;
  const results: Hypothesis[][] = Array.from({ length: source.rows }, () => []);
  if (source.rows === 0) return results;
  let beams = Array.from(
    source.lengths,
    (length, index) => new Beam(index, K, maxLength ?? 2 * length + 10, alpha),
  );
  let reading = tf.tidy(() => {
    const { state, memory } = model.encode(source);
    return { state: K === 1 ? state : gatherRows(state, repeatEach(source.rows, K)), memory };
  });
  try {
    while (beams.length > 0) {
      const before = reading;
      reading = tf.tidy(() => {
        const { next, numbers } = decode(model, before, beams);
        const rows = beams.map((beam, b) => beam.advance(numbers, b * K));
        const open = beams.map((_, b) => b).filter((b) => rows[b] !== undefined);
        for (const [b, beam] of beams.entries()) if (!rows[b]) results[beam.source] = beam.ranked;
        const all = open.length === beams.length;
        beams = open.map((b) => beams[b]);
        if (open.length === 0) return before;
        const state =
          K === 1 && all
            ? next
            : gatherRows(
                next,
                open.flatMap((b) => rows[b]!),
              );
        return { state, memory: all ? before.memory : gatherRows(before.memory, open) };
      });
      release(before, reading);
    }
  } finally {
    tf.dispose(reading);
  }
  return results;
}

/** One step of all live hypotheses, and its numbers in ordinary memory. */
function decode(model: Seq2Seq, { state, memory }: Reading, beams: Beam[]) {
  const tokens = Int32Array.from(beams.flatMap((beam) => beam.tokens));
  const { state: next, attentional, weights } = model.decoder.step(model.wordGates(tokens), state, memory);
  const logits = model.logits(attentional);
  const read = (x: tf.Tensor) => x.dataSync() as Float32Array;
  return {
    next,
    numbers: { logits: read(logits), norms: read(tf.logSumExp(logits, 1)), weights: read(weights) },
  };
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
function release(before: Reading, after: Reading): void {
  const kept = new Set(tensorsOf(after));
  for (const tensor of tensorsOf(before)) if (!kept.has(tensor)) tensor.dispose();
}

function tensorsOf({ state, memory }: Reading): tf.Tensor[] {
  return [...state.cell, state.feed, ...Object.values(memory)].filter((x) => x !== undefined);
}
