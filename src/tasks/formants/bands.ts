import { transform } from "./fourier.ts";

/** How a sound becomes numbers: the energy in bands of frequency, frame by frame. */
export interface BandFormat {
  /** Samples a second. */
  rate: number;
  /** Samples of a frame, a power of two, and from the start of one to that of the next. */
  window: number;
  hop: number;
  /** F, bands that lie evenly on the mel scale. */
  bands: number;
  /** The lowest and the highest frequency, in Hz. */
  lowest: number;
  highest: number;
  /** What the loudest cell of a sound is. */
  scale: number;
}

/** Mel of a frequency in Hz (O'Shaughnessy 1987), and back. */
const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
const hertz = (mel: number) => 700 * (10 ** (mel / 2595) - 1);

/** The lower edge, centre and upper edge of each band, in Hz. */
export function bandEdges({ bands, lowest, highest }: BandFormat): (readonly [number, number, number])[] {
  const [from, to] = [mel(lowest), mel(highest)];
  const edge = (n: number) => hertz(from + ((to - from) * n) / (bands + 1));
  return Array.from({ length: bands }, (_, n) => [edge(n), edge(n + 1), edge(n + 2)]);
}

/** The band whose centre is nearest, on the mel scale. */
export function bandOf({ bands, lowest, highest }: BandFormat, frequency: number): number {
  const [from, to] = [mel(lowest), mel(highest)];
  const at = Math.round(((mel(frequency) - from) / (to - from)) * (bands + 1)) - 1;
  return Math.min(bands - 1, Math.max(0, at));
}

/** Frames of so many samples; 0 where there are too few for one. */
export const frameCount = ({ window, hop }: BandFormat, samples: number): number =>
  Math.max(0, Math.floor((samples - window) / hop) + 1);

/** What every frame of a format is multiplied by. */
interface Filters {
  readonly taper: Float64Array;
  /** Of each band: its first bin, and a weight for each bin from there. */
  readonly bands: readonly { readonly first: number; readonly weights: Float64Array }[];
}

/** High frequencies are raised by 6 dB an octave, by which voices fall. */
const RISE = 0.92;

const known = new Map<string, Filters>();

function filtersOf(format: BandFormat): Filters {
  const key = JSON.stringify(format);
  const found = known.get(key);
  if (found) return found;
  const { rate, window } = format;
  const taper = Float64Array.from(
    { length: window },
    (_, n) => Math.sin((Math.PI * (n + 0.5)) / window) ** 2,
  );
  const bands = bandEdges(format).map(([low, centre, high]) => {
    const first = Math.ceil((low * window) / rate);
    const last = Math.floor((high * window) / rate);
    const weights = Float64Array.from({ length: last - first + 1 }, (_, n) => {
      const at = ((first + n) * rate) / window;
      return Math.max(0, at < centre ? (at - low) / (centre - low) : (high - at) / (high - centre));
    });
    return { first, weights };
  });
  const filters = { taper, bands };
  known.set(key, filters);
  return filters;
}

/**
 * How loud a sound is in each band, frame by frame, as ears have it: the cube root of the energy, `scale` in its loudest cell.
 *
 *     y[n] = x[n] − 0.92 x[n − 1]    E[t, f] = Σ_k m_f[k] · |DFT(taper · y[t·hop : t·hop + window])[k]|²
 *     out[t, f] = scale · ∛(E[t, f]/max E)
 *
 * Symbols: x samples, y the same with high frequencies raised, m_f the triangular filter of band f on the mel scale, taper a Hann window, E energies.
 * Shapes: [samples] → [T, F], T = `frameCount`. Conventions: louder or softer is the same; a sound without any energy gives 0.
 * Cost: O(T·window·log window). Source: Davis & Mermelstein 1980, doi.org/10.1109/TASSP.1980.1163420, without the cosines.
 */
export function bandEnergies(samples: ArrayLike<number>, format: BandFormat): Float32Array {
  const { window, hop, scale, bands: F } = format;
  const { taper, bands } = filtersOf(format);
  const T = frameCount(format, samples.length);
  const energies = new Float64Array(T * F);
  const [real, imaginary] = [new Float64Array(window), new Float64Array(window)];
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < window; n++)
      real[n] = (samples[t * hop + n]! - RISE * (samples[t * hop + n - 1] ?? 0)) * taper[n]!;
    imaginary.fill(0);
    transform(real, imaginary);
    for (const [f, { first, weights }] of bands.entries()) {
      let sum = 0;
      for (const [n, weight] of weights.entries())
        sum += weight * (real[first + n]! ** 2 + imaginary[first + n]! ** 2);
      energies[t * F + f] = sum;
    }
  }
  const most = energies.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return new Float32Array(T * F);
  return Float32Array.from(energies, (energy) => scale * Math.cbrt(energy / most));
}
