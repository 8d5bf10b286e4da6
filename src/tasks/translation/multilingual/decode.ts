import * as tf from "@tensorflow/tfjs-core";
import { padBatch } from "../../../data/batching.ts";
import { END, PAD, START, UNKNOWN } from "../../../data/bpe.ts";
import type { Hypothesis } from "../../../models/seq2seq/beam.ts";
import { searchTransformer } from "../../../models/transformer/beam-search.ts";
import type { Transformer } from "../../../models/transformer/transformer.ts";
import { attentionCalls } from "../../../ops/attention/observe.ts";
import { tidyData } from "../../../ops/tidy.ts";
import { longestOutput, longestRun } from "../text/guards.ts";
import type { TargetLanguage } from "../text/language.ts";
import type { JointPieces } from "./pieces.ts";
import { OutputRules } from "./rules.ts";

export interface DecodeOptions {
  beam: number;
  lengthPenalty: number;
  /** Longest output in pieces. @default what `longestOutput` of text/guards allows */
  maxLength?: number;
}

/** A phrase may stand in a row so often, whatever the source has. */
const LEAST_REPEATS = 3;
const TOKENS = { start: START, end: END, never: [PAD, START, UNKNOWN] };

/**
 * The likeliest translations of sources, best first. Every one holds what its source has to have copied; where the model
 * finds no such translation that ends, one that leaves something out.
 */
export function decode(
  model: Transformer,
  pieces: JointPieces,
  to: TargetLanguage,
  sources: readonly (readonly number[])[],
  { beam, lengthPenalty, maxLength }: DecodeOptions,
): Hypothesis[][] {
  const search = (some: readonly (readonly number[])[], isLenient: boolean) =>
    searchTransformer(model, some, {
      beam,
      lengthPenalty,
      maxLength: maxLength ?? ((source) => longestOutput(source.length)),
      tokens: TOKENS,
      outputs: pieces.outputs(to),
      restrictions: some.map((source) => rulesOf(source, pieces, isLenient)),
    });
  const found = search(sources, false);
  const open = found.flatMap(([best], i) => (best?.ended ? [] : [i]));
  const again = search(
    open.map((i) => sources[i]!),
    true,
  );
  for (const [k, i] of open.entries()) if (again[k]![0]?.ended) found[i] = again[k]!;
  return found;
}

function rulesOf(source: readonly number[], { placeholders }: JointPieces, isLenient: boolean): OutputRules {
  const mostRepeats = Math.max(LEAST_REPEATS, longestRun(source));
  return OutputRules.of(source, { end: END, placeholders, mostRepeats, isLenient });
}

/** Heads of a decoder's attention to its source. */
export interface AlignmentHeads {
  layer: number;
  /** Their mean is the alignment. */
  heads: readonly number[];
}

/**
 * Where each piece of given outputs looked: for each pair one row of source weights a piece. One pass through the decoder,
 * after the search, for the translations that are shown.
 */
export function alignments(
  model: Transformer,
  sources: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
  { layer, heads }: AlignmentHeads,
): Float32Array[][] {
  const source = padBatch(sources);
  const read = padBatch(targets.map((ids) => [START, ...ids.slice(0, -1)]));
  const [B, S, T] = [source.rows, source.width, read.width];
  const H = model.config.heads;
  const weights = tidyData(() => {
    const ids = tf.tensor2d(source.ids, [B, S], "int32");
    const memory = model.encode({ tokens: ids, lengths: source.lengths });
    let call = 0;
    let found: Float32Array | undefined;
    attentionCalls.during(
      (one) => {
        // Each layer attends to its own sequence, then to the source.
        if (call++ === 2 * layer + 1) found = one.weights().dataSync() as Float32Array;
      },
      () =>
        model.decode(
          { tokens: tf.tensor2d(read.ids, [B, T], "int32"), lengths: read.lengths },
          { memory, memoryLengths: source.lengths },
        ),
    );
    return found!;
  });
  return targets.map((ids, b) =>
    ids.map((_, t) => {
      const row = new Float32Array(sources[b]!.length);
      for (const h of heads)
        for (let s = 0; s < row.length; s++)
          row[s]! += weights[((b * H + h) * T + t) * S + s]! / heads.length;
      return row;
    }),
  );
}
