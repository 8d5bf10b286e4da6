import { DataError } from "../core/errors.ts";

/** Whether a font has a glyph for a character. */
export type Coverage = (codePoint: number) => boolean;

/** `TrueType`, `OpenType` with CFF outlines, and Apple's older name for the first. */
const SINGLE = new Set([0x00010000, 0x4f54544f, 0x74727565]);
const COLLECTION = 0x74746366;
const CMAP = 0x636d6170;

/**
 * Which characters a TrueType or OpenType font covers, from its `cmap` table (formats 4 and 12, which every font for
 * Unicode has); of a collection, its first font.
 *
 * @throws DataError FORMAT
 */
export function fontCoverage(op: string, font: Uint8Array): Coverage {
  try {
    return coverageOf(new DataView(font.buffer, font.byteOffset, font.byteLength));
  } catch (error) {
    // A RangeError says that the file ends before its tables do.
    if (error instanceof RangeError)
      throw new DataError("FORMAT", {
        op,
        rule: "a font must be a whole TrueType or OpenType file",
        got: `a file of ${font.length} bytes`,
        remedy: "choose a .ttf, .otf or .ttc file",
      });
    throw error;
  }
}

function coverageOf(view: DataView): Coverage {
  const kind = view.getUint32(0);
  const start = kind === COLLECTION ? view.getUint32(12) : 0;
  if (!SINGLE.has(view.getUint32(start))) throw new RangeError("no font");
  const tables = Array.from({ length: view.getUint16(start + 4) }, (_, n) => start + 12 + 16 * n);
  const cmap = tables.find((at) => view.getUint32(at) === CMAP);
  if (cmap === undefined) throw new RangeError("no cmap");
  const base = view.getUint32(cmap + 8);
  const encodings = Array.from(
    { length: view.getUint16(base + 2) },
    (_, n) => base + view.getUint32(base + 4 + 8 * n + 4),
  );
  const known = encodings.flatMap((at) => {
    const format = view.getUint16(at);
    return format === 4 ? [ranges4(view, at)] : format === 12 ? [ranges12(view, at)] : [];
  });
  const ranges = known.flat();
  return (codePoint) => ranges.some(([first, last]) => codePoint >= first && codePoint <= last);
}

type Range = readonly [first: number, last: number];

function ranges4(view: DataView, at: number): Range[] {
  const bytes = view.getUint16(at + 6);
  const ends = at + 14;
  const starts = ends + bytes + 2;
  return Array.from({ length: bytes / 2 }, (_, n) => [
    view.getUint16(starts + 2 * n),
    view.getUint16(ends + 2 * n),
  ]);
}

function ranges12(view: DataView, at: number): Range[] {
  const groups = view.getUint32(at + 12);
  // What the file cannot hold is refused before anything is made for it.
  view.getUint8(at + 16 + 12 * groups - 1);
  return Array.from({ length: groups }, (_, n) => {
    const group = at + 16 + 12 * n;
    return [view.getUint32(group), view.getUint32(group + 4)];
  });
}

/** The characters of an SVG's words that none of the fonts has, each once. */
export function missingGlyphs(svg: string, fonts: readonly Coverage[]): string[] {
  const words = [...svg.matchAll(/<text\b[^>]*>(.*?)<\/text>/gsu)]
    .map(([, inside]) => inside!.replace(/<[^>]*>/g, ""))
    .join("")
    .replace(/&(lt|gt|amp|quot|apos);/g, "");
  return [...new Set(words)].filter((character) => {
    const isDrawn = !/[\s\p{Cc}\p{Cf}\p{DI}]/u.test(character);
    return isDrawn && !fonts.some((covers) => covers(character.codePointAt(0)!));
  });
}
