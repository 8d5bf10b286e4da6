/**
 * Packed batches: several sequences one after another in a row of fixed width, so that hardly a place is padding. Attention
 * keeps them apart by their lengths, and positions begin again in each.
 *
 *     padded, width 5        packed, width 7
 *     a a a . .              d d d d d b b
 *     b b . . .              a a a c c c .
 *     c c c . .
 *     d d d d d
 *
 * Rows are filled by first-fit decreasing: from the longest sequence to the shortest, each goes to the first row that has
 * room. That takes at most 11/9 of the rows that the best way would take, and one more (Johnson 1973; Krell et al. 2021,
 * arxiv.org/abs/2107.02027, pack training data that way).
 */
import { RandomStream } from "../core/random.ts";
import { checkEpoch, epochStream, refuse, type TokenPair } from "./batching.ts";
import { PAD } from "./bpe.ts";

/** Sequences in rows of one width. */
export interface PackedBatch {
  /** [rows, width], padding after the last sequence of a row. */
  readonly ids: Int32Array;
  /** The lengths of the sequences of each row, in order: `segments` of `packedAttention` and of `Transformer`. */
  readonly segments: readonly (readonly number[])[];
  /** The number of each place's sequence, counted over all rows in order; −1 is padding. [rows, width] */
  readonly numbers: Int32Array;
  /** Positions, which begin with 0 in each sequence; 0 in padding. [rows, width] */
  readonly positions: Int32Array;
  /** Which sequences stand in each row, as numbers of the list that was given. */
  readonly members: readonly (readonly number[])[];
  readonly rows: number;
  readonly width: number;
}

export interface PackBatchOptions {
  /** Places of a row, an integer ≥ 1. @default that of the longest sequence */
  readonly width?: number;
  /** Which sequences go together, as numbers of the list. @default what `packRows` says */
  readonly members?: readonly (readonly number[])[];
  /** @default PAD, 0 */
  readonly padId?: number;
}

/**
 * Which sequences share a row, by first-fit decreasing. A sequence may take room of several kinds, as a pair takes some of a
 * row of sources and some of a row of targets.
 *
 * @param sizes what each takes: one number for each of the widths
 * @param widths what a row has
 * @returns the members of each row, as numbers of `sizes`; every one is in exactly one row
 * @throws OptionError OPTION where one alone is wider than a row
 * @example
 * packRows([[3], [2], [3], [5]], [7]); // [[3, 1], [0, 2]]
 */
export function packRows(sizes: readonly (readonly number[])[], widths: readonly number[]): number[][] {
  for (const [n, size] of sizes.entries()) {
    const kind = widths.findIndex((width, at) => !(size[at]! <= width));
    if (kind < 0) continue;
    const got = `${widths[kind]} and sequence ${n} of ${size[kind]}`;
    refuse("packRows", "a row must hold every sequence", got, "raise the width or leave out long ones");
  }
  const share = (n: number) => Math.max(...sizes[n]!.map((size, at) => size / widths[at]!));
  const shares = sizes.map((_, n) => share(n));
  // Ties keep their order: the sort is stable.
  const order = [...sizes.keys()].sort((a, b) => shares[b]! - shares[a]!);
  const rows: { free: number[]; members: number[] }[] = [];
  let open = rows.slice();
  // What no later sequence fits into is looked at no more.
  const least = widths.map((_, at) => sizes.reduce((n, size) => Math.min(n, size[at]!), Infinity));
  for (const n of order) {
    const size = sizes[n]!;
    let row = open.find(({ free }) => free.every((room, at) => room >= size[at]!));
    if (!row) {
      row = { free: [...widths], members: [] };
      rows.push(row);
      open.push(row);
    }
    row.members.push(n);
    row.free = row.free.map((room, at) => room - size[at]!);
    const { free } = row;
    if (free.some((room, at) => room < least[at]!)) open = open.filter((other) => other !== row);
  }
  return rows.map(({ members }) => members);
}

/**
 * Sequences of ids packed into rows of one width.
 *
 * @throws OptionError OPTION where a row is too narrow, or `members` names what is not there
 * @example
 * packBatch([[5, 6], [7], [8, 9, 4]], { width: 4 }).segments; // [[3, 1], [2]]
 */
