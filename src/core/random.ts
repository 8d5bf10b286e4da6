/**
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as
 * 1, 2, 3", SC'11, §3.3). A number is a function of its position, not of the numbers drawn before it, so every path
 * and every thread can make the same one on its own. Integer arithmetic alone: the same stream comes everywhere.
 *
 * Layout. `RandomStream(seed, stream)` is an endless row of 32-bit numbers; number n is
 *
 *     philox(counter = [⌊n/4⌋ low, ⌊n/4⌋ high, stream low, stream high], key = [seed low, seed high])[n mod 4]
 *
 * where low is the lowest 32 bits and high the 21 bits above them (seeds, streams and positions are safe integers).
 * A tensor filled by a stream at position p takes number p + i for its element i, in row-major order.
 */
import { OptionError } from "./errors.ts";
import { inverseNormal } from "./inverse-normal.ts";

export type Counter = readonly [number, number, number, number];
export type Key = readonly [number, number];

/** What philox multiplies by, what its key grows by in each round, and how many rounds there are. */
export const PHILOX = {
  multipliers: [0xd2511f53, 0xcd9e8d57],
  weyl: [0x9e3779b9, 0xbb67ae85],
  rounds: 10,
} as const;
const {
  multipliers: [MULTIPLIER_0, MULTIPLIER_1],
  weyl: [WEYL_0, WEYL_1],
  rounds: ROUNDS,
} = PHILOX;
const TWO_32 = 2 ** 32;

/** The upper 32 bits of the 64-bit product of two 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // below 2³², so exact
  const carry = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + Math.floor(carry / 0x10000);
}

/** `philox`, writing its four numbers to `out` at `offset`: no allocation, for loops. */
export function philoxInto(
  out: Uint32Array,
  offset: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0 >>> 0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2 >>> 0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/**
 * Four 32-bit numbers from a 128-bit counter and a 64-bit key.
 *
 * @example
 * // As Random123 publishes it:
 * philox([0, 0, 0, 0], [0, 0])[0]; // 0x6627e8d5
 */
export function philox(counter: Counter, key: Key): [number, number, number, number] {
  const out = new Uint32Array(4);
  philoxInto(out, 0, counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
  return [out[0]!, out[1]!, out[2]!, out[3]!];
}

/** A safe integer as two words: [lowest 32 bits, the 21 bits above]. */
export function words(n: number): Key {
  return [n >>> 0, Math.floor(n / TWO_32)];
}

/** The 24 highest bits as a number in [0, 1): every value is exact in float32. */
export function toUniform(bits: number): number {
  return (bits >>> 8) * 2 ** -24;
}

function checkInteger(op: string, name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new OptionError("OPTION", {
    op,
    rule: `${name} must be an integer from ${least} to ${most}`,
    got: value,
    remedy: "round it or choose one in that range",
  });
}

/**
 * A reproducible stream of random numbers; the same seed and stream give the same numbers on every machine.
 *
 * @example
 * const random = new RandomStream(42);
 * random.uniform(); // in [0, 1)
 * const data = new RandomStream(42, 1); // independent of the first
 */
export class RandomStream {
  readonly seed: number;
  readonly stream: number;
  /** The number of 32-bit numbers drawn so far; set it to continue a stream elsewhere, as a checkpoint does. */
  position = 0;
  readonly #key: Key;
  readonly #stream: Key;
  readonly #block = new Uint32Array(4);
  #blockIndex = -1;

  /** @throws OptionError OPTION when seed or stream is not a safe integer ≥ 0 */
  constructor(seed: number, stream = 0) {
    checkInteger("RandomStream", "seed", seed, 0, Number.MAX_SAFE_INTEGER);
    checkInteger("RandomStream", "stream", stream, 0, Number.MAX_SAFE_INTEGER);
    this.seed = seed;
    this.stream = stream;
    this.#key = words(seed);
    this.#stream = words(stream);
  }

  /** The next 32 bits, as an integer in [0, 2³²). */
  bits(): number {
    const n = this.position++;
    const index = Math.floor(n / 4);
    if (index !== this.#blockIndex) {
      const [low, high] = words(index);
      const [s0, s1] = this.#stream;
      philoxInto(this.#block, 0, low, high, s0, s1, this.#key[0], this.#key[1]);
      this.#blockIndex = index;
    }
    return this.#block[n % 4]!;
  }

  /** A number in [0, 1), a multiple of 2⁻²⁴. */
  uniform(): number {
    return toUniform(this.bits());
  }

  /** A number of the standard normal distribution, by inverting its distribution: one draw, |x| < 5.5. */
  normal(): number {
    return inverseNormal(this.uniform() + 2 ** -25);
  }

  /** An integer in [0, n), each equally likely; draws again in the rare case that would make some likelier. */
  integer(n: number): number {
    checkInteger("RandomStream.integer", "n", n, 1, TWO_32);
    const limit = TWO_32 - (TWO_32 % n);
    let bits = this.bits();
    while (bits >= limit) bits = this.bits();
    return bits % n;
  }

  /** Puts an array into random order, in place (Fisher–Yates), and returns it. */
  shuffle<A extends { length: number; [i: number]: unknown }>(items: A): A {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const item = items[i];
      items[i] = items[j];
      items[j] = item;
    }
    return items;
  }

  /** Fills with numbers in [low, high), element i from number `position + i`; returns the array. */
  fillUniform<A extends Float32Array | Float64Array>(out: A, low = 0, high = 1): A {
    const width = high - low;
    let i = 0;
    // Whole blocks without a call for each number.
    while (this.position % 4 === 0 && out.length - i >= 4) {
      this.bits();
      const block = this.#block;
      for (let n = 0; n < 4; n++) out[i + n] = low + width * toUniform(block[n]!);
      this.position += 3;
      i += 4;
    }
    for (; i < out.length; i++) out[i] = low + width * this.uniform();
    return out;
  }

  /** Fills with normal numbers of this mean and standard deviation, element i from number `position + i`. */
  fillNormal<A extends Float32Array | Float64Array>(out: A, mean = 0, deviation = 1): A {
    for (let i = 0; i < out.length; i++) out[i] = mean + deviation * this.normal();
    return out;
  }
}
