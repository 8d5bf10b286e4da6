/**
 * Bucketed batches, of similar length: an epoch shuffles all pairs, cuts them into pools, sorts each pool by length, cuts the
 * sorted pools into batches as full as `maxTokens` allows, and shuffles the batches. So padding is small and the
 * order is still random. Everything is a function of (seed, epoch): batch k of an epoch is the same whenever it is
 * asked for, and training resumes at it.
 */
import { OptionError } from "../core/errors.ts";
import { RandomStream } from "../core/random.ts";
import { PAD } from "./bpe.ts";

/** A pair as token ids, with whatever `<s>` and `</s>` the model wants counted. */
export interface TokenPair {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

export interface BatchOptions {
  /** The most cells of a batch, padding included: rows · (source width + target width). */
  readonly maxTokens: number;
  /** The most rows of a batch. @default Infinity */
  readonly maxSentences?: number;
  /** An integer ≥ 0. */
  readonly seed: number;
  /** An integer ≥ 0; every epoch has its own order. */
  readonly epoch: number;
  /** How many pairs are sorted together: more is less padding, less is more random. @default 65536 */
  readonly poolSize?: number;
  /** Sorts pools by length, so that a batch pads little; without it batches are cut from the order as shuffled. @default true */
  readonly bucketed?: boolean;
}

/** Rows padded to one width; row i is `ids[i·width .. i·width + lengths[i])`, then padding. */
export interface PaddedBatch {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  readonly rows: number;
  readonly width: number;
}

/** Streams from here on belong to epochs, clear of those that a program numbers from 0. */
const FIRST_STREAM = 2 ** 40;
const DEFAULT_POOL = 65_536;

/** The random stream of an epoch. */
export const epochStream = (epoch: number): number => FIRST_STREAM + epoch;

export function refuse(op: string, rule: string, got: unknown, remedy = "choose one in that range"): never {
  throw new OptionError("OPTION", { op, rule, got, remedy });
}

/** @throws OptionError OPTION */
export function checkEpoch(op: string, epoch: number): void {
  if (!Number.isSafeInteger(epoch) || epoch < 0) refuse(op, "epoch must be an integer ≥ 0", epoch);
}

function checkOptions(pairs: readonly TokenPair[], options: BatchOptions): void {
  const op = "makeBatches";
  const counts = { maxSentences: 1, poolSize: 1, ...options };
  for (const name of ["maxTokens", "maxSentences", "poolSize"] as const) {
    if (!(counts[name] >= 1)) refuse(op, `${name} must be at least 1`, counts[name]);
  }
  checkEpoch(op, options.epoch);
  const { maxTokens } = options;
  for (const [index, pair] of pairs.entries()) {
    const tokens = pair.source.length + pair.target.length;
    if (tokens > maxTokens) {
      const got = `${maxTokens} and pair ${index} of ${tokens} tokens`;
      refuse(op, "maxTokens must hold every pair", got, "raise it or leave out long pairs");
    }
  }
}

/**
 * By source length, then by target length, in turns up and down (a snake), so that neighbours across two source
 * lengths have near target lengths too. Ties keep their shuffled order: the sort is stable.
 */
function sortByLength(pool: Int32Array, pairs: readonly TokenPair[]): Int32Array {
  return pool.sort((a, b) => {
    const x = pairs[a]!;
    const y = pairs[b]!;
    const bySource = x.source.length - y.source.length;
    if (bySource !== 0) return bySource;
    const byTarget = x.target.length - y.target.length;
    return x.source.length % 2 === 0 ? byTarget : -byTarget;
  });
}

/**
 * The batches of one epoch, in order, each the numbers of its pairs; every pair is in exactly one.
 *
 * @throws OptionError OPTION, also when one pair alone is over `maxTokens`
 * @example
 * const batches = makeBatches(pairs, { maxTokens: 8000, seed: 1, epoch: 0 });
 * const source = padBatch(Array.from(batches[0], (i) => pairs[i].source));
 */
export function makeBatches(pairs: readonly TokenPair[], options: BatchOptions): Int32Array[] {
  checkOptions(pairs, options);
  const { maxTokens, maxSentences = Number.POSITIVE_INFINITY, poolSize = DEFAULT_POOL } = options;
  const random = new RandomStream(options.seed, epochStream(options.epoch));
  const order = random.shuffle(Int32Array.from(pairs.keys()));
  const batches: Int32Array[] = [];
  for (let begin = 0; begin < order.length; begin += poolSize) {
    const shuffled = order.slice(begin, begin + poolSize);
    const pool = options.bucketed === false ? shuffled : sortByLength(shuffled, pairs);
    let start = 0;
    let source = 0;
    let target = 0;
    for (let end = 0; end < pool.length; end++) {
      const pair = pairs[pool[end]!]!;
      source = Math.max(source, pair.source.length);
      target = Math.max(target, pair.target.length);
      const rows = end - start + 1;
      if (rows <= maxSentences && rows * (source + target) <= maxTokens) continue;
      batches.push(pool.slice(start, end));
      start = end;
      source = pair.source.length;
      target = pair.target.length;
    }
    batches.push(pool.slice(start));
  }
  return random.shuffle(batches);
}

/**
 * Rows of ids side by side, each filled up with `padId` to the longest.
 *
 * @example
 * padBatch([[5, 6], [7]]); // { ids: [5, 6, 7, 0], lengths: [2, 1], rows: 2, width: 2 }
 */
export function padBatch(rows: readonly (readonly number[])[], padId = PAD): PaddedBatch {
  const lengths = Int32Array.from(rows, (row) => row.length);
  const width = lengths.reduce((widest, length) => Math.max(widest, length), 0);
  const ids = new Int32Array(rows.length * width).fill(padId);
  for (const [index, row] of rows.entries()) ids.set(row, index * width);
  return { ids, lengths, rows: rows.length, width };
}
