// Makes dist/elements/heed-elements.js and heed-figures.js: elements and what they stand on, a file without imports.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "lightningcss";
import { minify } from "terser";
import { build } from "vite";
import { effectful } from "./rooms.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

/**
 * Makes the style sheets of the elements small, which stand in templates.
 *
 * @type {import("vite").Plugin}
 */
const styles = {
  name: "heed-styles",
  transform(code) {
    if (!/\bcss ?`/.test(code)) return null;
    const small = code.replace(/(?<=\bcss ?`)[^`$]+(?=`)/g, (sheet) =>
      transform({ filename: "styles.css", code: Buffer.from(sheet), minify: true }).code.toString(),
    );
    return { code: small, map: null };
  },
};

async function bundle(/** @type {string} */ entry) {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    root,
    plugins: [styles, /** @type {import("vite").Plugin} */ (effectful(path.join(root, "build"), manifest))],
    build: {
      target: "es2022",
      write: false,
      lib: { entry, formats: ["es"], fileName: "heed-elements" },
      rolldownOptions: { output: { minify: true } },
    },
  });
  return /** @type {import("rolldown").RolldownOutput[]} */ (built)[0].output[0].code;
}

/** Names of what only the elements call of one another, which no page sees: they need not be said in full. */
const INTERNAL =
  /^(cellLabel|columnLabels|columnOf|focusCell|isNew|lastButtons|needsLayers|notFinite|offscreen|pageColors|panByKey|restyled|rowLabels?|rowOf|savedPart|scaleList|sendState|swapButton|toggleTable|toStrongest(Key|Query)|typicalRange)$/;

/**
 * The text of a module, from its built entry. What the bundler has made
 * small, terser makes one per cent smaller yet: it takes more passes.
 */
export async function bundleElements(/** @type {string} */ entry) {
  const text = await bundle(entry);
  const { code } = await minify(text, {
    module: true,
    ecma: 2020,
    compress: { passes: 3 },
    mangle: { properties: { regex: INTERNAL } },
  });
  // Only templates of HTML and CSS have line breaks left, and both take one for any white space; between tags, where each
  // part of an element is a block or in a flex box, they need none.
  return code.replace(/\s*\n\s*/g, "\n").replace(/>\n(?=<)/g, ">");
}
