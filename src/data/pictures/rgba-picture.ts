import { DataError } from "../../core/errors.ts";

/** A picture as bytes: rows from the top, red, green, blue and opacity of each pixel. */
export interface RgbaPicture {
  readonly height: number;
  readonly width: number;
  readonly channels: 4;
  /** [height, width, 4], 0 … 255; the colours are not multiplied by the opacity. */
  readonly data: Uint8Array;
}

/** What the decoders of this folder are told: how errors call the picture, and how many pixels there may be. */
export interface DecodeContext {
  readonly file: string;
  readonly mostPixels: number;
}

const OP = "readPicture";

/** The error of a file that begins as a picture and is cut off or damaged. */
export function damaged(file: string, must: string, got: string, cause?: unknown): DataError<"DAMAGED"> {
  const fault = { op: OP, rule: `${file} must be ${must}`, got, remedy: "save or copy it again", path: file };
  return new DataError("DAMAGED", fault, cause === undefined ? undefined : { cause });
}

/** The error of a file of another kind, or of a rare one that the decoders lack. */
export function notReadable(file: string, got: string, cause?: unknown): DataError<"FORMAT"> {
  const rule = `${file} must be a PNG or JPEG picture`;
  const fault = { op: OP, rule, got, remedy: "save the picture as PNG or JPEG", path: file };
  return new DataError("FORMAT", fault, cause === undefined ? undefined : { cause });
}

/**
 * Refuses a size by the header alone, before anything is unpacked.
 *
 * @throws DataError LIMIT for more pixels than are allowed · DAMAGED where there are none
 */
export function checkSize(height: number, width: number, { file, mostPixels }: DecodeContext): void {
  if (height === 0 || width === 0) throw damaged(file, "a picture with pixels", `${height} × ${width}`);
  if (height * width <= mostPixels) return;
  const rule = `${file} must have at most ${mostPixels} pixels`;
  const remedy = "make it smaller, or raise mostPixels where there is room";
  throw new DataError("LIMIT", { op: OP, rule, got: `${height} × ${width}`, remedy, path: file });
}
