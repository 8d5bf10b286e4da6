import { CIVIDIS, PUOR, type Table, VIRIDIS } from "./palettes.ts";

/** Red, green and blue, each 0–255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * `viridis`: the default, perceptually even. `cividis`: the same for every kind of colour vision.
 * `grey`: for print. All three grow lighter with the value, so the order survives a black-and-white copy.
 */
export type Palette = keyof typeof SEQUENTIAL;

/** `PuOr`: for signed numbers, light where they are 0; its ends stay apart for every kind of colour vision. */
export type DivergingPalette = "PuOr";

/** The letter of no step. */
const AS_BEFORE = "m".charCodeAt(0);

const SEQUENTIAL = { viridis: unfold(VIRIDIS), cividis: unfold(CIVIDIS), grey: greys() };
const TABLES: Record<Palette | DivergingPalette, readonly Rgb[]> = { ...SEQUENTIAL, PuOr: blend(PUOR) };

export const PALETTES = Object.keys(SEQUENTIAL) as Palette[];

function unfold({ first, steps }: Table): readonly Rgb[] {
  const channels = steps.map((letters, c) => {
    let level = (first >> (16 - 8 * c)) & 255;
    return [level, ...Array.from(letters, (letter) => (level += letter.charCodeAt(0) - AS_BEFORE))];
  });
  return Array.from(
    { length: 256 },
    (_, i) => [channels[0]![i]!, channels[1]![i]!, channels[2]![i]!] as const,
  );
}

function greys(): readonly Rgb[] {
  return Array.from({ length: 256 }, (_, i) => [i, i, i] as const);
}

/** A table of 256 entries between a few colours, straight lines in RGB, as matplotlib makes them. */
function blend(hexColors: string): readonly Rgb[] {
  const last = hexColors.length / 6 - 1;
  const channel = (n: number, c: number) =>
    Number.parseInt(hexColors.slice(6 * n + 2 * c, 6 * n + 2 * c + 2), 16);
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * last;
    const n = Math.min(Math.floor(at), last - 1);
    const mix = (c: number) => Math.round(channel(n, c) + (at - n) * (channel(n + 1, c) - channel(n, c)));
    return [mix(0), mix(1), mix(2)] as const;
  });
}

/**
 * The table entry of `t`: ⌊256·t⌋, clamped to 0…255. matplotlib cuts [0, 1] into 256 equal bins in the same way,
 * so equal values get equal colours in both.
 */
export function paletteIndex(t: number): number {
  return Math.max(0, Math.min(255, Math.floor(t * 256)));
}

/**
 * The colour of `t` in [0, 1]; values outside get the colour of the nearer end.
 *
 * @example
 * hex(colorAt("viridis", 0)); // "#440154"
 */
export function colorAt(palette: Palette | DivergingPalette, t: number): Rgb {
  return TABLES[palette][paletteIndex(t)]!;
}

/** `#rrggbb`. */
export function hex(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it. */
export function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** The WCAG contrast ratio of two colours, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

/** Black or white, whichever reads better on `background`; at least 4.58:1 on any colour. */
export function textOn(background: Rgb): Rgb {
  return contrast(BLACK, background) >= contrast(WHITE, background) ? BLACK : WHITE;
}
