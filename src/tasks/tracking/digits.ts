import { ShapeError } from "../../core/errors.ts";
import { type LabelledImages, readImages, readTraining } from "../../data/labelled-images.ts";

/** Pictures of digits, each [SIDE, SIDE] of 0 … 1 with the digit in the middle, and which digit it is. */
export interface DigitPool {
  readonly pictures: readonly Float32Array[];
  readonly labels: ArrayLike<number>;
  /** The numbers of the pictures of each digit. */
  readonly ofDigit: readonly (readonly number[])[];
}

/** Side of an object in pixels. */
export const OBJECT = 10;
const DIGITS = 10;

/** Rows of dots, as on a matrix display of 5 × 7. */
const DRAWN = [
  [".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###."],
  ["..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."],
  [".###.", "#...#", "....#", "...#.", "..#..", ".#...", "#####"],
  ["#####", "...#.", "..#..", "...#.", "....#", "#...#", ".###."],
  ["...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."],
  ["#####", "#....", "####.", "....#", "....#", "#...#", ".###."],
  ["..##.", ".#...", "#....", "####.", "#...#", "#...#", ".###."],
  ["#####", "....#", "...#.", "..#..", ".#...", ".#...", ".#..."],
  [".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."],
  [".###.", "#...#", "#...#", ".####", "....#", "...#.", ".##.."],
];

const poolOf = (pictures: Float32Array[], labels: ArrayLike<number>): DigitPool => {
  const ofDigit = Array.from({ length: DIGITS }, (_, digit) =>
    pictures.flatMap((_, n) => (labels[n] === digit ? [n] : [])),
  );
  return { pictures, labels, ofDigit };
};

/** Digits that need no data: those of a matrix display. */
export function drawnDigits(): DigitPool {
  const pictures = DRAWN.map((lines) => {
    const dots = Float32Array.from(lines.join(""), (dot) => Number(dot === "#"));
    return fitted(dots, lines.length, lines[0]!.length);
  });
  return poolOf(
    pictures,
    Int32Array.from(DRAWN, (_, digit) => digit),
  );
}

/** Written digits of MNIST: those of its training part without the last twelfth, those, or its test part. */
export function readDigits(folder: string): Record<"train" | "valid" | "test", DigitPool> {
  const { train, valid } = readTraining(folder);
  return {
    train: writtenDigits(train),
    valid: writtenDigits(valid),
    test: writtenDigits(readImages(folder, "test")),
  };
}

/** Images of digits as objects: cut out and fitted. @throws ShapeError SHAPE where there are not two kinds of digits, or others */
export function writtenDigits({ count, height: H, width: W, pixels, labels }: LabelledImages): DigitPool {
  const kinds = new Set(labels);
  if (kinds.size < 2 || labels.some((label) => label >= DIGITS)) {
    const fault = {
      op: "writtenDigits",
      rule: "images must be of two digits or more, 0 to 9",
      got: `${[...kinds].length} classes`,
    };
    throw new ShapeError("SHAPE", { ...fault, remedy: "give the images of MNIST" });
  }
  const pictures = Array.from({ length: count }, (_, n) =>
    cutOut(pixels.subarray(n * H * W, (n + 1) * H * W), H, W),
  );
  return poolOf(pictures, labels);
}

/** The part of an image that has ink, fitted. */
function cutOut(pixels: Uint8Array, H: number, W: number): Float32Array {
  const FAINT = 32;
  let [top, bottom, left, right] = [H, -1, W, -1];
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++) {
      if (pixels[y * W + x]! < FAINT) continue;
      top = Math.min(top, y);
      bottom = y;
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
  if (bottom < 0) return new Float32Array(OBJECT * OBJECT);
  const [rows, columns] = [bottom - top + 1, right - left + 1];
  const ink = Float32Array.from({ length: rows * columns }, (_, at) => {
    return pixels[(top + Math.floor(at / columns)) * W + left + (at % columns)]! / 255;
  });
  return fitted(ink, rows, columns);
}

/** A picture as large as fits into [OBJECT, OBJECT] with its proportions, in the middle: each pixel the mean of what it covers. */
function fitted(picture: Float32Array, rows: number, columns: number): Float32Array {
  const scale = Math.max(rows, columns) / OBJECT;
  const [up, aside] = [(OBJECT - rows / scale) / 2, (OBJECT - columns / scale) / 2];
  const out = new Float32Array(OBJECT * OBJECT);
  const SAMPLES = 4;
  for (let y = 0; y < OBJECT; y++)
    for (let x = 0; x < OBJECT; x++) {
      let sum = 0;
      for (let i = 0; i < SAMPLES; i++)
        for (let j = 0; j < SAMPLES; j++) {
          const row = Math.floor((y + (i + 0.5) / SAMPLES - up) * scale);
          const column = Math.floor((x + (j + 0.5) / SAMPLES - aside) * scale);
          if (row >= 0 && row < rows && column >= 0 && column < columns)
            sum += picture[row * columns + column]!;
        }
      out[y * OBJECT + x] = sum / SAMPLES ** 2;
    }
  return out;
}
