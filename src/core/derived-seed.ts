import { philox, words } from "./random.ts";

/**
 * One of the many seeds that one seed stands for, so that the places of a model that share it draw different numbers.
 *
 * @param use what it is for, and `index` which one of those; integers ≥ 0
 * @returns a safe integer ≥ 0
 * @example
 * derivedSeed(7, 1, 0) === derivedSeed(7, 1, 1); // false
 */
export function derivedSeed(seed: number, use: number, index: number): number {
  const [low, high] = philox([...words(index), use, 0], words(seed));
  return (high >>> 11) * 2 ** 32 + low;
}
