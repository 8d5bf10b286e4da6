/** The guides' pages, as a reader would copy them: the built package beside a page, and nothing else. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "vite";
import { afterAll, describe, expect } from "vitest";
import { scratchFolder } from "../support/bundle.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { serve } from "../support/serve.ts";

const root = path.resolve(import.meta.dirname, "../..");
const scratch = scratchFolder();
afterAll(() => scratch.remove());
const browser = browserForTests();

function blocks(guide: string, language: string): string[] {
  const text = readFileSync(path.join(root, `docs/guides/${guide}.md`), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, code]) => code!,
  );
}

const headed = (body: string) => `<!doctype html><title>x</title><link rel="icon" href="data:,">${body}`;

/** Opens a folder's page; what its console said comes with it. */
async function opened(folder: string) {
  const { url, server } = await serve(folder);
  const page = await browser().newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto(url);
  const close = async () => {
    await page.close();
    server.close();
  };
  return { page, said, close };
}

describe("docs/guides/page.md", () => {
  const [elements, kernels] = blocks("page", "html");

  function pageOf(name: string, body: string): string {
    const folder = path.join(scratch.folder, name);
    mkdirSync(folder, { recursive: true });
    cpSync(path.join(root, "dist"), path.join(folder, "heed/dist"), {
      recursive: true,
      filter: (file) => !file.includes(`${path.sep}studio`),
    });
    writeFileSync(path.join(folder, "index.html"), headed(body));
    return folder;
  }

  itInChromium("shows a heat map of plain numbers", async () => {
    const { page, said, close } = await opened(pageOf("elements", elements!));
    await page.locator("heed-heatmap[data-ready]").waitFor();
    await page.getByText("What each word looked at").first().waitFor();
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("computes attention", async () => {
    const { page, said, close } = await opened(pageOf("kernels", kernels!));
    await page.getByText("The first query sees 1 and 2").waitFor();
    expect(said).toEqual([]);
    await close();
  });
});

describe("docs/guides/vite.md", () => {
  const [program] = blocks("vite", "js");
  const [config] = blocks("vite", "mjs");

  itInChromium("bundles with its configuration, and prints what it says", async () => {
    const folder = path.join(scratch.folder, "vite");
    const heed = path.join(folder, "node_modules/heed");
    mkdirSync(heed, { recursive: true });
    cpSync(path.join(root, "package.json"), path.join(heed, "package.json"));
    for (const room of ["core", "host", "kernels", "ops", "rooms"])
      cpSync(path.join(root, "dist", room), path.join(heed, "dist", room), { recursive: true });
    writeFileSync(path.join(folder, "main.js"), program!);
    writeFileSync(path.join(folder, "index.html"), headed('<script type="module" src="./main.js"></script>'));
    writeFileSync(path.join(folder, "vite.config.js"), config!);
    await build({ root: folder, configFile: path.join(folder, "vite.config.js"), logLevel: "silent" });
    const { page, said, close } = await opened(path.join(folder, "dist"));
    const answer = /\/\/ (.*)$/m.exec(program!.split("console.log")[1]!)![1];
    await expect.poll(() => said, { timeout: 20_000 }).toEqual([answer]);
    await close();
    expect(page.isClosed()).toBe(true);
  });
});
