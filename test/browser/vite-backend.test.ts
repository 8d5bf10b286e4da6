/** The backend in a page that Vite serves or bundles, where nobody has put TensorFlow.js' .wasm files anywhere. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, createServer, type InlineConfig } from "vite";
import { afterAll, describe, expect } from "vitest";
import { scratchFolder } from "../support/bundle.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { ISOLATION, serve } from "../support/serve.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const PROGRAM = `
import "heed/backend";
import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

const address = new URLSearchParams(location.search).get("paths");
if (address) setWasmPaths(address);
tf.setBackend("heed").then((set) => {
  const values = set ? [...tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()] : [];
  window.result = { isolated: crossOriginIsolated, set, backend: tf.getBackend(), values, fetch: String(fetch) };
}, (error) => { window.result = { error: String(error) }; });
`;

interface Report {
  isolated: boolean;
  set: boolean;
  backend: string;
  values: number[];
  fetch: string;
}

const scratch = scratchFolder();
afterAll(() => scratch.remove());

/** A folder with a page and heed in its node_modules, as npm puts it there. */
function application(name: string): string {
  const folder = path.join(scratch.folder, name);
  const heed = path.join(folder, "node_modules/heed");
  mkdirSync(heed, { recursive: true });
  cpSync(path.join(root, "package.json"), path.join(heed, "package.json"));
  for (const room of ["core", "host", "kernels"])
    cpSync(path.join(root, "dist", room), path.join(heed, "dist", room), { recursive: true });
  writeFileSync(path.join(folder, "main.js"), PROGRAM);
  const icon = '<link rel="icon" href="data:,">';
  writeFileSync(
    path.join(folder, "index.html"),
    `<!doctype html>${icon}<script type="module" src="./main.js"></script>`,
  );
  return folder;
}

const browser = browserForTests();

async function report(address: string): Promise<{ result: Report; lines: string[] }> {
  const tab = await browser().newPage();
  const lines: string[] = [];
  tab.on("console", (message) => lines.push(message.text()));
  try {
    await tab.goto(address);
    // Vite's server may load the page again once it has found what it imports.
    await tab.waitForFunction("window.result", undefined, { timeout: 60_000 }).catch((error) => {
      throw new Error(`the page reported nothing; its console said:\n${lines.join("\n")}`, { cause: error });
    });
    return { result: (await tab.evaluate("window.result")) as Report, lines };
  } finally {
    await tab.close();
  }
}

const config = (folder: string): InlineConfig => ({
  configFile: false,
  logLevel: "silent",
  root: folder,
  cacheDir: path.join(folder, ".vite"),
});

const RIGHT = { set: true, backend: "heed", values: [11] };

describe.each([
  ["an ordinary page", {}],
  ["an isolated page", ISOLATION],
] as [string, Record<string, string>][])("heed in %s", (name, headers) => {
  const isolated = "Cross-Origin-Opener-Policy" in headers;

  itInChromium(`of Vite's server starts by itself (${name})`, async () => {
    const folder = application(`dev-${isolated}`);
    const server = await createServer({
      ...config(folder),
      server: { headers, host: "127.0.0.1", port: 0, fs: { allow: [root] }, watch: null },
    });
    await server.listen();
    try {
      const { port } = server.httpServer!.address() as { port: number };
      const { result } = await report(`http://127.0.0.1:${port}/`);
      expect(result).toMatchObject({ ...RIGHT, isolated });
      expect(result.fetch).toContain("native code");
    } finally {
      await server.close();
    }
  });

  itInChromium(
    `of Vite's build starts by itself, and where setWasmPaths points nowhere (${name})`,
    async () => {
      const folder = application(`build-${isolated}`);
      await build({ ...config(folder), build: { outDir: "page", target: "es2022" } });
      const { url, server } = await serve(path.join(folder, "page"), headers);
      try {
        const plain = await report(url);
        expect(plain.result).toMatchObject({ ...RIGHT, isolated });
        expect(plain.lines).toEqual([]);
        const astray = await report(`${url}?paths=/nowhere/`);
        expect(astray.result).toMatchObject({ ...RIGHT, isolated });
      } finally {
        server.close();
      }
    },
  );
});
