import type { Cells } from "../inspect/cells.ts";
import { layerMap } from "../inspect/map/layer.ts";
import type { Trace } from "../inspect/trace/trace.ts";
import { writeTrace } from "../inspect/trace/write.ts";
import type { PageFigure } from "../views/options.ts";
import type { Palette } from "../viz/color.ts";
import { heatmap } from "../viz/heatmap.ts";
import type { ColorScale } from "../viz/scale.ts";
import { escapeXml, visible } from "../viz/text.ts";
import { leanTrace } from "./lean.ts";
import { short, strongest, weightText } from "./parts/sentences.ts";
import { TABS } from "./tabs.ts";

/** The views that the page can begin with. */
export const PAGE_VIEWS = TABS.map(({ name }) => name);

export interface PageOptions {
  /** @default the trace's name, or "Attention" */
  readonly title?: string;
  /** The view in front. @default "heatmap" */
  readonly view?: (typeof PAGE_VIEWS)[number];
  /** What is selected at first. @default 0 */
  readonly layer?: number;
  readonly head?: number;
  /** @default "viridis" */
  readonly palette?: Palette;
  /** How colours follow weights. @default "linear" */
  readonly colorScale?: ColorScale;
  /** Still pictures below the view. The SVG goes into the page as it is; `pageFigures` of heed/views makes them. @default none */
  readonly figures?: readonly PageFigure[];
}

/** What no browser shows without scripts need not be larger than this. */
const MOST_STILL_CELLS = 128;
/** Words of 13 px are read at 8 px, not below. */
const LEAST_SCALE = 0.6;
/** What a phone has room for, in pixels. */
const NARROWEST = 288;

/** What makes the page, apart from what is in it: Node and a browser have these by different names. */
export interface PageMakers {
  /** As `pageCode` gives it; "" for a page without layers. */
  readonly code: string;
  /** The SHA-256 of the code, in base64. */
  readonly digest: string;
  /** Bytes as gzip in base64. */
  readonly pack: (bytes: Uint8Array) => string;
}

/** The script of a page: the elements, and what gives them their trace. */
export const pageCode = (bundle: string): string => `${inScript(bundle)}\n${BOOT}`;

/** What `standaloneHtml` returns, in Node or in a page. */
export function standalonePage(trace: Trace, options: PageOptions, makers: PageMakers): string {
  const { title = trace.name ?? "Attention", figures = [] } = options;
  const isAlive = trace.layers.length > 0;
  const { code, digest } = makers;
  const script = isAlive ? `script-src 'sha256-${digest}'; ` : "";
  const policy = `default-src 'none'; ${script}style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
  const parts = [
    `<h1>${escapeXml(visible(title))}</h1>`,
    isAlive ? alive(trace, options) : "<p>This trace has no layer of attention.</p>",
    ...(figures.length > 0 ? [`<h2>${isAlive ? "More pictures" : "Pictures"}</h2>`] : []),
    ...figures.map(pageFigure),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeXml(visible(title))}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${parts.join("\n")}
</main>
${isAlive ? `${dataScript(trace, options, makers.pack)}\n<script type="module">${code}</script>\n` : ""}</body>
</html>
`;
}

/** The elements, and what is left of them where scripts are off. */
function alive(trace: Trace, options: PageOptions): string {
  return `<heed-view></heed-view>\n<noscript>${still(trace, options)}</noscript>`;
}

/** The trace and what is selected of it, where the boot code looks for them. */
function dataScript(trace: Trace, options: PageOptions, pack: PageMakers["pack"]): string {
  const { view = "heatmap", layer = 0, head = 0, palette = "viridis", colorScale } = options;
  // The page has the name above all; the view would say it again.
  const bytes = pack(writeTrace({ ...leanTrace(trace), name: undefined }));
  const data = jsonForScript({ view, layer, head, palette, colorScale, trace: bytes });
  return `<script type="application/json" id="data">${data}</script>`;
}

