import { type GatesOptions, gates } from "../../viz/index.ts";
import type { HeardVowel } from "./classifier.ts";

/**
 * The gate of each band as a bar, from low to high.
 *
 * @returns an SVG document
 */
export function drawBands({ bands, vowel, word }: HeardVowel, options: GatesOptions = {}): string {
  const title = `Bands that say ${vowel}, as in ${word} (Hz)`;
  const names = bands.map(({ hertz }) => String(Math.round(hertz)));
  return gates({ gate: bands.map(({ gate }) => gate), names }, { title, ...options });
}
