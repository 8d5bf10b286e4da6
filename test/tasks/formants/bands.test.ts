import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import {
  type BandFormat,
  bandEdges,
  bandEnergies,
  bandOf,
  frameCount,
} from "../../../src/tasks/formants/bands.ts";
import { composeClip, exampleClip, informativeBands } from "../../../src/tasks/formants/compose.ts";
import { transform } from "../../../src/tasks/formants/fourier.ts";
import { resample } from "../../../src/tasks/formants/resample.ts";
import { VOWELS } from "../../../src/tasks/formants/vowels.ts";

const FORMAT: BandFormat = {
  ...{ rate: 8000, window: 128, hop: 96, bands: 13, lowest: 200, highest: 3500, scale: 3 },
};
const tone = (hertz: number, rate: number, samples: number) =>
  Float64Array.from({ length: samples }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate));

test("the transform is the sum that defines it, and its inverse takes it back", () => {
  const N = 16;
  const random = new RandomStream(3);
  const [real, imaginary] = [0, 1].map(() => random.fillNormal(new Float64Array(N)));
  const sum = (k: number) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < N; n++) {
      const [c, s] = [Math.cos((2 * Math.PI * k * n) / N), -Math.sin((2 * Math.PI * k * n) / N)];
      re += real![n]! * c - imaginary![n]! * s;
      im += real![n]! * s + imaginary![n]! * c;
    }
    return [re, im];
  };
  const expected = Array.from({ length: N }, (_, k) => sum(k));
  const [re, im] = [real!.slice(), imaginary!.slice()];
  transform(re, im);
  for (const [k, [a, b]] of expected.entries()) {
    expect(re[k]).toBeCloseTo(a!, 12);
    expect(im[k]).toBeCloseTo(b!, 12);
  }
  transform(re, im, true);
  for (let n = 0; n < N; n++) expect(re[n]! / N).toBeCloseTo(real![n]!, 12);
});

test("a tone is loudest in the band that it lies in, whatever its level", () => {
  for (const hertz of [310, 870, 1500, 2900]) {
    const heard = bandEnergies(tone(hertz, 8000, 500), FORMAT);
    expect(heard).toHaveLength(frameCount(FORMAT, 500) * 13);
    const frame = [...heard.subarray(0, 13)];
    expect(frame.indexOf(Math.max(...frame))).toBe(bandOf(FORMAT, hertz));
    expect(Math.max(...heard)).toBeCloseTo(3, 6);
    const softer = bandEnergies(
      tone(hertz, 8000, 500).map((value) => value / 50),
      FORMAT,
    );
    for (const [at, value] of softer.entries()) expect(value).toBeCloseTo(heard[at]!, 5);
  }
  expect(bandEnergies(new Float64Array(500), FORMAT).every((value) => value === 0)).toBe(true);
  expect(frameCount(FORMAT, 127)).toBe(0);
  expect(frameCount(FORMAT, 224)).toBe(2);
});

test("bands overlap by half, and rise in width", () => {
  const edges = bandEdges(FORMAT);
  for (const [n, [low, centre, high]] of edges.entries()) {
    expect(low).toBeLessThan(centre);
    if (n > 0) expect(edges[n - 1]![1]).toBeCloseTo(low, 9);
    if (n > 0) expect(high - low).toBeGreaterThan(edges[n - 1]![2] - edges[n - 1]![0]);
  }
  expect(edges[0]![0]).toBeCloseTo(200, 9);
  expect(edges.at(-1)![2]).toBeCloseTo(3500, 9);
});

test("a tone stays the same tone at another rate, and one that the new rate cannot have is gone", () => {
  const low = resample({ samples: tone(440, 44_100, 8820), rate: 44_100 }, 8000);
  expect([low.samples.length, low.rate]).toEqual([1600, 8000]);
  const wanted = tone(440, 8000, 1600);
  for (let n = 100; n < 1500; n++) expect(Math.abs(low.samples[n]! - wanted[n]!)).toBeLessThan(0.01);
  const high = resample({ samples: tone(6000, 44_100, 8820), rate: 44_100 }, 8000);
  for (let n = 100; n < 1500; n++) expect(Math.abs(high.samples[n]!)).toBeLessThan(0.01);
  const up = resample({ samples: tone(440, 8000, 800), rate: 8000 }, 16_000);
  const finer = tone(440, 16_000, 1600);
  for (let n = 100; n < 1500; n++) expect(Math.abs(up.samples[n]! - finer[n]!)).toBeLessThan(0.01);
  const same = tone(440, 8000, 10);
  expect(resample({ samples: same, rate: 8000 }, 8000).samples).toBe(same);
});

test("a clip is a function of its stream, and has the noise that it says", () => {
  const options = { rate: 8000, samples: 2560, noises: 2, snr: [-3, -3] as const };
  const clip = composeClip(new RandomStream(1, 5), options);
  expect(composeClip(new RandomStream(1, 5), options)).toEqual(clip);
  expect(composeClip(new RandomStream(1, 6), options).samples).not.toEqual(clip.samples);
  expect(clip.noise).toHaveLength(2);
  for (const [from, to] of clip.noise) {
    expect(to - from).toBeGreaterThanOrEqual(50);
    expect(to).toBeLessThan(3700);
  }
  const quiet = composeClip(new RandomStream(1, 5), { ...options, noises: 0 });
  expect([quiet.label, quiet.formants]).toEqual([clip.label, clip.formants]);
  // Before the voice sets in there is nothing but noise.
  expect(quiet.samples.subarray(0, quiet.begin).every((value) => value === 0)).toBe(true);
  expect(clip.samples.subarray(0, clip.begin).some((value) => value !== 0)).toBe(true);
});

test("vowels of one kind of speaker have their energy where their formants are", () => {
  for (let n = 0; n < 20; n++) {
    const clip = composeClip(new RandomStream(2, n), { rate: 8000, samples: 2560, noises: 0, snr: [0, 0] });
    const [f1, f2] = clip.formants;
    expect(f1!).toBeLessThan(f2!);
    expect(clip.label).toBeLessThan(VOWELS.length);
    const format = { ...FORMAT, window: 256, bands: 24 };
    const heard = bandEnergies(clip.samples, format);
    const last = [...heard.subarray(heard.length - 24)];
    const loudest = last.indexOf(Math.max(...last));
    expect(informativeBands(format, clip.formants)[loudest], `clip ${n}`).toBe(1);
  }
});

test("informative bands are those of the formants and their neighbours", () => {
  const marked = informativeBands(FORMAT, [200, 1500]);
  const at = bandOf(FORMAT, 1500);
  expect([...marked].flatMap((mark, band) => (mark ? [band] : []))).toEqual([0, 1, at - 1, at, at + 1]);
});

test("an example is half a second at the model's rate, another one for each seed", () => {
  const { samples, rate } = exampleClip(7);
  expect([samples.length, rate]).toEqual([4000, 8000]);
  expect(exampleClip(8).samples).not.toEqual(samples);
});
