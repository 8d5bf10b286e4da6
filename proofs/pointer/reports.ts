import type { RandomStream } from "../../src/core/random.ts";
import { END, SPECIAL_PIECES } from "../../src/data/bpe.ts";

const [NAMES, FILLERS] = [24, 6];
/** What joins the names of a summary; no source has it. */
export const AND = SPECIAL_PIECES.length;
const FIRST_NAME = AND + 1;
const FIRST_FILLER = FIRST_NAME + NAMES;
/** V: every other word of a source is one of its own. */
export const VOCABULARY = FIRST_FILLER + FILLERS;

export interface Report {
  source: number[];
  target: number[];
}

export interface ReportOptions {
  /** Fewest and most names of a report. */
  names: readonly [fewest: number, most: number];
  /** The share of names that the vocabulary lacks. */
  strangers: number;
}

/**
 * A made-up report of names among other words, and its summary: `name and name and name`, all of them in their order. The names
 * are copied and `and` is written. Names that the vocabulary lacks are numbered from V on; a net embeds them all alike, so that
 * nothing but the place tells one from another, and after `and` nothing but its state and the coverage tells which is next.
 */
export function drawReport(
  random: RandomStream,
  { names: [fewest, most], strangers }: ReportOptions,
): Report {
  const count = fewest + random.integer(most - fewest + 1);
  const known = random.shuffle(Int32Array.from({ length: NAMES }, (_, n) => FIRST_NAME + n));
  const source: number[] = [];
  const named: number[] = [];
  let own = 0;
  for (let n = 0; n < count; n++) {
    const name = random.uniform() < strangers ? VOCABULARY + own++ : known[n]!;
    const fillers = Array.from({ length: random.integer(3) }, () => FIRST_FILLER + random.integer(FILLERS));
    source.push(name, ...fillers);
    named.push(name);
  }
  const target = named.flatMap((name, n) => (n === 0 ? [name] : [AND, name]));
  return { source, target: [...target, END] };
}

/** Of the names that the vocabulary lacks, the share that the outputs have. */
export function strangersCopied(reports: readonly Report[], outputs: readonly (readonly number[])[]): number {
  let [right, all] = [0, 0];
  for (const [n, { source }] of reports.entries()) {
    const names = source.filter((word) => word >= VOCABULARY);
    all += names.length;
    right += names.filter((name) => outputs[n]!.includes(name)).length;
  }
  return right / all;
}
