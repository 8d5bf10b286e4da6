import { RandomStream } from "../../core/random.ts";
import type { Sound } from "../../data/wav.ts";
import { type BandFormat, bandOf } from "./bands.ts";
import { transform } from "./fourier.ts";
import { VOWELS } from "./vowels.ts";

/** How vowels in noise are made. */
export interface ClipOptions {
  /** Samples a second. */
  rate: number;
  /** How long a clip is, in samples. */
  samples: number;
  /** Signal-to-noise ratio while the voice is active, in decibels, drawn evenly between the two. */
  snr: readonly [least: number, most: number];
  /** Bands of noise, each with edges of its own; 0 = none. */
  noises: number;
}

/** A vowel in noise, and what it was made of. */
export interface Clip {
  samples: Float64Array;
  /** Its number in `VOWELS`. */
  label: number;
  /** Hz. */
  formants: number[];
  /** The edges of each band of noise, in Hz. */
  noise: (readonly [from: number, to: number])[];
  /** The sample at which the voice sets in. */
  begin: number;
}

/** Seeds of examples begin here, beyond those of recipes. */
const [FIRST_EXAMPLE, EXAMPLE_RATE] = [2 ** 25, 8000];
/** Formants of one speaker are those of the average, stretched as by a shorter throat, and each a little off by itself. */
const [STRETCH, SCATTER] = [0.05, 0.03];
/** Of the pulses of the voice, Hz, and by how much they rise or fall over a clip. */
const [LOWEST_VOICE, HIGHEST_VOICE, GLIDE] = [95, 150, 0.15];
/** Of the three formants, Hz. */
const BANDWIDTHS = [70, 100, 140];
/** The fourth formant, the same for every vowel: Hz. */
const FOURTH = [3850, 200] as const;
/** When the voice sets in, as a share of the clip: before that there is noise alone. */
const [EARLIEST, LATEST] = [0.2, 0.4];
/** Width of a band of noise, Hz. */
const [NARROWEST, WIDEST] = [50, 150];
const [LOWEST_NOISE, HIGHEST_NOISE] = [150, 3700];

/**
 * A vowel that a source and filters speak, in band-limited noise: pulses of a voice, through a resonator for each formant,
 * plus noise of some bands whose power is the vowel's by the signal-to-noise ratio. The same stream makes the same clip.
 *
 * Source: Klatt 1980, "Software for a cascade/parallel formant synthesizer", doi.org/10.1121/1.383940.
 */
export function composeClip(random: RandomStream, options: ClipOptions): Clip {
  const {
    rate,
    noises,
    snr: [least, most],
  } = options;
  const label = random.integer(VOWELS.length);
  const speakers = VOWELS[label]!.formants;
  const speaker = speakers[random.integer(speakers.length)]!;
  const stretch = 1 + STRETCH * random.normal();
  const formants = speaker.map((mean) => mean * stretch * (1 + SCATTER * random.normal()));
  const begin = Math.round(options.samples * (EARLIEST + (LATEST - EARLIEST) * random.uniform()));
  const voice = voiced(random, options, begin);
  for (const [n, centre] of [...formants, FOURTH[0]].entries())
    resonate(voice, centre, BANDWIDTHS[n] ?? FOURTH[1], rate);
  const snr = least + (most - least) * random.uniform();
  const noise = Array.from({ length: noises }, () => {
    const width = NARROWEST + (WIDEST - NARROWEST) * random.uniform();
    const from = LOWEST_NOISE + (HIGHEST_NOISE - LOWEST_NOISE - width) * random.uniform();
    return [from, from + width] as const;
  });
  addNoise(voice, begin, noise, snr, rate, random);
  tilt(voice, rate);
  return { samples: voice, label, formants, noise, begin };
}

/** The vowel of an example in noise at 0 dB, another one for each seed, as if it had been recorded; and which vowel it is. */
export function exampleClip(seed: number): Sound & { vowel: string } {
  const options = { rate: EXAMPLE_RATE, samples: EXAMPLE_RATE / 2, noises: 4, snr: [0, 0] } as const;
  const { samples, label } = composeClip(new RandomStream(FIRST_EXAMPLE + seed), options);
  return { samples, rate: EXAMPLE_RATE, vowel: VOWELS[label]!.name };
}

/** The bands in which a clip's formants lie, and their neighbours on either side: [F] of 0 and 1. */
export function informativeBands(format: BandFormat, formants: readonly number[]): Uint8Array {
  const informative = new Uint8Array(format.bands);
  for (const formant of formants) {
    const band = bandOf(format, formant);
    informative.fill(1, Math.max(0, band - 1), band + 2);
  }
  return informative;
}

/** Pulses at a pitch that glides, a little uneven. */
function voiced(random: RandomStream, { rate, samples }: ClipOptions, first: number): Float64Array {
  const out = new Float64Array(samples);
  const begin = LOWEST_VOICE * (HIGHEST_VOICE / LOWEST_VOICE) ** random.uniform();
  const glide = 1 + GLIDE * (2 * random.uniform() - 1);
  let phase = random.uniform();
  for (let n = first; n < samples; n++) {
    phase += (begin * glide ** (n / samples)) / rate;
    if (phase < 1) continue;
    phase -= 1;
    out[n] = 1 + 0.05 * random.normal();
  }
  return out;
}

/** A resonator at a frequency, in place: y[n] = a·x[n] + b·y[n − 1] + c·y[n − 2], with gain 1 at frequency 0. */
function resonate(x: Float64Array, centre: number, bandwidth: number, rate: number): void {
  const radius = Math.exp((-Math.PI * bandwidth) / rate);
  const [b, c] = [2 * radius * Math.cos((2 * Math.PI * centre) / rate), -radius * radius];
  const a = 1 - b - c;
  let [last, before] = [0, 0];
  for (let n = 0; n < x.length; n++) {
    const y = a * x[n]! + b * last + c * before;
    before = last;
    last = y;
    x[n] = y;
  }
}

const energy = (x: Float64Array) => x.reduce((sum, value) => sum + value * value, 0);

/** Adds normal noise that has all its power between the edges, as much in each band; powers are those of x from `begin` on. */
function addNoise(
  x: Float64Array,
  begin: number,
  edges: readonly (readonly [number, number])[],
  snr: number,
  rate: number,
  random: RandomStream,
): void {
  if (edges.length === 0) return;
  const N = 2 ** Math.ceil(Math.log2(x.length));
  const [real, imaginary] = [new Float64Array(N), new Float64Array(N)];
  for (const [from, to] of edges) {
    const [first, last] = [Math.ceil((from * N) / rate), Math.floor((to * N) / rate)];
    for (let k = first; k <= last; k++) {
      real[k]! += random.normal() / Math.sqrt(last - first + 1);
      imaginary[k]! += random.normal() / Math.sqrt(last - first + 1);
    }
  }
  // The real part of a spectrum without negative frequencies is noise of the same bands.
  transform(real, imaginary, true);
  const noise = real.subarray(0, x.length);
  // The level of a voice is that of its active part (ITU-T P.56).
  const factor = Math.sqrt(energy(x) / energy(noise.subarray(begin)) / 10 ** (snr / 10));
  for (let n = 0; n < x.length; n++) x[n]! += factor * noise[n]!;
}

/** A voice and the noise around it fall by 6 dB an octave, which what hears them makes up for: one pole at 100 Hz. */
function tilt(x: Float64Array, rate: number): void {
  const pole = Math.exp((-2 * Math.PI * 100) / rate);
  for (let n = 1; n < x.length; n++) x[n]! += pole * x[n - 1]!;
}
