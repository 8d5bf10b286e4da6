// Makes dist/studio: the studio as a folder of static files, a page for each .html of studio/. `heed studio` serves it, and
// so does any other server. Models and traces lie beside it, and are asked for when they are needed.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";
import { digestsOf, writeServiceWorker } from "./offline.mjs";
import { mechanismsPlugin } from "./studio-mechanisms.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, "studio");

const { sideEffects } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

/** Sources that do something when they are loaded: the studio's own, and those that package.json lists of dist. */
const EFFECTFUL = sideEffects.map((/** @type {string} */ file) =>
  path.join(root, file.replace("./dist/", "src/").replace(/\.js$/, ".ts")),
);

/**
 * Keeps what they do: package.json, which speaks of dist, says nothing of sources to a bundler.
 *
 * @type {import("vite").Plugin}
 */
const effects = {
  name: "heed-effects",
  transform: (code, id) =>
    id.startsWith(source + path.sep) || EFFECTFUL.includes(id)
      ? { code, map: null, moduleSideEffects: true }
      : null,
};

const RDKIT = "@rdkit/rdkit/RDKit_minimal.wasm?url";

/**
 * The seven megabytes that read molecules are not copied: they lie in a package that heed is installed with, and who serves
 * the pages gives them as rdkit/RDKit_minimal.wasm.
 *
 * @type {import("vite").Plugin}
 */
const rdkit = {
  name: "heed-rdkit",
  enforce: "pre",
  resolveId: (id) => (id === RDKIT ? `\0${RDKIT}` : null),
  load: (id) =>
    id === `\0${RDKIT}`
      ? 'export default new URL(/* @vite-ignore */ "../rdkit/RDKit_minimal.wasm", import.meta.url).href;'
      : null,
};

/** What a head says in every page; each page has the rest, its title and its scripts. */
const HEAD = [
  { tag: "meta", attrs: { charset: "utf-8" } },
  { tag: "meta", attrs: { name: "viewport", content: "width=device-width, initial-scale=1" } },
  { tag: "link", attrs: { rel: "icon", href: "data:," } },
  { tag: "link", attrs: { rel: "stylesheet", href: "./shell/page.css" } },
];

/** Where the page's sheet has the colours of the elements. */
const COLORS_HERE = /\/\* heed-colors[^*]*\*\//;

/**
 * Puts into the pages what all of them share: the beginning of their heads, and the colours of the elements.
 *
 * @type {import("vite").Plugin}
 */
const shared = {
  name: "heed-shared",
  enforce: "pre",
  transformIndexHtml: {
    order: "pre",
    handler: () => HEAD.map((tag) => ({ ...tag, injectTo: /** @type {const} */ ("head-prepend") })),
  },
  async transform(code, id) {
    if (!id.endsWith("shell/page.css")) return null;
    if (!COLORS_HERE.test(code))
      throw new Error("shell/page.css must say where the colours of the elements go");
    // Made by the build, which imports this file before.
    const colors = path.join(root, "build/elements/colors.js");
    const { COLORS } = await import(/** @type {string} */ (pathToFileURL(colors).href));
    return { code: code.replace(COLORS_HERE, COLORS), map: null };
  },
};

/**
 * Few files instead of a hundred: what runs models is one, with its rooms of src, and TensorFlow.js one. What a page needs
 * first is in neither.
 */
const splitting = {
  includeDependenciesRecursively: false,
  groups: [
    { name: "tensorflow", test: /[\\/]node_modules[\\/](@tensorflow|long|seedrandom)[\\/]/ },
    {
      name: "models",
      // Not what lists and names models of a hub, which runs none: a page needs it, and would load all.
      test: /[\\/]src[\\/](?!tasks[\\/]pretrained[\\/](hub|beside)|data[\\/]model-name)(attention|capture|data|host|intervene|kernels|layers|models|ops|tasks|train)[\\/]/,
    },
  ],
};

/** How Vite makes the studio; `outDir` is emptied first. */
export function studioConfig(/** @type {string} */ outDir) {
  const pages = readdirSync(source).filter((file) => file.endsWith(".html"));
  return /** @type {import("vite").InlineConfig} */ ({
    configFile: false,
    logLevel: "warn",
    root: source,
    base: "./",
    plugins: [effects, rdkit, shared, mechanismsPlugin],
    worker: {
      format: "es",
      plugins: () => [effects, rdkit],
      rolldownOptions: { output: { codeSplitting: splitting } },
    },
    build: {
      target: "es2022",
      // Those that know light-dark(); older ones would be given rules that follow the system alone.
      cssTarget: ["chrome123", "firefox120", "safari17.5"],
      outDir,
      emptyOutDir: true,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: pages.map((file) => path.join(source, file)),
        // Modules keep their order where two chunks import each other.
        output: { codeSplitting: splitting, strictExecutionOrder: true },
      },
    },
  });
}

/** What lies beside the pages where they are served (src/cli/studio/own-folders.ts), and is kept once it was used. */
async function besidePages() {
  const { ownFolders } = await import("../build/cli/studio/own-folders.js");
  const all = ownFolders(path.join(root, "dist/studio")).filter(({ prefix }) => prefix !== "");
  return Object.assign(
    {},
    ...all.map(({ prefix, folder, files }) => {
      const digests = digestsOf(folder, (place) => files?.includes(place) ?? true);
      return Object.fromEntries(
        Object.entries(digests).map(([place, digest]) => [`${prefix}/${place}`, digest]),
      );
    }),
  );
}

/** Makes the studio, and lays beside it the elements as one file, which go into the pages that it saves, and its service worker. */
export async function buildStudio(outDir = path.join(root, "dist/studio")) {
  await build(studioConfig(outDir));
  copyFileSync(path.join(root, "dist/elements/heed-elements.js"), path.join(outDir, "heed-elements.js"));
  await writeServiceWorker(outDir, {
    shell: digestsOf(outDir),
    kept: await besidePages(),
    never: ["api/", "opened/"],
    keepsOthers: false,
  });
}
