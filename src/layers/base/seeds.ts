import { philox, words } from "../../core/random.ts";

/** What a seed is drawn for, so that no two uses of one seed share numbers. */
const USE = { weight: 1, step: 2 } as const;

/** Number `index` of the seeds that a layer's seed stands for; a safe integer ≥ 0. */
export function derivedSeed(seed: number, use: keyof typeof USE, index: number): number {
  const [low, high] = philox([...words(index), USE[use], 0], words(seed));
  return (high >>> 11) * 2 ** 32 + low;
}

/** The seed of a layer that was given none. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
