import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { END, PAD, START } from "../../data/bpe.ts";
import type { DecoderState } from "./decoder.ts";
import type { Seq2Seq } from "./seq2seq.ts";

/** One output of a search. */
export interface Hypothesis {
  /** Target pieces, END not included. */
  ids: number[];
  /** Where each piece looked: one row of source weights a piece. */
  weights: Float32Array[];
  /** Sum of the log-probabilities of the pieces and of END, in nats. */
  logProbability: number;
  /** `logProbability` over the length penalty: what hypotheses are ranked by. */
  score: number;
}

export interface SearchOptions {
  /** Hypotheses kept at each step; 1 is greedy. */
  beam?: number;
  /** Longest output in pieces. @default 2·source + 10, for each source its own */
  maxLength?: number;
  /** α of the length penalty ((5 + |y|) / 6)^α of Wu et al. (arxiv.org/abs/1609.08144); 0 favours short outputs. */
  lengthPenalty?: number;
}

/** ((5 + length) / 6)^α, END counted. */
export function lengthPenaltyOf(length: number, alpha: number): number {
  return ((5 + length) / 6) ** alpha;
}

/** A partial output: a piece and a pointer to what came before. */
interface Node {
  id: number;
  weights: Float32Array;
  before: Node | undefined;
}

interface Live {
  node: Node | undefined;
  logProbability: number;
  length: number;
}

interface Candidate {
  row: number;
  id: number;
  logProbability: number;
}

/** One source's share of the search. */
interface Beam {
  source: number;
  live: Live[];
  finished: Hypothesis[];
}

function unroll(node: Node | undefined): Pick<Hypothesis, "ids" | "weights"> {
  const ids: number[] = [];
  const weights: Float32Array[] = [];
  for (let at = node; at; at = at.before) {
    ids.push(at.id);
    weights.push(at.weights);
  }
  return { ids: ids.reverse(), weights: weights.reverse() };
}

/** The `count` best next pieces of one row, best first, PAD and START left out; ties go to the smaller id. */
function bestPieces(logits: Float32Array, from: number, to: number, count: number): number[] {
  const best: number[] = [];
  for (let i = from; i < to; i++) {
    const id = i - from;
    if (id === PAD || id === START) continue;
    if (best.length === count && logits[i] <= logits[from + best[count - 1]]) continue;
    let at = best.length === count ? count - 1 : best.length;
    while (at > 0 && logits[i] > logits[from + best[at - 1]]) {
      best[at] = best[at - 1];
      at--;
    }
    best[at] = id;
  }
  return best;
}

/** Next step's tensors: the state of chosen rows, and the memory of the sources that are still open. */
function gatherState(state: DecoderState, rows: number[]): DecoderState {
  const index = tf.tensor1d(rows, "int32");
  const take = (x: tf.Tensor2D) => tf.gather(x, index);
  return { cell: state.cell.map(take), ...(state.feed ? { feed: take(state.feed) } : {}) };
}

/**
 * Beam search for a batch of sources at once (greedy where `beam` is 1). The hypotheses of a source are the rows
 * of one attention call, so its keys are never copied; sources that are done leave the batch.
 *
 * A hypothesis is finished when END is among the `beam` best continuations; a source is done with `beam` finished
 * hypotheses or at `maxLength`. Returns, for every source, its hypotheses, best first.
 */
