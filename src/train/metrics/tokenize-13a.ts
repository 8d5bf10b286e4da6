import { splitSpaces, trimEnd } from "./segments.ts";

/**
 * The `13a` tokens of a line, as mteval-v13a.pl and sacreBLEU cut them for BLEU: ASCII punctuation stands alone,
 * except `'` and a `.` or `,` between digits or a `-` not after a digit; four XML entities are read; nothing else
 * changes, so `«` and `’` stay with their word unless a space parts them.
 *
 * @example
 * tokenize13a("L'eau, à 1,5 €."); // ["L'eau", ",", "à", "1,5", "€", "."]
 */
export function tokenize13a(line: string): string[] {
  let text = trimEnd(line).replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  if (text.includes("&")) {
    text = text
      .replaceAll("&quot;", '"')
      .replaceAll("&amp;", "&")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">");
  }
  text = ` ${text} `
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ");
  return splitSpaces(text);
}
