/**
 * What keeps a decoder from going round in circles. All on sequences of piece numbers, for beam search and greedy alike.
 *
 * A phrase of n pieces stands r times in a row at the end of a sequence where its last n·(r − 1) pieces equal those n places
 * before them.
 */

export interface LoopOptions {
  /** Longest phrase looked at, in pieces. @default 12 */
  readonly longest?: number;
  /**
   * How often a phrase of one or two pieces may stand in a row ("no, no, no"); a longer one may half as often, rounded up.
   * Raise it to what the source has (`longestRun`). @default 3
   */
  readonly most?: number;
}

const LONGEST = 12;
const MOST = 3;

/** How often a phrase of `n` pieces may stand in a row. */
function allowed(n: number, most: number): number {
  return n <= 2 ? most : Math.ceil(most / 2);
}

/**
 * The pieces that must not come next: each would put a phrase in a row once too often.
 *
 * Cost: O(longest² · most), whatever the length of the sequence.
 *
 * @example
 * [...forbiddenNext([7, 4, 4, 4])]; // [4]
 */
export function forbiddenNext(ids: ArrayLike<number>, options: LoopOptions = {}): Set<number> {
  const { longest = LONGEST, most = MOST } = options;
  const forbidden = new Set<number>();
  for (let n = 1; n <= longest && n <= ids.length; n++) {
    const enough = n * allowed(n, most) - 1;
    let same = 0;
    while (
      same < enough &&
      ids.length - 1 - same - n >= 0 &&
      ids[ids.length - 1 - same] === ids[ids.length - 1 - same - n]
    )
      same++;
    if (same === enough) forbidden.add(ids[ids.length - n]!);
  }
  return forbidden;
}

/** Calls `see` with the most times that a phrase of each length stands in a row. O(longest · length). */
function runs(ids: ArrayLike<number>, longest: number, see: (n: number, times: number) => void): void {
  for (let n = 1; n <= longest && n < ids.length; n++) {
    let same = 0;
    let best = 0;
    for (let i = n; i < ids.length; i++) {
      same = ids[i] === ids[i - n] ? same + 1 : 0;
      best = Math.max(best, same);
    }
    see(n, 1 + Math.floor(best / n));
  }
}

/** The most times that a phrase of up to `longest` pieces stands in a row: what a faithful translation may repeat. */
export function longestRun(ids: ArrayLike<number>, longest = LONGEST): number {
  let most = Math.min(1, ids.length);
  runs(ids, longest, (_, times) => {
    most = Math.max(most, times);
  });
  return most;
}

/** Whether a finished sequence goes round in circles. */
export function hasLoop(ids: ArrayLike<number>, options: LoopOptions = {}): boolean {
  const { longest = LONGEST, most = MOST } = options;
  let found = false;
  runs(ids, longest, (n, times) => {
    found ||= times > allowed(n, most);
  });
  return found;
}

/**
 * The most pieces that a translation of `source` pieces may have: ⌈1.6·source⌉ + 8. Of the corpora's 433,477 training
 * pairs 19 have a longer target, counted in words and marks.
 */
export function longestOutput(source: number): number {
  return Math.ceil(1.6 * source) + 8;
}
