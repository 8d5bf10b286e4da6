/** What a layer's seed is used for, so that no two uses share numbers. */
export const SEED_OF = { weight: 1, step: 2 } as const;

/** The seed of a layer that was given none. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
