// Draws docs/images/strip.svg, the strip of attention maps at the head of the README: real translations by the
// model that ships, of the sentences that `npm start` shows. Needs the build and the weights: `node tools/docs/strip.mjs`.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { SENTENCES } from "../../dist/cli/start.js";
import { loadTranslator } from "../../dist/tasks/translation/translator.js";
import { heatmap } from "../../dist/viz/heatmap.js";

const HEIGHT = 360;
const GAP = 16;

/** An SVG document as a picture inside another one, scaled to HEIGHT; `x` is its left edge. */
function place(/** @type {string} */ svg, /** @type {number} */ x) {
  const [, width, height] = /<svg [^>]*?\bwidth="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const scaled = Math.round((HEIGHT * Number(width)) / Number(height));
  const sized = svg.replace(
    /\bwidth="[\d.]+" height="[\d.]+"/,
    `x="${x}" y="0" width="${scaled}" height="${HEIGHT}"`,
  );
  return { picture: sized.trim(), right: x + scaled };
}

const translator = await loadTranslator();
const translations = translator.translate(SENTENCES);
translator.dispose();

const pictures = [];
let x = 0;
for (const { target, weights, sourceTokens, targetTokens } of translations) {
  const data = { weights, rowTokens: targetTokens, columnTokens: sourceTokens };
  const { picture, right } = place(
    heatmap(data, { title: target, xTitle: "", yTitle: "", theme: "auto" }),
    x,
  );
  pictures.push(picture);
  x = right + GAP;
}
const width = x - GAP;
const text = translations.map(({ source, target }) => `${source} → ${target}`).join("; ");
const label = text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const file = path.join(root, "docs/images/strip.svg");
mkdirSync(path.dirname(file), { recursive: true });
writeFileSync(
  file,
  `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Attention of three translations: ${label}" ` +
    `width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}">\n${pictures.join("\n")}\n</svg>\n`,
);
console.log(`drew ${file}`);
