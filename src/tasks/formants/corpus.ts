import { createHash } from "node:crypto";
import { RandomStream } from "../../core/random.ts";
import { bandEnergies, frameCount } from "./bands.ts";
import { composeClip, informativeBands } from "./compose.ts";
import type { FormantRecipe } from "./recipe.ts";

/** Clips as the model hears them. */
export interface HeardClips {
  readonly count: number;
  /** [count, T, F] */
  readonly bands: Float32Array;
  /** [count] */
  readonly labels: Int32Array;
  /** [count, F], 1 where a formant lies in the band or in a neighbour. */
  readonly informative: Uint8Array;
}

export type FormantPart = "train" | "valid" | "test";

/** Streams from here on belong to the clips of each part. */
const FIRST_STREAM: Readonly<Record<FormantPart, number>> = { train: 2 ** 41, valid: 2 ** 42, test: 2 ** 43 };

/** Composes the clips of a part; those of the test at one signal-to-noise ratio, the same vowels at each. */
export function composeClips(
  { seed, samples, noises, format, clips, snr }: FormantRecipe,
  part: FormantPart,
  level?: number,
): HeardClips {
  const count = clips[part];
  const F = format.bands;
  const size = frameCount(format, samples) * F;
  const bands = new Float32Array(count * size);
  const labels = new Int32Array(count);
  const informative = new Uint8Array(count * F);
  const options = {
    rate: format.rate,
    samples,
    noises,
    snr: level === undefined ? snr : ([level, level] as const),
  };
  for (let n = 0; n < count; n++) {
    const clip = composeClip(new RandomStream(seed, FIRST_STREAM[part] + n), options);
    bands.set(bandEnergies(clip.samples, format), n * size);
    labels[n] = clip.label;
    informative.set(informativeBands(format, clip.formants), n * F);
  }
  return { count, bands, labels, informative };
}

/** A checksum of what training reads. */
export function clipsChecksum({ bands, labels }: HeardClips): string {
  const hash = createHash("sha256").update(new Uint8Array(labels.buffer));
  return hash.update(new Uint8Array(bands.buffer)).digest("hex");
}
