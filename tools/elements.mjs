// Makes dist/elements/heed-elements.js and heed-figures.js: elements and what they stand on, a file without imports.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "lightningcss";
import { parseAst } from "rolldown/parseAst";
import { minify } from "terser";
import { build } from "vite";
import { effectful } from "./rooms.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

/** Modules of the elements. */
const OURS = /[\\/]build[\\/]elements[\\/]/;

/**
 * Makes the style sheets of the elements small, which stand in templates; the colours are a constant in one of them.
 *
 * @type {import("vite").Plugin}
 */
const styles = {
  name: "heed-styles",
  async transform(code, id) {
    if (!OURS.test(id) || !/\bcss ?`/.test(code)) return null;
    const { COLORS } = await import("../build/elements/colors.js");
    const small = code
      .replace(/\$\{unsafeCSS\(COLORS\)\}/, () => COLORS)
      .replace(/\bcss ?`([^`$]+)`/g, (_, /** @type {string} */ sheet) => {
        const { code: made } = transform({ filename: "styles.css", code: Buffer.from(sheet), minify: true });
        return `css(\`${made}\`)`;
      });
    if (/\bcss ?`/.test(small)) throw new Error("a style sheet with values in it cannot be made small");
    // A sheet without values needs no tag, which would bring its checks of values.
    return { code: small.replace(/\bcss\b(?=[^;]*\bfrom "lit")/, "unsafeCSS as css"), map: null };
  },
};

/** Methods of traces and their maps that no element calls: for a whole map at once, and for writing files. */
const UNCALLED = ["tile", "pooled", "stored", "count"];

/**
 * Leaves out those of these methods that a bundle never calls, which no bundler knows of a class.
 *
 * @returns {import("vite").Plugin}
 */
function withoutUncalled(/** @type {string} */ bundle) {
  const uncalled = UNCALLED.filter((name) => !bundle.includes(`.${name}(`));
  return {
    name: "heed-uncalled",
    transform(code, id) {
      if (!/[\\/]inspect[\\/]/.test(id) || !uncalled.some((name) => code.includes(` ${name}(`))) return null;
      const methods = parseAst(code).body.flatMap((statement) => {
        const found = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
        return found?.type === "ClassDeclaration" ? found.body.body : [];
      });
      let kept = code;
      for (const method of methods.reverse())
        if (
          method.type === "MethodDefinition" &&
          method.key.type === "Identifier" &&
          uncalled.includes(method.key.name)
        )
          kept = kept.slice(0, method.start) + kept.slice(method.end);
      return { code: kept, map: null };
    },
  };
}

/**
 * Makes the templates of the elements small: HTML needs no quotes around a word. Code has spaces around its equals signs.
 *
 * @type {import("vite").Plugin}
 */
const templates = {
  name: "heed-templates",
  transform(code, id) {
    if (!OURS.test(id) || !/\bhtml ?`/.test(code)) return null;
    return { code: code.replace(/(?<=\s[a-z-]+=)"([\w-]+)"(?=[\s>])/g, "$1"), map: null };
  },
};

/**
 * Leaves out Lit's question whether someone made a style sheet by hand, which no element does.
 *
 * @type {import("vite").Plugin}
 */
const sheets = {
  name: "heed-sheets",
  transform(code, id) {
    if (!/css-tag\.js$/.test(id)) return null;
    const asked =
      /if\((this\._\$cssResult\$=!0),\w+!==\w+\)throw Error\("CSSResult is not constructable[^"]*"\)/;
    if (!asked.test(code)) throw new Error("Lit asks otherwise whether a style sheet was made by hand");
    return { code: code.replace(asked, "$1"), map: null };
  },
};

async function bundle(/** @type {string} */ entry, /** @type {import("vite").Plugin[]} */ ...plugins) {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    root,
    plugins: [
      ...plugins,
      styles,
      sheets,
      templates,
      /** @type {import("vite").Plugin} */ (effectful(path.join(root, "build"), manifest)),
    ],
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
  /^(addVisible|cellLabel|choose|colors|columnLabels|columnOf|commands|current|focusCell|focused|foot|isKnown|isNew|lastButtons|needsLayers|notFinite|offscreen|pageColors|panByKey|picture|restyled|rowLabels?|rowOf|said|savedPart|scaleList|sendState|shared|swapButton|tileSteps|toggleTable|toStrongest(Key|Query)|typicalRange)$/;

/** Names that only Lit's own classes call of one another. */
const LIT =
  /^(_\$[AE]\w+|addController|addInitializer|converter|createProperty|createRenderRoot|creationScope|elementStyles|enableUpdating|finalizeStyles|fromAttribute|getPropertyDescriptor|getPropertyOptions|getUpdateComplete|hasChanged|hasUpdated|hostConnected|hostDisconnected|hostUpdate|hostUpdated|isUpdatePending|noAccessor|performUpdate|reflect|removeController|renderBefore|renderOptions|scheduleUpdate|setConnected|shadowRootOptions|shouldUpdate|toAttribute|useDefault|wrapped)$/;

/**
 * The text of a module, from its built entry. What the bundler has made
 * small, terser makes one per cent smaller yet: it takes more passes.
 */
export async function bundleElements(/** @type {string} */ entry) {
  const text = await bundle(entry, withoutUncalled(await bundle(entry)));
  const { code } = await minify(text, {
    module: true,
    ecma: 2020,
    compress: { passes: 3, hoist_funs: true, keep_fargs: false, unsafe_arrows: true, pure_getters: true },
    mangle: { properties: { regex: new RegExp(`${INTERNAL.source}|${LIT.source}`) } },
  });
  // Only templates of HTML and CSS have line breaks left, and both take one for any white space; between tags, where each
  // part of an element is a block or in a flex box, they need none.
  return code.replace(/\s*\n\s*/g, "\n").replace(/>\n(?=<)/g, ">");
}