export function beamSearch(model: Seq2Seq, source: PaddedBatch, options: SearchOptions = {}): Hypothesis[][] {
  const { beam: K = 1, maxLength, lengthPenalty: alpha = 1 } = options;
  const results: Hypothesis[][] = Array.from({ length: source.rows }, () => []);
  if (source.rows === 0) return results;
  tf.tidy(() => {
    const encoded = model.encode(source);
    let { memory } = encoded;
    let state = K === 1 ? encoded.state : gatherState(encoded.state, repeatEach(source.rows, K));
    let beams: Beam[] = Array.from({ length: source.rows }, (_, index) => ({
      source: index,
      live: Array.from({ length: K }, (_, k) => ({
        node: undefined,
        logProbability: k ? -Infinity : 0,
        length: 0,
      })),
      finished: [],
    }));
    for (let t = 0; beams.length > 0; t++) {
      const next = tf.tidy(() => {
        const tokens = Int32Array.from(
          beams.flatMap(({ live }) => live.map(({ node }) => node?.id ?? START)),
        );
        const step = model.decoder.step(model.wordGates(tokens), state, memory);
        const logits = model.logits(step.attentional);
        const norms = tf.logSumExp(logits, 1).dataSync() as Float32Array;
        const values = logits.dataSync() as Float32Array;
        const looked = step.weights.dataSync() as Float32Array;
        const last = ({ source: b }: Beam) => t + 1 >= (maxLength ?? 2 * source.lengths[b] + 10);
        const rows = beams.map((one, b) =>
          advance(one, b * K, { values, norms, looked, last: last(one), K, alpha }),
        );
        const open = beams.map((_, b) => b).filter((b) => rows[b] !== undefined);
        for (const b of beams.keys()) if (rows[b] === undefined) results[beams[b].source] = ranked(beams[b]);
        const kept = open.flatMap((b) => rows[b]!);
        const stays = K === 1 && open.length === beams.length;
        const nextState = open.length === 0 || stays ? step.state : gatherState(step.state, kept);
        const index = open.length > 0 && open.length < beams.length ? tf.tensor1d(open, "int32") : undefined;
        const nextMemory = index
          ? (Object.fromEntries(
              Object.entries(memory).map(([name, x]) => [name, tf.gather(x, index)]),
            ) as typeof memory)
          : memory;
        beams = open.map((b) => beams[b]);
        return { state: nextState, memory: nextMemory };
      });
      ({ state, memory } = next);
    }
  });
  return results;
}

function repeatEach(rows: number, times: number): number[] {
  return Array.from({ length: rows * times }, (_, i) => Math.floor(i / times));
}

interface StepNumbers {
  values: Float32Array;
  norms: Float32Array;
  looked: Float32Array;
  last: boolean;
  K: number;
  alpha: number;
}

/** Extends one source's beam by a piece. Returns the rows to go on from, or undefined when the source is done. */
function advance(beam: Beam, row0: number, step: StepNumbers): number[] | undefined {
  const { values, norms, looked, last, K, alpha } = step;
  const V = values.length / norms.length;
  const S = looked.length / norms.length;
  const candidates: Candidate[] = [];
  beam.live.forEach(({ logProbability }, k) => {
    if (logProbability === -Infinity) return;
    const row = row0 + k;
    for (const id of bestPieces(values, row * V, (row + 1) * V, 2 * K)) {
      candidates.push({ row, id, logProbability: logProbability + values[row * V + id] - norms[row] });
    }
  });
  candidates.sort((a, b) => b.logProbability - a.logProbability);
  const rows: number[] = [];
  const live: Live[] = [];
  const finish = (from: Live, logProbability: number, length: number) => {
    const score = logProbability / lengthPenaltyOf(length, alpha);
    beam.finished.push({ ...unroll(from.node), logProbability, score });
  };
  for (const [rank, { row, id, logProbability }] of candidates.entries()) {
    if (live.length === K) break;
    const before = beam.live[row - row0];
    if (id === END) {
      if (rank < K) finish(before, logProbability, before.length + 1);
      continue;
    }
    const node = { id, weights: looked.slice(row * S, (row + 1) * S), before: before.node };
    live.push({ node, logProbability, length: before.length + 1 });
    rows.push(row);
  }
  if (last && beam.finished.length === 0) for (const one of live) finish(one, one.logProbability, one.length);
  if (last || beam.finished.length >= K) return undefined;
  while (live.length < K) {
    live.push({ node: live[0].node, logProbability: -Infinity, length: live[0].length });
    rows.push(rows[0]);
  }
  beam.live = live;
  return rows;
}

function ranked({ finished }: Beam): Hypothesis[] {
  return finished.sort((a, b) => b.score - a.score);
}
