import { PALETTES, type Palette } from "./color.ts";
import { oneOf, positiveInteger } from "./options.ts";
import { refuse, refuseLength } from "./refuse.ts";
import type { ColorDepth } from "./terminal/capabilities.ts";
import { makeInk, paintLine } from "./terminal/ink.ts";
import { ellipsisOf, printable } from "./terminal/page.ts";
import { wrap } from "./terminal/wrap.ts";
import { displayWidth, truncate } from "./width.ts";

export interface TerminalWordsOptions {
  /** What the numbers are. */
  readonly name: string;
  /** Bits of colour, as `terminalCapabilities` finds them. */
  readonly depth: ColorDepth;
  readonly unicode: boolean;
  /** Width of the terminal; no line is wider, but less than 20 is taken for 20. */
  readonly columns: number;
  /** @default viridis at depth 24, the grey ramp at depth 8 */
  readonly palette?: Palette;
}

const LEAST_COLUMNS = 20;
/** Two blanks beside a word in its colour. */
const MARGIN = 2;

/**
 * Words with a number each, for a terminal: a line with the name, then the words in order, each on the colour of its
 * number (0 to 1; more than 1 looks like 1), or with the number behind it where there are no colours.
 *
 * One string, lines joined by "\n", without one at the end. Words cannot reach the terminal as controls. Pure.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * terminalWords(["see", "it"], [1, 0.25], { name: "p_gen", depth: 1, unicode: true, columns: 80 }); // "p_gen\nsee 1.00  it 0.25"
 */
export function terminalWords(
  words: readonly string[],
  values: ArrayLike<number>,
  options: TerminalWordsOptions,
): string {
  const op = "terminalWords";
  if (values.length !== words.length) refuseLength(op, "values", "T", words.length, values.length);
  const wrong = Array.from(values).find((value) => !Number.isFinite(value));
  if (wrong !== undefined) refuse(op, "values", "finite numbers", String(wrong), "leave the words out");
  const palette = options.palette && oneOf(op, "palette", options.palette, PALETTES);
  const columns = Math.max(LEAST_COLUMNS, positiveInteger(op, "columns", options.columns));
  const ink = makeInk(options.depth, palette);
  const ellipsis = ellipsisOf(options);
  const items = words.map((word, t) => {
    const value = values[t]!;
    const at = Math.min(1, Math.max(0, value));
    const number = ink ? "" : ` ${value.toFixed(2)}`;
    const shown = truncate(
      printable(options, word.trim() || word),
      columns - MARGIN - number.length,
      ellipsis,
    );
    if (!ink) return { text: shown + number, width: displayWidth(shown) + number.length };
    const text = paintLine([{ text: ` ${shown} `, foreground: ink.text(at), background: ink.color(at) }]);
    return { text, width: displayWidth(shown) + MARGIN };
  });
  return [printable(options, options.name), ...wrap(items, columns, ink ? "" : "  ")].join("\n");
}
