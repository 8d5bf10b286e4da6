import { colorAt, type DivergingPalette, hex, type Palette } from "../color.ts";
import { formatNumber, type Scale } from "../scale.ts";
import { BAR_WIDTH, type Layout } from "./layout.ts";
import { coordinate, element, label } from "./markup.ts";

/** Every eighth entry and the last: blending between them stays within 2 of 255 of viridis (cividis: 6). */
const STOPS = [...Array.from({ length: 32 }, (_, k) => 8 * k), 255];

const GAP = 24;
const SWATCH = 14;
const SWATCH_PITCH = 22;

export interface ColorbarInput {
  readonly layout: Layout;
  readonly scale: Scale;
  readonly id: string;
  /** Whether the map has such cells, and the legend must explain them. */
  readonly hasMasked: boolean;
  readonly hasInvalid: boolean;
}

/** The gradient and the two hatches. */
export function definitions(id: string, palette: Palette | DivergingPalette): string {
  const stops = STOPS.map((entry) => {
    const middle = (entry + 0.5) / 256;
    return element("stop", {
      offset: `${coordinate(100 * middle)}%`,
      "stop-color": hex(colorAt(palette, middle)),
    });
  }).join("");
  const hatch = (suffix: string, lines: string) =>
    element(
      "pattern",
      { id: id + suffix, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      element("rect", { class: "mf", width: 8, height: 8 }) + lines,
    );
  const rising = "M-2 2L2 -2M0 8L8 0M6 10L10 6";
  return element(
    "defs",
    {},
    element("linearGradient", { id: `${id}-g`, x1: 0, y1: 1, x2: 0, y2: 0 }, stops) +
      hatch("-m", element("path", { class: "ml", d: rising })) +
      hatch(
        "-x",
        element("path", { class: "xl", "stroke-width": 1.5, d: `${rising}M-2 6L2 10M0 0L8 8M6 -2L10 2` }),
      ),
  );
}

/** What stands beside a tick: there is room for six digits. */
function markText(value: number): string {
  const text = formatNumber(value);
  return text.length > 6 ? value.toExponential() : text;
}

/** Colour bar, ticks, title, and a swatch for each special kind of cell in the map. */
export function colorbar({ layout, scale, id, hasMasked, hasInvalid }: ColorbarInput): string {
  const x = layout.right + GAP;
  const swatches = [
    ...(hasMasked ? [{ name: "masked", fill: `url(#${id}-m)` }] : []),
    ...(hasInvalid ? [{ name: "not finite", fill: `url(#${id}-x)` }] : []),
  ];
  const height = layout.plotHeight - swatches.length * SWATCH_PITCH;
  const bottom = layout.top + height;
  const frame = { class: "l", x, width: BAR_WIDTH };

  const bar =
    element("rect", { x, y: layout.top, width: BAR_WIDTH, height, fill: `url(#${id}-g)` }) +
    element("rect", { ...frame, y: layout.top, height });
  const marks = scale.marks.map((value) => {
    const y = bottom - scale.position(value) * height;
    return (
      element("path", { class: "l", d: `M${coordinate(x + BAR_WIDTH)} ${coordinate(y)}h5` }) +
      label(markText(value), { class: "t", x: x + BAR_WIDTH + 9, y: y + 4, "font-size": 12 })
    );
  });
  const middle = layout.top + height / 2;
  const title = label(scale.label, {
    class: "t",
    "font-size": 13,
    "text-anchor": "middle",
    transform: `translate(${coordinate(x + 76)} ${coordinate(middle)}) rotate(-90)`,
  });
  const legend = swatches.map(({ name, fill }, k) => {
    const y = bottom + SWATCH_PITCH * (k + 1) - SWATCH;
    return (
      element("rect", { x, y, width: BAR_WIDTH, height: SWATCH, fill }) +
      element("rect", { ...frame, y, height: SWATCH }) +
      label(name, { class: "t", x: x + BAR_WIDTH + 9, y: y + 11, "font-size": 12 })
    );
  });
  return bar + marks.join("") + title + legend.join("");
}
