import { visible } from "../../viz/text.ts";
import { graphemes } from "../../viz/width.ts";

/** One token beside the plot. */
export interface AxisLabel {
  readonly text: string;
  /** The index of the token. */
  readonly at: number;
}

/** Labels stand at least so many pixels apart. */
const LEAST_PITCH = 15;

/** Every how manyth token gets a label: 1, 2, 5, 10, 20 … */
export function labelStep(pitch: number): number {
  const least = LEAST_PITCH / pitch;
  if (least <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return (
    [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least && step >= 1) ?? 10 * power
  );
}

/** The labels of tokens [from, to): where some are left out, with their positions. */
export function axisLabels(tokens: readonly string[], from: number, to: number, pitch: number): AxisLabel[] {
  const step = Math.ceil(labelStep(pitch));
  const labels: AxisLabel[] = [];
  const end = Math.min(tokens.length, Math.ceil(to));
  for (let at = Math.ceil(from / step) * step; at < end; at += step) {
    const middle = at + 0.5;
    if (middle < from || middle > to) continue;
    const token = visible(tokens[at]!.slice(0, 80));
    labels.push({ at, text: step === 1 ? token : `${at} ${token}` });
  }
  return labels;
}

/** As much of a text as fits, with an ellipsis. */
export function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const letters = graphemes(text);
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${letters.slice(0, middle).join("")}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("")}…`;
}
