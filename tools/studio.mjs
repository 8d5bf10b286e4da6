// Makes dist/studio: the studio as a folder of static files, a page for each .html of studio/. `heed studio` serves it, and
// so does any other server. Models and traces lie beside it, and are asked for when they are needed.
import { readdirSync, readFileSync } from "node:fs";
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

/** How Vite makes the studio; `outDir` is emptied first. */
export function studioConfig(/** @type {string} */ outDir) {
  const pages = readdirSync(source).filter((file) => file.endsWith(".html"));
  return /** @type {import("vite").InlineConfig} */ ({
    configFile: false,
    logLevel: "warn",
    root: source,
    base: "./",
    plugins: [effects],
    worker: { format: "es", plugins: () => [effects] },
    build: {
      target: "es2022",
      outDir,
      emptyOutDir: true,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: pages.map((file) => path.join(source, file)) },
    },
  });
}

export const buildStudio = (outDir = path.join(root, "dist/studio")) => build(studioConfig(outDir));