export function packBatch(
  sequences: readonly (readonly number[])[],
  options: PackBatchOptions = {},
): PackedBatch {
  const op = "packBatch";
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 1);
  const { width = longest, padId = PAD } = options;
  if (!(Number.isSafeInteger(width) && width >= 1)) refuse(op, "width must be an integer ≥ 1", width);
  const members =
    options.members ??
    packRows(
      sequences.map(({ length }) => [length]),
      [width],
    );
  const segments = members.map((row) =>
    row.map((n) => {
      const sequence = sequences[n];
      if (sequence) return sequence.length;
      return refuse(op, `members must be numbers from 0 to ${sequences.length - 1}`, n);
    }),
  );
  const wide = segments.findIndex((row) => row.reduce((sum, n) => sum + n, 0) > width);
  if (wide >= 0) {
    const got = `${segments[wide]!.join(" + ")} in row ${wide}`;
    refuse(
      op,
      `the sequences of a row must fit in its width ${width}`,
      got,
      "raise it or take fewer together",
    );
  }
  const ids = new Int32Array(members.length * width).fill(padId);
  const numbers = new Int32Array(ids.length).fill(-1);
  const positions = new Int32Array(ids.length);
  let number = 0;
  for (const [row, own] of members.entries()) {
    let at = row * width;
    for (const n of own) {
      const sequence = sequences[n]!;
      ids.set(sequence, at);
      numbers.fill(number, at, at + sequence.length);
      for (let t = 0; t < sequence.length; t++) positions[at + t] = t;
      at += sequence.length;
      number++;
    }
  }
  return { ids, segments, numbers, positions, members, rows: members.length, width };
}

export interface PackedBatchOptions {
  /** The most cells of a batch, padding included: rows · (source width + target width). */
  readonly maxTokens: number;
  /** Places of a row of sources and of a row of targets, integers ≥ 1; a pair stands in the same row of both. */
  readonly sourceWidth: number;
  readonly targetWidth: number;
  /** An integer ≥ 0. */
  readonly seed: number;
  /** An integer ≥ 0; every epoch has its own order. */
  readonly epoch: number;
  /** How many pairs are packed together: more is less padding, less is more random. @default 4096 */
  readonly poolSize?: number;
}

/** First fit looks at every open row for every pair: pools beyond this take longer and fill hardly better. */
const DEFAULT_POOL = 4096;

/**
 * The packed batches of one epoch, in order, each the members of its rows: an epoch shuffles all pairs, packs each pool of
 * them, shuffles the rows and cuts them into batches. A function of (seed, epoch), like `makeBatches`.
 *
 * @throws OptionError OPTION, also when one pair alone is wider than a row
 * @example
 * const pairs = [{ source: [5, 6, 2], target: [7, 2] }, { source: [8, 2], target: [9, 6, 2] }];
 * const options = { maxTokens: 64, sourceWidth: 8, targetWidth: 8, seed: 1, epoch: 0 };
 * const [members] = makePackedBatches(pairs, options);
 * const source = packBatch(pairs.map((pair) => pair.source), { members, width: 8 });
 * source.rows; // 1
 */
export function makePackedBatches(pairs: readonly TokenPair[], options: PackedBatchOptions): number[][][] {
  const op = "makePackedBatches";
  const { maxTokens, sourceWidth, targetWidth, poolSize = DEFAULT_POOL } = options;
  for (const [name, value] of Object.entries({ sourceWidth, targetWidth, poolSize })) {
    if (!(Number.isSafeInteger(value) && value >= 1)) refuse(op, `${name} must be an integer ≥ 1`, value);
  }
  const cells = sourceWidth + targetWidth;
  if (!(maxTokens >= cells)) {
    refuse(op, `maxTokens must hold a row of sourceWidth + targetWidth = ${cells} cells`, maxTokens);
  }
  checkEpoch(op, options.epoch);
  const random = new RandomStream(options.seed, epochStream(options.epoch));
  const order = random.shuffle(Int32Array.from(pairs.keys()));
  const rows: number[][] = [];
  for (let begin = 0; begin < order.length; begin += poolSize) {
    const pool = order.subarray(begin, begin + poolSize);
    const sizes = Array.from(pool, (n) => [pairs[n]!.source.length, pairs[n]!.target.length]);
    for (const row of packRows(sizes, [sourceWidth, targetWidth])) rows.push(row.map((n) => pool[n]!));
  }
  const shuffled = random.shuffle(rows);
  const each = Math.floor(maxTokens / cells);
  return Array.from({ length: Math.ceil(rows.length / each) }, (_, at) =>
    shuffled.slice(at * each, (at + 1) * each),
  );
}