/** A still picture; where it would be too small to read, it keeps 60 % of its width and scrolls by itself. */
function pageFigure({ caption, svg }: PageFigure): string {
  const words = escapeXml(visible(caption));
  const least = Math.round(LEAST_SCALE * Number(/^<svg[^>]*? width="([\d.]+)"/.exec(svg)?.[1] ?? 0));
  const scrolls = ` class="wide" style="--least:${least}px" tabindex="0" role="group" aria-label="${words}"`;
  return `<figure><div${least > NARROWEST ? scrolls : ""}>${svg}</div><figcaption>${words}</figcaption></figure>`;
}

const PAGE_STYLE =
  ":root{color-scheme:light dark}body{margin:1rem;background:light-dark(#fff,#121212);color:light-dark(#1a1a1a,#ededed);font:16px/1.45 system-ui,sans-serif}h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.2rem}figure{margin:1.5rem 0}figcaption{overflow-wrap:anywhere}.wide{overflow-x:auto}.wide svg{min-width:var(--least)}svg{max-width:100%;height:auto}table{border-collapse:collapse}th,td{border:1px solid;padding:.15rem .5rem;text-align:start}";

/** In a block of its own, so that no name in it meets one of the bundle. */
const BOOT = `{
const data = JSON.parse(document.getElementById("data").textContent);
const bytes = Uint8Array.from(atob(data.trace), (letter) => letter.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const view = document.querySelector("heed-view");
view.setAttribute("view", data.view);
view.setAttribute("palette", data.palette);
if (data.colorScale) view.setAttribute("color-scale", data.colorScale);
view.trace = await new Response(stream).arrayBuffer();
view.layer = data.layer;
view.head = data.head;
}
`;

/** A value as JSON that cannot end the script around it, whatever its strings hold. */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Code with nothing in it that HTML would take for the end of the script, or for a comment. */
export function inScript(code: string): string {
  return code.replace(/<\/(?=script)/gi, "<\\/").replace(/<!--/g, "<\\!--");
}

/** What is left where scripts are off. */
function still(trace: Trace, { layer = 0, head = 0, palette, colorScale }: PageOptions): string {
  const shown = trace.layers[layer] ?? trace.layers[0]!;
  const [rows, columns] = [Math.min(shown.T, MOST_STILL_CELLS), Math.min(shown.S, MOST_STILL_CELLS)];
  const all = layerMap(shown).rows(Math.min(head, shown.H - 1), 0, rows);
  const rowTokens = trace.tokens[shown.alignQ]!.slice(0, rows);
  const columnTokens = trace.tokens[shown.alignK]!.slice(0, columns);
  const cells = firstColumns(all, columns);
  const picture = heatmap(
    { weights: cells, rowTokens, columnTokens },
    { theme: "auto", domain: "typical", ...(palette && { palette }), ...(colorScale && { colorScale }) },
  );
  const lines = rowTokens.map((token, t) => {
    const [from, to] = [t * columns, (t + 1) * columns];
    const row = {
      rows: 1,
      columns,
      values: cells.values.subarray(from, to),
      kinds: cells.kinds.subarray(from, to),
    };
    const best = strongest(row, 3).map((s) => `${short(columnTokens[s]!)} ${weightText(row.values[s]!)}`);
    const texts = [0, 1, 2].map((n) => `<td>${escapeXml(best[n] ?? "–")}</td>`);
    return `<tr><th scope="row">${escapeXml(short(token))}</th>${texts.join("")}</tr>`;
  });
  const part =
    rows < shown.T || columns < shown.S
      ? `<p>The first ${rows} of ${shown.T} queries and ${columns} of ${shown.S} keys.</p>`
      : "";
  return `<p>Scripts are off: this is one head, without its controls.</p>${part}${picture}
<table><caption>The three strongest keys of each query</caption>
<thead><tr><th scope="col">query</th><th scope="col">first</th><th scope="col">second</th><th scope="col">third</th></tr></thead>
<tbody>${lines.join("")}</tbody></table>`;
}

function firstColumns(cells: Cells, columns: number): Cells {
  const isKept = (_: number, cell: number) => cell % cells.columns < columns;
  return {
    rows: cells.rows,
    columns,
    values: cells.values.filter(isKept),
    kinds: cells.kinds.filter(isKept),
  };
}
