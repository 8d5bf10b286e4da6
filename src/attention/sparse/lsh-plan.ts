/** Reformer's buckets in plain arrays: who is sorted where, and who may see whom. Nothing here has a gradient. */
import { RandomStream } from "../../core/random.ts";

/** The sizes of one call: X sequences (examples × heads) of T positions. */
export interface LshSizes {
  readonly X: number;
  readonly T: number;
  readonly D: number;
  readonly rounds: number;
  /** Numbers of buckets whose product is the number of buckets; each 1 or even. */
  readonly factors: readonly number[];
  /** Positions of a chunk. */
  readonly L: number;
}

export interface LshPlan {
  /** Chunks of one round. */
  readonly C: number;
  /** For each slot [X, rounds, C, L] its row of the sequences [X·T]. */
  readonly queryRows: Int32Array;
  /** For each slot that a chunk reads, its predecessor's and its own [X, rounds, C, 2L], its row. */
  readonly keyRows: Int32Array;
  /** What is added to the scores [X, rounds, C, L, 2L]: −∞ hides, −log n counts a pair of n rounds once. */
  readonly bias: Float32Array;
  /** For each position [X, rounds, T] its slot. */
  readonly slots: Int32Array;
}

/** Directions of the rotations [D, columns], normal, half as many as buckets for each round and factor. */
export function rotations({ D, rounds, factors }: LshSizes, seed: number): Float32Array {
  return new RandomStream(seed).fillNormal(new Float32Array(D * rounds * halves(factors)));
}

/** Columns that one round needs. */
export function halves(factors: readonly number[]): number {
  return factors.reduce((sum, n) => sum + Math.floor(n / 2), 0);
}

/** The bucket of every position in every round [X, rounds, T]: the nearest of ± the directions, factor by factor. */
export function bucketsOf(rotated: ArrayLike<number>, { X, T, rounds, factors }: LshSizes): Int32Array {
  const width = halves(factors);
  const buckets = new Int32Array(X * rounds * T);
  for (let x = 0; x < X; x++) {
    for (let t = 0; t < T; t++) {
      for (let r = 0; r < rounds; r++) {
        let at = ((x * T + t) * rounds + r) * width;
        let bucket = 0;
        for (const n of factors) {
          const half = Math.floor(n / 2);
          let best = 0;
          let largest = -1;
          for (let i = 0; i < half; i++) {
            const along = rotated[at + i]!;
            const size = Math.abs(along);
            if (size > largest) [largest, best] = [size, along > 0 ? i : i + half];
          }
          bucket = bucket * n + best;
          at += half;
        }
        buckets[(x * rounds + r) * T + t] = bucket;
      }
    }
  }
  return buckets;
}

/** Sorts every round by bucket and position, cuts it into chunks, and says what each chunk sees. */
export function planChunks(
  buckets: Int32Array,
  sizes: LshSizes,
  options: { causal: boolean; lengths: (x: number) => number },
): LshPlan {
  const { X, T, rounds, factors, L } = sizes;
  const count = factors.reduce((product, n) => product * n, 1);
  const C = Math.ceil(T / L);
  const slots = new Int32Array(X * rounds * T);
  const sorted = new Int32Array(X * rounds * C * L).fill(-1); // −1 is a slot beyond the positions
  for (let row = 0; row < X * rounds; row++) {
    const length = options.lengths(Math.floor(row / rounds));
    const next = new Int32Array(count + 2);
    for (let t = 0; t < T; t++) next[keyOf(t) + 1]!++;
    for (let n = 1; n < next.length; n++) next[n]! += next[n - 1]!;
    for (let t = 0; t < T; t++) {
      const slot = row * C * L + next[keyOf(t)]!++;
      slots[row * T + t] = slot;
      sorted[slot] = t < length ? t : -1;
    }
    /** Padding comes after all buckets. */
    function keyOf(t: number): number {
      return t < length ? buckets[row * T + t]! : count;
    }
  }
  const queryRows = new Int32Array(sorted.length);
  const keyRows = new Int32Array(2 * sorted.length);
  for (let chunk = 0; chunk < X * rounds * C; chunk++) {
    const x = Math.floor(chunk / C / rounds);
    for (let l = 0; l < L; l++) {
      const own = x * T + Math.max(0, sorted[chunk * L + l]!);
      queryRows[chunk * L + l] = own;
      keyRows[(2 * chunk + 1) * L + l] = own;
      keyRows[2 * chunk * L + l] = chunk % C === 0 ? own : x * T + Math.max(0, sorted[(chunk - 1) * L + l]!);
    }
  }
  const bias = new Float32Array(sorted.length * 2 * L).fill(Number.NEGATIVE_INFINITY);
  const alone = fillBias(bias, { sorted, slots, buckets, C }, sizes, options.causal);
  // Who sees no one else sees itself, in the first round.
  for (const [x, t] of alone) {
    const slot = slots[x * rounds * T + t]!;
    bias[slot * 2 * L + L + (slot % L)] = 0;
  }
  return { C, queryRows, keyRows, bias, slots };
}

/** Writes −log n for each pair that a chunk may see, and returns the positions that see no other in any round. */
function fillBias(
  bias: Float32Array,
  plan: { sorted: Int32Array; slots: Int32Array; buckets: Int32Array; C: number },
  { X, T, rounds, L }: LshSizes,
  causal: boolean,
): [x: number, t: number][] {
  const { sorted, slots, buckets, C } = plan;
  const seen = new Uint8Array(X * T);
  const discount = Float32Array.from({ length: rounds + 1 }, (_, n) => -Math.log(n));
  const chunks = slots.map((slot) => Math.floor(slot / L));
  /** In how many rounds position i of sequence x sees j. */
  const timesSeen = (x: number, i: number, j: number) => {
    let n = 0;
    for (let base = x * rounds * T; base < (x + 1) * rounds * T; base += T) {
      if (buckets[base + i] !== buckets[base + j]) continue;
      const back = chunks[base + i]! - chunks[base + j]!;
      if (back === 0 || back === 1) n++;
    }
    return n;
  };
  for (let row = 0; row < X * rounds; row++) {
    const x = Math.floor(row / rounds);
    const bucketOf = (slot: number) => (sorted[slot]! < 0 ? -1 : buckets[row * T + sorted[slot]!]!);
    const last = (row + 1) * C * L;
    // Slots of one bucket lie side by side: from `start` up to `end`.
    for (let start = row * C * L, end = start; start < last; start = end) {
      const bucket = bucketOf(start);
      do end++;
      while (end < last && bucketOf(end) === bucket);
      if (bucket < 0) continue;
      for (let slot = start; slot < end; slot++) {
        const i = sorted[slot]!;
        const first = (Math.floor(slot / L) - 1) * L; // of the slots that its chunk reads
        const stop = causal ? slot : Math.min(end, first + 2 * L);
        for (let other = Math.max(start, first); other < stop; other++) {
          if (other === slot) continue;
          bias[slot * 2 * L + other - first] = discount[rounds === 1 ? 1 : timesSeen(x, i, sorted[other]!)]!;
          seen[x * T + i] = 1;
        }
      }
    }
  }
  const alone: [number, number][] = [];
  for (const [at, other] of seen.entries()) {
    const [x, t] = [Math.floor(at / T), at % T];
    if (!other && sorted[slots[x * rounds * T + t]!] === t) alone.push([x, t]);
  }
  return alone;
}
