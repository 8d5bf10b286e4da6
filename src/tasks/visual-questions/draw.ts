import { type ImageAttentionData, type ImageAttentionOptions, image } from "../../viz/index.ts";
import type { AnsweredQuestion } from "./answerer.ts";

/** Pixels [height, width] of a picture as a model reads it, 0 … 255. */
export interface AskedPixels {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** A picture and what each word of a question looked at, then what the answer was read from. */
export function answerPicture(
  { pixels, height, width }: AskedPixels,
  answered: AnsweredQuestion,
): ImageAttentionData {
  const { grid, maps, answerMap, words, answer } = answered;
  const values = Float64Array.from(pixels, (value) => value / 255);
  return {
    image: { height, width, values },
    grid,
    maps: [...maps, answerMap],
    words: [...words, `→ ${answer}`],
  };
}

/**
 * A strip of the picture: once for each word of the question with what the word looked at in the first layer, and once with what
 * the answer was read from in the last.
 *
 * @returns an SVG document
 * @throws ShapeError SHAPE · OptionError OPTION
 */
export function answerStrip(
  asked: AskedPixels,
  question: string,
  answered: AnsweredQuestion,
  options: ImageAttentionOptions = {},
): string {
  const title = `${question} ${answered.answer}`;
  const panels = { smooth: true, columns: 7, panelWidth: 128 };
  return image(answerPicture(asked, answered), { title, ...panels, ...options });
}
