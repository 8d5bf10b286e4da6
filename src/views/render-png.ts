import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { DataError } from "../core/errors.ts";
import { encodePng } from "../viz/index.ts";
import { refuse } from "../viz/refuse.ts";
import { fontCoverage, missingGlyphs } from "./font.ts";

export interface RenderPngOptions {
  /** Pixels for each of the SVG's own, 0.25 to 8. @default 2 */
  readonly scale?: number;
  /** TrueType or OpenType files, tried for what DejaVu Sans has no glyph for. */
  readonly fonts?: readonly Uint8Array[];
  /** Latin-1 notes that the file carries, by keyword. */
  readonly text?: Readonly<Record<string, string>>;
  /** Called with a sentence when words hold characters that no font has. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const OP = "renderPng";
const FAMILY = "DejaVu Sans";
const FONT = new URL("../../fonts/dejavu-sans/DejaVuSans-subset.ttf", import.meta.url);
const MOST_PIXELS = 64_000_000;
const NAMED = 8;

let loading: Promise<typeof import("@resvg/resvg-wasm")> | undefined;

/** The renderer is 2.5 MB of WebAssembly: loaded for the first picture, and once. */
function loadRenderer() {
  loading ??= (async () => {
    const renderer = await import("@resvg/resvg-wasm");
    const wasm = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");
    await renderer.initWasm(readFileSync(wasm)).catch((error: unknown) => {
      // Another user of the renderer in this process has started it: there is one for all.
      if (!/already initialized/i.test(String(error))) throw error;
    });
    return renderer;
  })();
  return loading;
}

/**
 * An SVG picture as a PNG file, the same bytes on every machine: drawn by resvg with the font that heed brings along,
 * DejaVu Sans (Latin, Greek, Cyrillic, Hebrew, Arabic, mathematics), never with those of the machine.
 *
 * Every view of `drawTrace` and every figure of `heed/viz` can be drawn; the theme `auto` comes out light, as there is no
 * reader to ask. Node only; in a page, the elements save themselves. Cost: O(pixels), about 0.4 s for a heat map, and
 * 0.8 s once to load the renderer.
 *
 * @throws OptionError OPTION, for a scale out of range or more than 64 million pixels · DataError FORMAT, for a font or
 *   a picture that is none
 * @example
 * const svg = heatmap({ weights: [[0.25, 0.75]], rowTokens: ["je"], columnTokens: ["I", "am"] });
 * decodePng(await renderPng(svg, { scale: 1 })).width; // 960
 */
export async function renderPng(
  svg: string,
  { scale = 2, fonts = [], text = {}, onWarning }: RenderPngOptions = {},
): Promise<Uint8Array> {
  if (!(scale >= 0.25 && scale <= 8)) {
    refuse(OP, "scale", "a number from 0.25 to 8", String(scale), "try scale 2");
  }
  const buffers = [new Uint8Array(readFileSync(FONT)), ...fonts];
  const coverages = buffers.map((font) => fontCoverage(OP, font));
  const missing = onWarning ? missingGlyphs(svg, coverages) : [];
  if (missing.length > 0) onWarning?.(warningOf(missing));
  const { Resvg } = await loadRenderer();
  const picture = parsed(svg, () => {
    const font = { fontBuffers: buffers, defaultFontFamily: FAMILY, sansSerifFamily: FAMILY };
    return new Resvg(svg, { font, fitTo: { mode: "zoom", value: scale } });
  });
  try {
    const pixels = picture.width * picture.height * scale ** 2;
    if (!(pixels <= MOST_PIXELS)) {
      const got = `${Math.round(picture.width * scale)} × ${Math.round(picture.height * scale)}`;
      refuse(OP, "scale", "one that makes at most 64 million pixels", got, "choose a smaller one");
    }
    const image = picture.render();
    try {
      const { width, height } = image;
      return encodePng({ width, height, channels: 3, data: withoutAlpha(image.pixels) }, { text });
    } finally {
      image.free();
    }
  } finally {
    picture.free();
  }
}

/** What the renderer makes of a picture, whose own errors name neither the call nor the picture. */
function parsed<P>(svg: unknown, parse: () => P): P {
  try {
    return parse();
  } catch (cause) {
    throw new DataError(
      "FORMAT",
      {
        op: OP,
        rule: "the picture must be a whole SVG",
        got:
          typeof svg === "string" ? `text that is none: ${String(cause)}` : `a value of type ${typeof svg}`,
        remedy: "pass what drawTrace or a function of heed/viz returns",
      },
      { cause },
    );
  }
}

/** RGB on white of premultiplied RGBA. */
function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const ground = 255 - rgba[from + 3]!;
    for (let c = 0; c < 3; c++) rgb[to++] = rgba[from + c]! + ground;
  }
  return rgb;
}

function warningOf(missing: readonly string[]): string {
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : "";
  const some = `${missing.slice(0, NAMED).join(" ")}${more}`;
  return `${OP}: every character must be in a font, got ${some} in none; give a font that has them, or they are left out`;
}
