/** Pictures as published Vision Transformers read them: resized, normalised and cut as preprocessor_config.json says. */
import { DataError } from "../../core/errors.ts";
import { isObject } from "../../core/is-object.ts";
import type { RgbaPicture } from "../../data/pictures/index.ts";

const OP = "PretrainedModel";

/** How a model wants its pictures. */
export interface PictureFormat {
  /** Pixels on a side. */
  readonly size: number;
  readonly patch: number;
  /** Of a byte. */
  readonly factor: number;
  /** Of red, green and blue, after the factor. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly filter: Filter;
}

/** The weight of a pixel at a distance, and how far it reaches. */
interface Filter {
  readonly reach: number;
  readonly weight: (distance: number) => number;
}

/** Pillow's filters by their numbers: 2 is bilinear, 3 bicubic with a = −½. */
const FILTERS: Readonly<Record<number, Filter>> = {
  2: { reach: 1, weight: (x) => Math.max(0, 1 - x) },
  3: {
    reach: 2,
    weight: (x) => {
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
};

/**
 * The format of a model, of its config.json and preprocessor_config.json.
 *
 * @throws DataError UNSUPPORTED for what pictures are not read by here
 */
export function pictureFormat(
  config: Readonly<Record<string, unknown>>,
  preprocessor: Readonly<Record<string, unknown>>,
): PictureFormat {
  const refuse = (rule: string, got: unknown) => {
    throw new DataError("UNSUPPORTED", {
      op: OP,
      rule,
      got: JSON.stringify(got),
      remedy: "choose another model",
    });
  };
  const { image_size: size, patch_size: patch, num_channels: channels = 3 } = config;
  const { resample = 2, rescale_factor: factor = 1 / 255, do_normalize, do_rescale } = preprocessor;
  const filter = typeof resample === "number" ? FILTERS[resample] : undefined;
  if (!(Number.isSafeInteger(size) && Number.isSafeInteger(patch) && Number(size) % Number(patch) === 0))
    refuse("pictures must be squares of whole patches", [size, patch]);
  if (channels !== 3) refuse("pictures must have three channels", channels);
  if (!filter) refuse("resample must be 2 (bilinear) or 3 (bicubic)", resample);
  if (!Number.isFinite(factor)) refuse("rescale_factor must be a number", factor);
  const colours = (name: "image_mean" | "image_std", rule: string): readonly number[] => {
    const list = preprocessor[name] ?? [0.5, 0.5, 0.5];
    const isFine = (one: unknown) => Number.isFinite(one) && (name === "image_mean" || one !== 0);
    if (!(Array.isArray(list) && list.length === 3 && list.every(isFine)))
      refuse(`${name} must be ${rule}`, list);
    return list as number[];
  };
  const isRaw = do_normalize === false;
  return {
    ...{ size: size as number, patch: patch as number, filter: filter! },
    factor: do_rescale === false ? 1 : (factor as number),
    mean: isRaw ? [0, 0, 0] : colours("image_mean", "three numbers"),
    deviation: isRaw ? [1, 1, 1] : colours("image_std", "three numbers other than 0"),
  };
}

/** What an object of a file says, nothing where it is none. */
export const fieldsOf = (json: unknown): Readonly<Record<string, unknown>> => (isObject(json) ? json : {});

/** For each of `to` pixels the first of `from` that it is made of, and their shares. */
function shares(from: number, to: number, { reach, weight }: Filter): { first: number; parts: number[] }[] {
  const scale = from / to;
  // A smaller picture takes the mean of more pixels.
  const wide = Math.max(1, scale);
  return Array.from({ length: to }, (_, n) => {
    const centre = (n + 0.5) * scale;
    const first = Math.max(0, Math.round(centre - reach * wide));
    const end = Math.min(from, Math.round(centre + reach * wide));
    const parts = Array.from({ length: end - first }, (_, k) =>
      weight(Math.abs((first + k + 0.5 - centre) / wide)),
    );
    const sum = parts.reduce((a, b) => a + b, 0);
    return { first, parts: parts.map((part) => part / sum) };
  });
}

/**
 * A picture resized to a square, its proportions given up as transformers gives them up: columns, then rows, in bytes.
 *
 * @returns [size, size, 3]
 */
export function squareOf({ height, width, data }: RgbaPicture, { size, filter }: PictureFormat): Uint8Array {
  const [columns, rows] = [shares(width, size, filter), shares(height, size, filter)];
  const narrow = new Uint8ClampedArray(height * size * 3);
  for (let y = 0; y < height; y++)
    for (const [x, { first, parts }] of columns.entries())
      for (let c = 0; c < 3; c++)
        narrow[(y * size + x) * 3 + c] = parts.reduce(
          (sum, part, k) => sum + part * data[(y * width + first + k) * 4 + c]!,
          0,
        );
  const out = new Uint8ClampedArray(size * size * 3);
  for (const [y, { first, parts }] of rows.entries())
    for (let at = 0; at < 3 * size; at++)
      out[y * 3 * size + at] = parts.reduce(
        (sum, part, k) => sum + part * narrow[(first + k) * 3 * size + at]!,
        0,
      );
  return new Uint8Array(out.buffer);
}

/** The tokens of a square: patches in rows from the top, of each its reds, greens and blues in rows. [T, 3·patch²] */
export function patchesOfSquare(
  pixels: Uint8Array,
  { size, patch: P, factor, mean, deviation }: PictureFormat,
): Float32Array {
  const out = new Float32Array(pixels.length);
  let at = 0;
  for (let top = 0; top < size; top += P)
    for (let left = 0; left < size; left += P)
      for (let c = 0; c < 3; c++)
        for (let y = top; y < top + P; y++)
          for (let x = left; x < left + P; x++)
            out[at++] = (pixels[(y * size + x) * 3 + c]! * factor - mean[c]!) / deviation[c]!;
  return out;
}
