/** Code points that East Asian Width calls wide or fullwidth, as pairs of first and last; emoji are apart. */
const WIDE = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
] as const;

/** Most tokens are, and need no segmenter: that is some thirty times slower. */
const PRINTABLE_ASCII = /^[ -~]*$/;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The characters a reader sees: `"e\u0301"` and a family emoji are one each. */
export function graphemes(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return text.split("");
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Marks, formats, and the vowels and finals of conjoining Hangul, which join the syllable before them. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}\p{DI}\u1160-\u11ff]$/u;
const EMOJI = /^\p{Emoji_Presentation}|\ufe0f|^\p{RI}\p{RI}/u;

function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1 && grapheme >= " " && grapheme <= "~") return 1;
  if (EMOJI.test(grapheme)) return 2;
  let width = 0;
  for (const character of grapheme) {
    const code = character.codePointAt(0)!;
    if (ZERO.test(character)) continue;
    width += EMOJI.test(character) || WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
  }
  return width;
}

/**
 * How many terminal columns `text` takes: 2 for CJK and emoji (whole sequences and flags), 0 for marks.
 *
 * @example
 * displayWidth("日本"); // 4
 * displayWidth("👩‍👩‍👧"); // 2
 */
export function displayWidth(text: string): number {
  return graphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** `text`, or as much of it as fits into `width` columns with an ellipsis; never splits a grapheme. */
export function truncate(text: string, width: number, ellipsis = "…"): string {
  if (displayWidth(text) <= width) return text;
  if (width < displayWidth(ellipsis)) return "";
  let kept = "";
  let room = width - displayWidth(ellipsis);
  for (const grapheme of graphemes(text)) {
    room -= graphemeWidth(grapheme);
    if (room < 0) break;
    kept += grapheme;
  }
  return kept + ellipsis;
}

/** `text` in exactly `width` columns: cut with an ellipsis, or filled with spaces on the side away from `align`. */
export function fitColumns(
  text: string,
  width: number,
  align: "left" | "right" | "center" = "left",
  ellipsis = "…",
): string {
  const cut = truncate(text, width, ellipsis);
  const room = width - displayWidth(cut);
  const before = align === "left" ? 0 : align === "right" ? room : Math.ceil(room / 2);
  return " ".repeat(before) + cut + " ".repeat(room - before);
}
