import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContextOptions } from "@playwright/test";
import { type Opened, watch } from "./elements.ts";

/** The studio as it is built: a folder of static files. */
const BUILT = fileURLToPath(new URL("../../dist/studio", import.meta.url));
/** Nothing answers there but what is routed. */
export const ORIGIN = "http://studio.test/";

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
};

/** A page of the studio, and how many bytes its files were, gzipped. */
export interface OpenedPage extends Opened {
  /** Gzipped bytes of everything that was asked for so far. */
  readonly gzipped: () => number;
}

/** Opens a page of the built studio, such as "playground.html#preset=dot", without a network. */
export async function openStudio(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const opened = watch(page, () => context.close());
  let gzipped = 0;
  await context.route("**", (route) => {
    const url = new URL(route.request().url());
    if (!url.href.startsWith(ORIGIN)) return route.abort();
    try {
      const body = readFileSync(path.join(BUILT, path.posix.normalize(url.pathname)));
      gzipped += gzipSync(body).length;
      return route.fulfill({
        body,
        contentType: TYPES[path.extname(url.pathname)] ?? "application/octet-stream",
      });
    } catch {
      return route.fulfill({ status: 404 });
    }
  });
  await page.goto(`${ORIGIN}${address}`);
  return { ...opened, gzipped: () => gzipped };
}

/** What was asked for beyond the studio's own files. */
export const askedBeyond = (requests: readonly string[]): string[] =>
  requests.filter((url) => !url.startsWith(ORIGIN) && !/^(data|blob):/.test(url));
