import { checkPicture, drawPicture, type Frame, type Picture } from "./image/picture.ts";
import { oneOf, positiveInteger } from "./options.ts";
import { refuse } from "./refuse.ts";
import { TOKEN_SIZE } from "./svg/layout.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, PAD, titledDocument } from "./svg/titled.ts";
import { visible } from "./text.ts";

/** One frame of a video, and the boxes in it. */
export interface TrackFrame {
  readonly name: string;
  readonly picture: Picture;
  /** First row and column, height and width, in pixels; the tracker's box first. */
  readonly boxes: readonly (readonly [top: number, left: number, height: number, width: number])[];
}

export interface TrackOptions {
  /** Width of a frame in pixels. @default 120 */
  readonly panelWidth?: number;
  /** Frames in a row. @default 7 */
  readonly columns?: number;
  /** @default "Track"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "Track";
const [GAP, CAPTION] = [10, 22];
/** Told apart by their dashes as well as by their colours. */
const STROKES = [
  ["#00c853", ""],
  ["#ff9100", "4 3"],
] as const;

/**
 * Frames of a video in their order, each with the box that a tracker has for it, and where a second one is given that too.
 *
 * Pixel (y, x) covers the square from (y, x) to (y + 1, x + 1); a box may reach beyond its frame, and is cut off there.
 * Cost: O(pixels). Pure: the same data give the same text, without a DOM.
 * Picture: Kosiorek, Bewley, Posner 2017, figure 4, arxiv.org/abs/1706.09262.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const picture = { height: 3, width: 3, values: [0, 0, 0, 0, 1, 0, 0, 0, 0] };
 * track([{ name: "0", picture, boxes: [[1, 1, 1, 1]] }]);
 */
export function track(frames: readonly TrackFrame[], options: TrackOptions = {}): string {
  const op = "track";
  check(op, frames);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const panelWidth = positiveInteger(op, "panelWidth", options.panelWidth ?? 120);
  const columns = Math.min(frames.length, positiveInteger(op, "columns", options.columns ?? 7));
  const { title = TITLE } = options;
  const heights = frames.map(({ picture }) => (panelWidth * picture.height) / picture.width);
  const rowHeight = Math.max(...heights) + CAPTION + GAP;
  const top = belowTitle(title);
  const id = fingerprint(
    JSON.stringify([
      theme,
      title,
      panelWidth,
      columns,
      frames.map(({ name, picture, boxes }) => [name, boxes, Array.from(picture.values)]),
    ]),
  );
  const panels = frames.map(({ name, picture, boxes }, n) => {
    const frame: Frame = {
      x: PAD + (n % columns) * (panelWidth + GAP),
      y: top + Math.floor(n / columns) * rowHeight,
      width: panelWidth,
      height: heights[n]!,
    };
    const clip = element("clipPath", { id: `${id}-${n}` }, element("rect", { ...frame }));
    const scale = panelWidth / picture.width;
    const marks = boxes.map((box, b) => outline(box, b, frame, scale)).join("");
    const words = fitWidth(visible(name), panelWidth, TOKEN_SIZE);
    return [
      drawPicture(picture, frame),
      clip,
      element("g", { "clip-path": `url(#${id}-${n})` }, marks),
      element("rect", { class: "l", ...frame }),
      label(words, { class: "t k", x: frame.x, y: frame.y + frame.height + 16 }),
    ].join("");
  });
  const rows = Math.ceil(frames.length / columns);
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `${frames.length} frames of ${frames[0]!.picture.height} × ${frames[0]!.picture.width} pixels: ${frames.map(described).join("; ")}.`,
    width: 2 * PAD + columns * (panelWidth + GAP) - GAP,
    height: top + rows * rowHeight + PAD,
    content: panels,
  });
}

function outline(
  [top, left, height, width]: TrackFrame["boxes"][number],
  n: number,
  frame: Frame,
  scale: number,
): string {
  const shape = {
    x: coordinate(frame.x + left * scale),
    y: coordinate(frame.y + top * scale),
    width: coordinate(width * scale),
    height: coordinate(height * scale),
    fill: "none",
  };
  const [stroke, dash] = STROKES[n % STROKES.length]!;
  // A dark line below the coloured one: it stands out on any image.
  const under = element("rect", { ...shape, stroke: "#000", "stroke-width": 4, "stroke-opacity": "0.6" });
  return (
    under +
    element("rect", { ...shape, stroke, "stroke-width": 2, ...(dash && { "stroke-dasharray": dash }) })
  );
}

function described({ name, boxes }: TrackFrame): string {
  const places = boxes.map((box) => `[${box.map((number) => number.toFixed(1)).join(", ")}]`);
  return `“${visible(name)}”, ${places.length === 0 ? "no box" : `box ${places.join(" and ")}`}`;
}

function check(op: string, frames: readonly TrackFrame[]): void {
  if (frames.length === 0)
    refuse(op, "frames", "a list of one or more", "none", "pass the frames of a video");
  for (const [n, { picture, boxes }] of frames.entries()) {
    checkPicture(op, `frames[${n}].picture`, picture);
    const wrong = boxes.find((box) => box.length !== 4 || !box.every(Number.isFinite));
    if (!wrong) continue;
    const rule = "four finite numbers each: top, left, height, width";
    refuse(op, `frames[${n}].boxes`, rule, JSON.stringify(wrong), "correct it");
  }
}
