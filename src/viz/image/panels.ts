import { refuse, refuseLength } from "../refuse.ts";
import { belowTitle, PAD } from "../svg/titled.ts";
import type { Frame } from "./picture.ts";

const GAP = 12;
const CAPTION = 24;

/** The middle of the words below a panel. */
export const captionBelow = ({ x, y, width, height }: Frame) => ({
  x: x + width / 2,
  y: y + height + 17,
  "text-anchor": "middle",
});

/** Where panels of one size lie below a title, each with words below it, so many in a row; and how large the document is. */
export function panelRows(
  count: number,
  {
    title,
    columns,
    width,
    height,
  }: { readonly title: string; readonly columns: number; readonly width: number; readonly height: number },
) {
  const top = belowTitle(title);
  const frameOf = (panel: number): Frame => ({
    x: PAD + (panel % columns) * (width + GAP),
    y: top + Math.floor(panel / columns) * (height + CAPTION + GAP),
    width,
    height,
  });
  return {
    frameOf,
    width: 2 * PAD + columns * (width + GAP) - GAP,
    height: frameOf(count - 1).y + height + CAPTION + 30,
  };
}

/** Refuses a map that has not one weight for each cell. @throws ShapeError SHAPE · OptionError OPTION */
export function checkMap(
  op: string,
  name: string,
  map: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
) {
  const cells = rows * columns;
  if (map.length !== cells) refuseLength(op, name, "rows·columns", cells, map.length);
  const wrong = Array.from(map).find((weight) => !(weight >= 0 && Number.isFinite(weight)));
  if (wrong === undefined) return;
  refuse(op, name, "weights of 0 or more", String(wrong), "pass the weights, not the scores");
}
