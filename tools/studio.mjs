// Makes dist/studio: the studio as a folder of static files, a page for each .html of studio/. `heed studio` serves it, and
// so does any other server. Models and traces lie beside it, and are asked for when they are needed.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

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
      test: /[\\/]src[\\/](attention|capture|data|host|intervene|kernels|layers|models|ops|tasks|train)[\\/]/,
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
    plugins: [effects, rdkit],
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

/** Makes the studio, and lays beside it the elements as one file, which go into the pages that it saves. */
export async function buildStudio(outDir = path.join(root, "dist/studio")) {
  await build(studioConfig(outDir));
  copyFileSync(path.join(root, "dist/elements/heed-elements.js"), path.join(outDir, "heed-elements.js"));
}
