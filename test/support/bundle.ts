import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, type InlineConfig, type Plugin } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder under node_modules, where bare imports resolve and git does not look. */
export function scratchFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(path.join(root, "node_modules/.heed-test-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * `@/` in a program's imports stands for the sources of heed. package.json names the built modules that have side
 * effects; their sources, which it does not name, must be kept too.
 */
const sources: Plugin = {
  name: "heed-sources",
  enforce: "pre",
  resolveId: (id) =>
    id.startsWith("@/") ? { id: path.join(root, "src", id.slice(2)), moduleSideEffects: true } : null,
};

const common: InlineConfig = { configFile: false, logLevel: "silent", plugins: [sources] };

/** Bundles a TypeScript program for Node, packages left out; returns the path of the module. */
export async function bundleForNode(folder: string, program: string): Promise<string> {
  const entry = path.join(folder, "program.ts");
  writeFileSync(entry, program);
  const output = { entryFileNames: "program.mjs" };
  const outDir = path.join(folder, "node");
  await build({ ...common, root: folder, build: { ssr: entry, outDir, rollupOptions: { output } } });
  return path.join(outDir, "program.mjs");
}

/** Bundles a page with one TypeScript module into a new folder; returns the folder to serve. */
export async function bundleForBrowser(folder: string, program: string, minify: boolean): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "program.ts"), program);
  writeFileSync(path.join(folder, "index.html"), PAGE);
  const outDir = path.join(folder, "page");
  await build({ ...common, root: folder, build: { outDir, minify } });
  return outDir;
}

/** The scripts of a bundled page, and whether each imports a module of Node. */
export function scriptsOf(page: string): { file: string; importsNode: boolean }[] {
  const folder = path.join(page, "assets");
  const files = readdirSync(folder).filter((file) => file.endsWith(".js"));
  return files.map((file) => {
    const code = readFileSync(path.join(folder, file), "utf8");
    return { file, importsNode: /(from|import\(?)\s*["'`](node:|__vite-browser-external)/.test(code) };
  });
}

/** An empty page; its icon is empty too, so that the browser asks for none. */
const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./program.ts"></script>';
