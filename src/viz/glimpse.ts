import type { Box } from "./image/boxes.ts";
import { checkPicture, drawPicture, type Frame, type Picture } from "./image/picture.ts";
import { oneOf, positiveInteger } from "./options.ts";
import { refuse } from "./refuse.ts";
import { TOKEN_SIZE } from "./svg/layout.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth } from "./svg/measure.ts";
import { strokeOf } from "./svg/strokes.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, PAD, titledDocument } from "./svg/titled.ts";
import { visible } from "./text.ts";

/** One look at an image. */
export interface GlimpsePanel {
  readonly name: string;
  /** What was seen. */
  readonly glimpse: Picture;
  /** Where it was looked at, in pixels of the image: `gaussianBox`, `affineBox`. */
  readonly box: Box;
}

export interface GlimpseData {
  readonly image: Picture;
  readonly glimpses: readonly GlimpsePanel[];
}

export interface GlimpseOptions {
  /** Width of the image's panel in pixels; a glimpse's is as high. @default 200 */
  readonly panelWidth?: number;
  /** @default "Glimpses"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "Glimpses";
const GAP = 20;
const CAPTION = 24;

/**
 * Glimpses: an image with a box around each place that was looked at, and beside it what was seen there.
 *
 * A pixel of the image is a square whose centre is at whole coordinates, so a box runs through the centres of the
 * outermost samples. Boxes may be turned or reach beyond the image. Each box has a colour and a dash of its own.
 * Cost: O(pixels). Pure: the same data give the same text, without a DOM.
 * Picture: Kosiorek 2017; Gregor et al. 2015, figure 3, arxiv.org/abs/1502.04623.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const image = { height: 3, width: 3, values: [0, 0, 0, 0, 1, 0, 0, 0, 0] };
 * const seen = { height: 1, width: 2, values: [0, 1] };
 * const box = gaussianBox({ u: 1, d: 1 }, { u: 0, d: 1 }, [1, 2]);
 * glimpse({ image, glimpses: [{ name: "crop", glimpse: seen, box }] });
 */
export function glimpse(data: GlimpseData, options: GlimpseOptions = {}): string {
  const op = "glimpse";
  const { image, glimpses } = data;
  check(op, data);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const panelWidth = positiveInteger(op, "panelWidth", options.panelWidth ?? 200);
  const { title = TITLE } = options;
  const top = belowTitle(title);
  const panelHeight = (panelWidth * image.height) / image.width;
  const main: Frame = { x: PAD, y: top, width: panelWidth, height: panelHeight };
  const scale = panelWidth / image.width;
  let left = PAD + panelWidth + GAP;
  const panels = glimpses.map(({ name, glimpse }, n) => {
    const shrink = Math.min(panelWidth / glimpse.width, panelHeight / glimpse.height);
    const frame = { x: left, y: top, width: glimpse.width * shrink, height: glimpse.height * shrink };
    left += Math.max(frame.width, 90) + GAP;
    const edge = element("rect", { ...frame, fill: "none", "stroke-width": 2, ...strokeOf(n) });
    const words = fitWidth(visible(name), Math.max(frame.width, 90), TOKEN_SIZE);
    return drawPicture(glimpse, frame) + edge + caption(words, frame.x, frame.y + frame.height);
  });
  const width = left - GAP + PAD;
  const height = top + panelHeight + CAPTION + PAD;
  const id = fingerprint(
    [
      theme,
      title,
      panelWidth,
      ...Array.from(image.values),
      ...glimpses.flatMap(({ name, glimpse, box }) => [name, ...box.flat(), ...Array.from(glimpse.values)]),
    ].join("\n"),
  );
  const boxes = glimpses.map(({ box, name }, n) => {
    const points = box.map(
      ([x, y]) => `${coordinate(main.x + (x + 0.5) * scale)},${coordinate(main.y + (y + 0.5) * scale)}`,
    );
    // A dark line below the coloured one: it stands out on any image.
    const shape = { points: points.join(" "), fill: "none" };
    const under = element("polygon", {
      ...shape,
      stroke: "#000",
      "stroke-width": 4,
      "stroke-opacity": "0.6",
    });
    return (
      under + element("polygon", { ...shape, "stroke-width": 2, ...strokeOf(n), "data-name": visible(name) })
    );
  });
  const clip = element("clipPath", { id: `${id}-c` }, element("rect", { ...main }));
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `${glimpses.length} glimpses of an image of ${image.height} × ${image.width} pixels: ${glimpses.map(described).join("; ")}.`,
    width,
    height,
    definitions: clip,
    content: [
      drawPicture(image, main),
      element("g", { "clip-path": `url(#${id}-c)` }, boxes.join("")),
      element("rect", { class: "l", ...main }),
      caption("image", main.x, main.y + main.height),
      ...panels,
    ],
  });
}

const caption = (text: string, x: number, y: number) => label(text, { class: "t k", x, y: y + 17 });

function described({ name, box, glimpse }: GlimpsePanel): string {
  const corners = box.map(([x, y]) => `(${x.toFixed(1)}, ${y.toFixed(1)})`).join(" ");
  return `“${visible(name)}”, ${glimpse.height} × ${glimpse.width}, corners (x, y) ${corners}`;
}

function check(op: string, { image, glimpses }: GlimpseData): void {
  checkPicture(op, "image", image);
  if (glimpses.length === 0) {
    refuse(op, "glimpses", "a list of one or more", "none", "pass what was seen, and where");
  }
  glimpses.forEach(({ glimpse, box }, n) => {
    checkPicture(op, `glimpses[${n}].glimpse`, glimpse);
    if (box.length === 4 && box.flat().every(Number.isFinite)) return;
    const remedy = "make it with gaussianBox or affineBox";
    refuse(op, `glimpses[${n}].box`, "four corners of finite numbers", JSON.stringify(box), remedy);
  });
}
