import { PALETTES } from "./color.ts";
import { largest, overlay } from "./image/overlay.ts";
import { captionBelow, checkMap, panelRows } from "./image/panels.ts";
import { checkPicture, drawPicture, drawPng, type Frame, type Picture } from "./image/picture.ts";
import type { ImageAttentionOptions } from "./image.ts";
import { oneOf, positiveInteger } from "./options.ts";
import { refuse } from "./refuse.ts";
import { formatNumber } from "./scale.ts";
import { TOKEN_SIZE } from "./svg/layout.ts";
import { element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth } from "./svg/measure.ts";
import { strokeOf } from "./svg/strokes.ts";
import { THEMES } from "./svg/theme.ts";
import { titledDocument } from "./svg/titled.ts";
import { visible } from "./text.ts";

/** One thing that was found. */
export interface DetectionPanel {
  readonly name: string;
  /** 0 to 1. */
  readonly score: number;
  /** In pixels of the image, the upper left corner at x, y. */
  readonly box: Frame;
  /** What its query looked at: rows·columns weights. */
  readonly map: ArrayLike<number>;
}

export interface DetectionsData {
  readonly image: Picture;
  /** Rows and columns of the maps. */
  readonly grid: readonly [rows: number, columns: number];
  /** Where the grid lies, in pixels of the image; it may reach beyond. @default over the whole image */
  readonly place?: Frame;
  readonly found: readonly DetectionPanel[];
}

export interface DetectionsOptions extends Omit<ImageAttentionOptions, "smooth" | "title"> {
  /** @default "What was found, and what each query looked at"; empty = none */
  readonly title?: string;
}

const TITLE = "What was found, and what each query looked at";

/**
 * Detections: the image with a box around each thing that was found, and the same image once more for each of them with
 * what its query looked at.
 *
 *     colour of a cell: palette[α / α_max] over the image, with an opacity that grows as α / α_max
 *
 * α_max is the largest weight of all queries, which the note says. Boxes have a colour and a dash of their own, the same in
 * both panels. Cost: O(H·W + found·rows·columns). Pure: the same data give the same text, without a DOM.
 * Picture: Carion et al. 2020, figures 3 and 6, arxiv.org/abs/2005.12872.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const image = { height: 2, width: 2, values: [0, 0, 0, 1] };
 * const found = [{ name: "dot", score: 0.9, box: { x: 1, y: 1, width: 1, height: 1 }, map: [0, 0, 0, 1] }];
 * detections({ image, grid: [2, 2], found }).includes("dot 0.90"); // true
 */
export function detections(data: DetectionsData, options: DetectionsOptions = {}): string {
  const op = "detections";
  const { image, grid, found } = data;
  const place = data.place ?? { x: 0, y: 0, width: image.width, height: image.height };
  check(op, data, place);
  const palette = oneOf(op, "palette", options.palette ?? "viridis", PALETTES);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const columns = Math.min(positiveInteger(op, "columns", options.columns ?? 5), found.length + 1);
  const panelWidth = positiveInteger(op, "panelWidth", options.panelWidth ?? 160);
  const { title = TITLE } = options;

  const scale = panelWidth / image.width;
  const size = { title, columns, width: panelWidth, height: scale * image.height };
  const { frameOf, width, height } = panelRows(found.length + 1, size);
  const onto = ({ x, y, width, height }: Frame, frame: Frame): Frame => ({
    ...{ x: frame.x + x * scale, y: frame.y + y * scale, width: width * scale, height: height * scale },
  });
  const most = Math.max(...found.map(({ map }) => largest(map)), 0);
  const captions = found.map(({ name, score }) => `${visible(name)} ${score.toFixed(2)}`);
  const id = fingerprint(
    [
      ...[theme, palette, title, panelWidth, columns, ...grid, ...Object.values(place)],
      ...found.flatMap(({ name, score, box, map }) => [
        name,
        score,
        ...Object.values(box),
        ...Array.from(map),
      ]),
      ...Array.from(image.values),
    ].join("\n"),
  );
  const panel = (n: number, text: string, parts: (frame: Frame) => string) => {
    const frame = frameOf(n);
    const clip = `${id}-${n}`;
    return (
      element("clipPath", { id: clip }, element("rect", { ...frame })) +
      element("g", { "clip-path": `url(#${clip})` }, drawPicture(image, frame) + parts(frame)) +
      element("rect", { class: "l", ...frame }) +
      label(fitWidth(text, panelWidth, TOKEN_SIZE), { class: "t k", ...captionBelow(frame) })
    );
  };
  const style = { palette, smooth: false, most };
  const content = [
    panel(0, "image", (frame) => found.map(({ box }, n) => outline(onto(box, frame), n)).join("")),
    ...found.map(({ box, map }, n) =>
      panel(
        n + 1,
        captions[n]!,
        (frame) =>
          drawPng(overlay(map, grid, image, style), onto(place, frame)) + outline(onto(box, frame), n),
      ),
    ),
  ];
  const note =
    found.length > 0 ? `The brightest is a weight of ${formatNumber(most)}.` : "Nothing was found in it.";
  return titledDocument({
    ...{ id, theme, title, unnamed: TITLE, note, content },
    description: `${found.length} found in an image of ${image.height} × ${image.width} pixels${inWords(data)}. ${note}`,
    ...{ width, height },
  });
}

/** A box, with a dark line below the coloured one: it stands out on any image. */
function outline(box: Frame, n: number): string {
  const under = { fill: "none", stroke: "#000", "stroke-width": 4, "stroke-opacity": "0.6" };
  return (
    element("rect", { ...box, ...under }) +
    element("rect", { ...box, fill: "none", "stroke-width": 2, ...strokeOf(n) })
  );
}

function inWords({ found }: DetectionsData): string {
  const one = ({ name, score, box: { x, y, width, height } }: DetectionPanel) =>
    `“${visible(name)}” ${score.toFixed(2)}, ${width.toFixed(0)} × ${height.toFixed(0)} at x ${x.toFixed(0)}, y ${y.toFixed(0)}`;
  return found.length > 0 ? `: ${found.map(one).join("; ")}` : "";
}

function check(op: string, { image, grid, found }: DetectionsData, place: Frame): void {
  checkPicture(op, "image", image);
  for (const side of grid) positiveInteger(op, "grid", side);
  const isFrame = ({ x, y, width, height }: Frame) =>
    [x, y, width, height].every(Number.isFinite) && width > 0 && height > 0;
  const remedy = "pass x, y, width and height in pixels";
  if (!isFrame(place)) refuse(op, "place", "a place with an area", JSON.stringify(place), remedy);
  found.forEach(({ box, map, score }, n) => {
    if (!isFrame(box)) refuse(op, `found[${n}].box`, "a box with an area", JSON.stringify(box), remedy);
    if (!(score >= 0 && score <= 1))
      refuse(op, `found[${n}].score`, "a number from 0 to 1", String(score), "pass the probability");
    checkMap(op, `found[${n}].map`, map, grid);
  });
}
