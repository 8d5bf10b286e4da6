import { MASKED, NOT_FINITE } from "../../inspect/cells.ts";
import { count } from "../describe.ts";
import type { Words } from "../options.ts";
import { formatNumber } from "../scale.ts";
import { displayWidth } from "../width.ts";
import { paintLine, type Span } from "./ink.ts";
import {
  type Drawing,
  ellipsisOf,
  INVALID_SIGN,
  maskedSign,
  type Page,
  printable,
  shadeAt,
  shades,
} from "./page.ts";
import { type Item, plainItem, wrap } from "./wrap.ts";

const BAR_CELLS = 16;
const GAP = "   ";

/** Colour scale, axes, signs and pooling: everything a reader needs, in as few lines as the terminal allows. */
export function legend(page: Page, drawing: Drawing, words: Required<Words>): string[] {
  const { unicode } = page;
  const plain = (text: string) => plainItem(text, page.columns, ellipsisOf(page));
  const down = printable(page, words.yTitle || "output tokens");
  const right = printable(page, words.xTitle || "input tokens");
  const items = [
    ...(drawing.look === "numbers" ? [plain("each number is a weight")] : scaleItems(page, drawing.look)),
    plain(unicode ? `↓ ${down}` : `down: ${down}`),
    plain(unicode ? `→ ${right}` : `across: ${right}`),
  ];
  if (count(drawing.matrix, MASKED) > 0) items.push(plain(`${maskedSign(page)} masked`));
  if (count(drawing.matrix, NOT_FINITE) > 0) items.push(plain(`${INVALID_SIGN} not finite`));
  if (drawing.note) items.push(plain(unicode ? drawing.note : drawing.note.replaceAll("×", "x")));
  return wrap(items, page.columns, GAP);
}

/** `weight 0 ▒▒▒▒ 1`; in a narrow terminal the name goes before it as an item of its own, and the bar shrinks. */
function scaleItems(page: Page, look: "color" | "shades"): Item[] {
  const { low, high, label } = page.scale;
  const before = `${formatNumber(low)} `;
  const after = ` ${formatNumber(high)}`;
  const whole = look === "color" ? BAR_CELLS : 2 * shades(page).length;
  const cells = Math.min(whole, page.columns - before.length - after.length);
  const spans = [{ text: before }, ...bar(page, look, cells), { text: after }];
  const width = before.length + cells + after.length;
  const named = displayWidth(label) + 1 + width;
  return named <= page.columns
    ? [{ text: paintLine([{ text: `${label} ` }, ...spans]), width: named }]
    : [plainItem(label, page.columns, ellipsisOf(page)), { text: paintLine(spans), width }];
}

function bar(page: Page, look: "color" | "shades", cells: number): Span[] {
  return Array.from({ length: cells }, (_, k) =>
    look === "color"
      ? { text: " ", background: page.ink!.color(k / (cells - 1)) }
      : { text: shadeAt(page, (k + 0.5) / cells) },
  );
}
