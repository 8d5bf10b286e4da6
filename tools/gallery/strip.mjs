// The strip at the head of the README: three real translations by the model that ships, and five mechanisms as
// docs/MECHANISMS.md draws them.
import { readFileSync } from "node:fs";
import path from "node:path";
import { SENTENCES } from "../../build/cli/start.js";
import { escapeXml } from "../../build/viz/text.js";
import { loadTranslator } from "../../dist/tasks/index.js";
import { heatmap } from "../../dist/viz/index.js";
import { place, sizeOf } from "./place.mjs";

const HEIGHT = 360;
const GAP = 16;
/** Of a translation, so small that its words can be read when the strip is as wide as a page. */
const SIZE = { width: 400, height: 320 };
const CAPTION = 44;
/** Pictures of docs/images/mechanisms, and what is written below them. */
const MECHANISMS = /** @type {const} */ ([
  ["localWindowAttention", "local window"],
  ["bigBirdMask", "BigBird"],
  ["stridedPattern", "strided"],
  ["sparsemax", "sparsemax"],
  ["gaussianMask2d", "Gaussian glimpse"],
]);

/** The SVG document; `root` is where docs/images/mechanisms lies. */
export async function drawStrip(/** @type {string} */ root) {
  const translator = await loadTranslator();
  const translations = translator.translate(SENTENCES);
  translator.dispose();
  const pictures = [];
  let x = 0;
  for (const { target, weights, sourceTokens, targetTokens } of translations) {
    const data = { weights, rowTokens: targetTokens, columnTokens: sourceTokens };
    const svg = heatmap(data, { title: target, xTitle: "", yTitle: "", theme: "auto", size: SIZE });
    const { width, height } = sizeOf(svg);
    const scaled = Math.round((HEIGHT * width) / height);
    pictures.push(place(svg, x, 0, scaled, HEIGHT));
    x += scaled + GAP;
  }
  const width = x - GAP;
  const column = (width - GAP * (MECHANISMS.length - 1)) / MECHANISMS.length;
  const top = HEIGHT + GAP;
  const tall = Math.round(column * 0.6);
  for (const [n, [name, caption]] of MECHANISMS.entries()) {
    const svg = readFileSync(path.join(root, `docs/images/mechanisms/${name}.svg`), "utf8");
    const own = sizeOf(svg);
    const scale = Math.min(column / own.width, tall / own.height);
    const [w, h] = [Math.round(own.width * scale), Math.round(own.height * scale)];
    const left = Math.round(n * (column + GAP));
    const middle = Math.round(left + column / 2);
    pictures.push(
      place(svg, Math.round(middle - w / 2), top + Math.round((tall - h) / 2), w, h),
      `<text x="${middle}" y="${top + tall + 30}" text-anchor="middle">${caption}</text>`,
    );
  }
  const height = top + tall + CAPTION;
  const text = translations.map(({ source, target }) => `${source} → ${target}`).join("; ");
  const kinds = MECHANISMS.map(([, caption]) => caption).join(", ");
  const label = escapeXml(`Attention of three translations: ${text}; and of five mechanisms: ${kinds}`);
  const caption = "#heed-strip > text";
  const style = `${caption}{font:24px system-ui,sans-serif;fill:#1a1a1a}@media (prefers-color-scheme:dark){${caption}{fill:#ededed}}`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" ` +
    `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n` +
    `<style>${style}</style>\n` +
    `<g id="heed-strip">\n${pictures.join("\n")}\n</g>\n</svg>\n`
  );
}
