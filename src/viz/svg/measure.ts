import { displayWidth, graphemes } from "../width.ts";

/** Advance widths in em of DejaVu Sans, the widest sans-serif in common use: Latin text is not wider. */
const CLASSES: readonly (readonly [RegExp, number])[] = [
  [/^[ijlI|'.,:;]/, 0.34],
  [/^[ftr()[\]/\\! -]/, 0.42],
  [/^[acekosvxyzLJ?"*_]/, 0.62],
  [/^[mwMW@%æœÆŒ©®]/, 1.07],
  [/^[\p{Lu}&=+<>#~^¬±×÷]/u, 0.84],
];

/**
 * An upper estimate of the width of `text` at `size` pixels. Drawing without a DOM has no way to measure, and a
 * figure must not depend on the fonts of the machine that draws it.
 */
export function textWidth(text: string, size: number): number {
  let em = 0;
  for (const grapheme of graphemes(text)) {
    if (displayWidth(grapheme) === 2) em += 1.25;
    else em += CLASSES.find(([pattern]) => pattern.test(grapheme))?.[1] ?? 0.66;
  }
  return em * size;
}

/** `text`, or as much of it as fits into `width` pixels with an ellipsis; never splits a grapheme. */
export function fitWidth(text: string, width: number, size: number): string {
  if (textWidth(text, size) <= width) return text;
  let kept = "";
  let room = width - textWidth("…", size);
  for (const grapheme of graphemes(text)) {
    room -= textWidth(grapheme, size);
    if (room < 0) break;
    kept += grapheme;
  }
  return `${kept}…`;
}
