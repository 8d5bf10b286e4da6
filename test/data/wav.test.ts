import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { decodeWav, encodeWav, readWav } from "../../src/data/wav.ts";

const SAMPLES = Float64Array.of(0, 0.5, -0.5, 32767 / 32768, -1, 1 / 32768, 0.25);
const whole = () => encodeWav({ samples: SAMPLES, rate: 11_025 });

/** The bytes with some of them changed. */
function changed(change: (view: DataView) => void): Uint8Array {
  const bytes = whole();
  change(new DataView(bytes.buffer));
  return bytes;
}

test("samples of 16 bits come back as they were written, with their rate", () => {
  const bytes = whole();
  expect(bytes).toHaveLength(44 + 2 * 7);
  expect(decodeWav(bytes)).toEqual({ samples: SAMPLES, rate: 11_025 });
});

test("what is louder than full scale is cut off", () => {
  const { samples } = decodeWav(encodeWav({ samples: Float64Array.of(1, 3, -3), rate: 8000 }));
  expect(samples).toEqual(Float64Array.of(32767 / 32768, 32767 / 32768, -1));
});

test("chunks that are not known are passed over, with the byte that pads odd ones", () => {
  const bytes = whole();
  const list = Uint8Array.of(...Buffer.from("LIST"), 3, 0, 0, 0, 7, 7, 7, 0);
  const longer = new Uint8Array([...bytes.subarray(0, 36), ...list, ...bytes.subarray(36)]);
  expect(decodeWav(longer)).toEqual(decodeWav(bytes));
});

test("a file of unknown length, as a program writes it to a pipe, is read to its end", () => {
  const piped = changed((view) => view.setUint32(40, 0xffffffff, true));
  expect(decodeWav(piped).samples).toEqual(SAMPLES);
});

/** The same sound in the extensible format: its own number, and behind that the number of another one. */
function extensible(plain: Uint8Array): Uint8Array {
  const format = new Uint8Array(48);
  format.set(Buffer.from("fmt "));
  const view = new DataView(format.buffer);
  view.setUint32(4, 40, true);
  format.set(plain.subarray(20, 36), 8);
  view.setUint16(8, 0xfffe, true);
  view.setUint16(32, plain[20]!, true);
  return new Uint8Array([...plain.subarray(0, 12), ...format, ...plain.subarray(36)]);
}

/** A file of seven samples of another format, by the bytes of its samples. */
function ofFormat(format: number, bits: number, samples: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(44 + samples.length);
  bytes.set(whole().subarray(0, 44));
  bytes.set(samples, 44);
  const view = new DataView(bytes.buffer);
  view.setUint16(20, format, true);
  view.setUint16(34, bits, true);
  view.setUint32(40, samples.length, true);
  return bytes;
}

// 0, 1/2, −1/2, the greatest, −1 and the smallest above 0, little end first; 8 bits count from 128.
const float = (number: number) => [...new Uint8Array(Float32Array.of(number).buffer)];
test.each<[string, number, number, number[], number[]]>([
  ["PCM of 8 bits", 1, 8, [128, 192, 64, 255, 0, 129], [0, 0.5, -0.5, 127 / 128, -1, 1 / 128]],
  [
    "PCM of 24 bits",
    ...([1, 24] as const),
    [
      [0, 0, 0],
      [0, 0, 0x40],
      [0, 0, 0xc0],
      [0xff, 0xff, 0x7f],
      [0, 0, 0x80],
      [1, 0, 0],
    ].flat(),
    [0, 0.5, -0.5, (2 ** 23 - 1) / 2 ** 23, -1, 1 / 2 ** 23],
  ],
  [
    "PCM of 32 bits",
    ...([1, 32] as const),
    [
      [0, 0, 0, 0],
      [0, 0, 0, 0x40],
      [0, 0, 0, 0xc0],
      [0xff, 0xff, 0xff, 0x7f],
      [0, 0, 0, 0x80],
      [1, 0, 0, 0],
    ].flat(),
    [0, 0.5, -0.5, (2 ** 31 - 1) / 2 ** 31, -1, 1 / 2 ** 31],
  ],
  ["floats of 32 bits", 3, 32, [0, 0.5, -0.5, 1, -1, 0.25].flatMap(float), [0, 0.5, -0.5, 1, -1, 0.25]],
])("%s are read, in the plain and in the extensible format", (_, format, bits, bytes, samples) => {
  const file = ofFormat(format, bits, bytes);
  expect(decodeWav(file)).toEqual({ samples: Float64Array.from(samples), rate: 11_025 });
  expect(decodeWav(extensible(file))).toEqual(decodeWav(file));
});

test("the extensible format is read where it holds plain samples", () => {
  expect(decodeWav(extensible(whole()))).toEqual({ samples: SAMPLES, rate: 11_025 });
});

test.each<[string, Uint8Array, string]>([
  ["other bytes", Uint8Array.of(1, 2, 3), "must be a WAV file, got bytes of another kind"],
  ["two channels", changed((view) => view.setUint16(22, 2, true)), "got format 1, 16 bits, 2 channels"],
  ["floats of 16 bits", changed((view) => view.setUint16(20, 3, true)), "got format 3, 16 bits, 1 channels"],
  ["12 bits", changed((view) => view.setUint16(34, 12, true)), "got format 1, 12 bits, 1 channels"],
  ["A-law", changed((view) => view.setUint16(20, 6, true)), "got format 6, 16 bits, 1 channels"],
  ["no number", ofFormat(3, 32, float(Number.NaN)), "must have finite samples, got NaN as sample 0"],
  [
    "a cut end of 24 bits",
    ofFormat(1, 24, [1, 2, 3, 4, 5, 6]).subarray(0, 48),
    "must have the 2 samples that it announces, got 1",
  ],
  ["no rate", changed((view) => view.setUint32(24, 0, true)), "must have a sampling rate, got 0"],
  ["a cut end", whole().subarray(0, 51), "must have the 7 samples that it announces, got 3"],
  ["no samples", whole().subarray(0, 36), "must have samples, got none"],
  [
    "a short format",
    changed((view) => view.setUint32(16, 8, true)),
    "must say its format in 16 bytes or more",
  ],
])("a file with %s is refused in one line that says how to make one", (_, bytes, message) => {
  expect(() => decodeWav(bytes, "a.wav")).toThrow(message);
  expect(() => decodeWav(bytes, "a.wav")).toThrow(/^readWav: a\.wav must .*ffmpeg -i SOUND -ac 1/);
});

test("a file is read by its name, and a missing one is said", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "heed-wav-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, "a.wav"), whole());
  expect(readWav(path.join(folder, "a.wav")).samples).toEqual(SAMPLES);
  expect(() => readWav(path.join(folder, "b.wav"))).toThrow("b.wav must be readable, got no such file");
});
