import { colorAt, type Palette, type Rgb, textOn } from "../color.ts";
import type { ColorDepth } from "./capabilities.ts";

/** Turns a position on the scale into the parameters of an SGR sequence (`38;` or `48;` goes before them). */
export interface Ink {
  readonly color: (t: number) => string;
  /** Black or white, whichever reads on `color(t)`. */
  readonly text: (t: number) => string;
}

/** The grey ramp of 256-colour terminals: 24 even steps from #080808 to #eeeeee. */
const GREY_FIRST = 232;
const GREY_STEPS = 24;
const CUBE = [0, 95, 135, 175, 215, 255];

/**
 * At depth 24 the palette itself. At depth 8 the grey ramp, because viridis falls together to some sixteen of the
 * 256 colours; a palette asked for by name is approximated all the same. Undefined where there are no such colours.
 */
export function makeInk(depth: ColorDepth, palette?: Palette): Ink | undefined {
  if (depth === 24) {
    const at = (t: number) => colorAt(palette ?? "viridis", t);
    return { color: (t) => `2;${at(t).join(";")}`, text: (t) => `2;${textOn(at(t)).join(";")}` };
  }
  if (depth !== 8) return undefined;
  const index =
    palette === undefined || palette === "grey"
      ? (t: number) => GREY_FIRST + Math.min(GREY_STEPS - 1, Math.floor(t * GREY_STEPS))
      : (t: number) => nearest256(colorAt(palette, t));
  return {
    color: (t) => `5;${index(t)}`,
    text: (t) => (textOn(color256(index(t)))[0] === 0 ? "5;16" : "5;231"),
  };
}

/** The colour of entry 16…255 of the 256-colour table: a 6×6×6 cube, then the greys. */
export function color256(index: number): Rgb {
  if (index >= GREY_FIRST) {
    const grey = 8 + 10 * (index - GREY_FIRST);
    return [grey, grey, grey];
  }
  const cell = index - 16;
  return [CUBE[Math.floor(cell / 36)]!, CUBE[Math.floor(cell / 6) % 6]!, CUBE[cell % 6]!];
}

function nearest256(rgb: Rgb): number {
  let best = 16;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 16; index < 256; index++) {
    const distance = color256(index).reduce((sum, channel, k) => sum + (channel - rgb[k]!) ** 2, 0);
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

/** A piece of a line; colours are SGR parameters as `Ink` makes them, absent = the terminal's own. */
export interface Span {
  readonly text: string;
  readonly foreground?: string | undefined;
  readonly background?: string | undefined;
}

/**
 * One line. Neighbouring spans of the same colours share one sequence, the line ends as the terminal's own colours
 * began, and plain blanks at its end are left out.
 */
export function paintLine(spans: readonly Span[]): string {
  let line = "";
  let foreground: string | undefined;
  let background: string | undefined;
  for (const span of spans) {
    const codes: string[] = [];
    if (span.foreground !== foreground) codes.push(span.foreground ? `38;${span.foreground}` : "39");
    if (span.background !== background) codes.push(span.background ? `48;${span.background}` : "49");
    if (codes.length > 0) line += `\u001b[${codes.join(";")}m`;
    line += span.text;
    ({ foreground, background } = span);
  }
  return foreground === undefined && background === undefined ? line.trimEnd() : `${line}\u001b[0m`;
}
