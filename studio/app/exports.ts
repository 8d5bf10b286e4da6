import { gzipSync } from "fflate";
import { download, pngOf } from "../../src/elements/parts/save.ts";
import { PAGE_VIEWS, pageCode, standalonePage } from "../../src/elements/standalone-page.ts";
import type { ElementState } from "../../src/elements/url-state.ts";
import type { Trace } from "../../src/inspect/trace/trace.ts";
import { writeTrace } from "../../src/inspect/trace/write.ts";
import { drawTrace } from "../../src/views/draw-trace.ts";
import type { DrawOptions } from "../../src/views/index.ts";
import { recordOf, type View } from "../../src/views/list.ts";
import { pageFigures } from "../../src/views/page-figures.ts";
import type { Palette } from "../../src/viz/color.ts";
import type { ColorScale } from "../../src/viz/scale.ts";
import { answered } from "./documents.ts";
import { ENDINGS, type Format, fileName } from "./formats.ts";

/** What is in front. */
export interface Shown {
  readonly trace: Trace;
  readonly view: string;
  readonly state: ElementState;
  /** The element that draws it. */
  readonly element: HTMLElement;
}

interface Savable {
  exportPng?(): Promise<Blob>;
  exportSvg?(): Promise<string>;
  toJSON?(): unknown;
}

/** Gives the reader what is shown as a file. @throws what the view's drawing throws; Error where the view has no such form */
export async function save(format: Format, shown: Shown): Promise<string> {
  const name = fileName(shown.trace.name, shown.view, ENDINGS[format]);
  download(await made(format, shown), name);
  return name;
}

async function made(format: Format, shown: Shown): Promise<Blob> {
  const { trace, view } = shown;
  const element = shown.element as HTMLElement & Savable;
  switch (format) {
    case "SVG":
      return new Blob([await svgOf(shown)], { type: "image/svg+xml" });
    case "PNG":
      return element.exportPng ? element.exportPng() : rasterised(await svgOf(shown));
    case "JSON": {
      const json = element.toJSON?.();
      if (json === undefined) throw new Error(`the view ${view} has no numbers of its own; save the trace`);
      return new Blob([JSON.stringify(json)], { type: "application/json" });
    }
    case "HTML":
      return new Blob([await pageOf(shown)], { type: "text/html" });
    case "trace":
      return new Blob([writeTrace(trace) as Uint8Array<ArrayBuffer>]);
  }
}

/** What the views need to draw what is shown; of several choices those that the view makes. */
function drawOptions({ view, state }: Shown): DrawOptions {
  const chooses = recordOf(view)?.chooses ?? [];
  return {
    view: view as View,
    palette: state.palette as Palette,
    ...(state.colorScale !== undefined && { colorScale: state.colorScale as ColorScale }),
    ...(chooses.includes("layer") && { layer: state.layer }),
    ...(chooses.includes("head") && { head: state.head }),
    ...(chooses.includes("query") && { query: state.query }),
  };
}

async function svgOf(shown: Shown): Promise<string> {
  const { exportSvg } = shown.element as Savable;
  return exportSvg ? exportSvg.call(shown.element) : drawTrace(shown.trace, drawOptions(shown));
}

/** An SVG document as a PNG of twice its size, by the browser's own drawing. */
async function rasterised(svg: string): Promise<Blob> {
  const href = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const picture = new Image();
    picture.src = href;
    await picture.decode();
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 2 * picture.naturalWidth, height: 2 * picture.naturalHeight });
    canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await pngOf([canvas], "#ffffff");
  } finally {
    URL.revokeObjectURL(href);
  }
}

/** The page that `heed html` makes of the same trace. */
async function pageOf(shown: Shown): Promise<string> {
  const { trace, view, state } = shown;
  const { layer, head } = state;
  const isAlive = trace.layers.length > 0;
  const bundle = isAlive
    ? await (await answered(new URL("heed-elements.js", document.baseURI).href)).text()
    : "";
  const code = isAlive ? pageCode(bundle) : "";
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
  const options = { palette: state.palette as Palette, layer, head };
  const page = {
    ...options,
    view: PAGE_VIEWS.find((name) => name === view) ?? "heatmap",
    figures: pageFigures(trace, options),
  };
  const pack = (bytes: Uint8Array) => base64(gzipSync(bytes, { mtime: 0 }));
  return standalonePage(trace, page, { code, digest: base64(new Uint8Array(sum)), pack });
}

/** As many bytes as a call takes arguments, in every browser. */
const PART = 8192;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PART)
    text += String.fromCharCode(...bytes.subarray(at, at + PART));
  return btoa(text);
}
