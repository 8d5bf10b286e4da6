import { RandomStream } from "../../core/random.ts";

/**
 * The windows of one epoch: where each begins, side by side from a random offset, in random order. A window of T characters
 * asks for the one after each, so that T + 1 are read.
 */
export function windowsOf(characters: number, T: number, seed: number, epoch: number): Int32Array {
  const random = new RandomStream(seed, epoch);
  const offset = Math.floor(random.uniform() * T);
  return random.shuffle(
    Int32Array.from({ length: windowsPerEpoch(characters, T) }, (_, n) => offset + n * T),
  );
}

/** As many as there are from every offset. */
export function windowsPerEpoch(characters: number, T: number): number {
  return Math.max(1, Math.floor((characters - T) / T));
}
