import { readFileSync } from "node:fs";
import { DataError, FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";

/** A sound of one channel. */
export interface Sound {
  /** From −1 to 1. */
  readonly samples: Float64Array;
  /** Samples a second. */
  readonly rate: number;
}

const OP = "readWav";
const REMEDY = "save it as WAV, 16-bit PCM, mono: ffmpeg -i SOUND -ac 1 -c:a pcm_s16le sound.wav";
/** The numbers of formats: whole numbers, floats, and a format whose own number stands further on. */
const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe];
/** A quarter of an hour at 48 kHz. */
const MOST_BYTES = 2 ** 27;

/** Samples of one kind: what each takes, and one as a number from −1 to 1. */
interface SampleFormat {
  readonly bytes: number;
  at(view: DataView, byte: number): number;
}

/** By the number of the format and the bits of a sample; 8 bits have no sign, and 128 is silence. */
const SAMPLE_FORMATS: Readonly<Record<string, SampleFormat>> = {
  [`${PCM}/8`]: { bytes: 1, at: (view, byte) => (view.getUint8(byte) - 128) / 2 ** 7 },
  [`${PCM}/16`]: { bytes: 2, at: (view, byte) => view.getInt16(byte, true) / 2 ** 15 },
  [`${PCM}/24`]: {
    bytes: 3,
    at: (view, byte) => (view.getInt16(byte + 1, true) * 2 ** 8 + view.getUint8(byte)) / 2 ** 23,
  },
  [`${PCM}/32`]: { bytes: 4, at: (view, byte) => view.getInt32(byte, true) / 2 ** 31 },
  [`${FLOAT}/32`]: { bytes: 4, at: (view, byte) => view.getFloat32(byte, true) },
};

/**
 * The samples of a WAV file with one channel: PCM of 8, 16, 24 or 32 bits, or floats of 32, named by the plain or the
 * extensible format.
 *
 * @throws FileError UNREADABLE · DataError FORMAT, DAMAGED, LIMIT
 */
export function readWav(path: string): Sound {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const fault = {
      op: OP,
      rule: `${path} must be readable`,
      got: fileReason(cause),
      remedy: "check the name",
    };
    throw new FileError("UNREADABLE", { ...fault, path }, { cause });
  }
  return decodeWav(bytes, path);
}

/**
 * The same of bytes; `path` is what errors call them.
 *
 * @throws DataError FORMAT, DAMAGED, LIMIT
 */
export function decodeWav(bytes: Uint8Array, path = "the sound"): Sound {
  const fault = (rule: string, got: string) => ({
    op: OP,
    rule: `${path} must ${rule}`,
    got,
    remedy: REMEDY,
    path,
  });
  if (bytes.length > MOST_BYTES)
    throw new DataError("LIMIT", fault(`have at most ${MOST_BYTES} bytes`, String(bytes.length)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const name = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || name(0) !== "RIFF" || name(8) !== "WAVE")
    throw new DataError("FORMAT", fault("be a WAV file", "bytes of another kind"));
  let said: { format: SampleFormat; rate: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [chunk, size] = [name(at), view.getUint32(at + 4, true)];
    const from = at + 8;
    if (chunk === "fmt ") {
      if (size < 16 || from + size > bytes.length)
        throw new DataError("DAMAGED", fault("say its format in 16 bytes or more", `${size}, cut short`));
      const isLong = view.getUint16(from, true) === EXTENSIBLE && size >= 26;
      const format = view.getUint16(isLong ? from + 24 : from, true);
      const [channels, bits] = [view.getUint16(from + 2, true), view.getUint16(from + 14, true)];
      const rate = view.getUint32(from + 4, true);
      const known = SAMPLE_FORMATS[`${format}/${bits}`];
      if (!known || channels !== 1) {
        const rule = "have one channel of PCM of 8, 16, 24 or 32 bits or of floats of 32";
        const got = `format ${format}, ${bits} bits, ${channels} channels`;
        throw new DataError("FORMAT", fault(rule, got));
      }
      said = { format: known, rate };
      if (rate < 1) throw new DataError("DAMAGED", fault("have a sampling rate", "0"));
    }
    if (chunk === "data") {
      if (!said) throw new DataError("DAMAGED", fault("say its format before its samples", "none"));
      const { format, rate } = said;
      // Programs that write to a pipe cannot know the size, and say the greatest.
      const end = size === 0xffffffff ? bytes.length : from + size;
      if (end > bytes.length) {
        const [announced, got] = [size, bytes.length - from].map((n) => Math.floor(n / format.bytes));
        throw new DataError("DAMAGED", fault(`have the ${announced} samples that it announces`, String(got)));
      }
      const count = Math.floor((end - from) / format.bytes);
      const samples = Float64Array.from({ length: count }, (_, n) =>
        format.at(view, from + n * format.bytes),
      );
      const odd = samples.findIndex((sample) => !Number.isFinite(sample));
      if (odd >= 0)
        throw new DataError("DAMAGED", fault("have finite samples", `${samples[odd]} as sample ${odd}`));
      return { samples, rate };
    }
    at = from + size + (size % 2);
  }
  throw new DataError("DAMAGED", fault("have samples", "none"));
}

/** A sound as the bytes of a WAV file of 16-bit PCM; what is louder than 1 is cut off. */
export function encodeWav({ samples, rate }: Sound): Uint8Array {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const write = (at: number, text: string) => {
    for (const [n, letter] of Array.from(text).entries()) bytes[at + n] = letter.charCodeAt(0);
  };
  write(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  for (const [n, sample] of samples.entries())
    view.setInt16(44 + 2 * n, Math.max(-32768, Math.min(32767, Math.round(sample * 32768))), true);
  return bytes;
}
